import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const MILLRACE = fileURLToPath(import.meta.resolve("@millrace/cli"));

/** A slave in a process of its own: `millrace replica`. */
export class SlaveProcess implements AsyncDisposable {
  readonly directory: string;
  /** End of its log, as it said last; -1 before it has said anything. */
  maxOffset = -1;
  /** Open, and connected; as it said last. */
  isFollowing = false;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown[]>;

  /** @param of `host:port` of the master */
  constructor(directory: string, of: string, segmentSize: number, sync: boolean) {
    this.directory = directory;
    const args = ["replica", directory, "--of", of, "--mappedFileSizeCommitLog", `${segmentSize}`, "--json"];
    args.push("--cleanFileForciblyEnable", "false"); // what it is sent is compared in the end, however full the disk is
    this.#child = spawn(process.execPath, [MILLRACE, ...args, ...(sync ? ["--sync"] : [])], {
      stdio: ["ignore", "pipe", "inherit"],
      detached: true, // Ctrl-C is the load's: the slave is needed until its log has been compared
    });
    process.once("exit", this.#kill);
    this.#closed = once(this.#child, "close");
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      const { state, maxOffset } = JSON.parse(line) as { state: string; maxOffset: number };
      this.maxOffset = maxOffset;
      this.isFollowing = state === "following";
    });
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Closes the store. Idempotent. @throws Error the slave did not end well */
  async end(): Promise<void> {
    this.#child.kill("SIGTERM");
    const [code, signal] = await this.#closed;
    if (code !== 0) throw new Error(`a slave did not end well: code=${code} signal=${signal} storePathRootDir=${this.directory}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await this.#closed;
    process.off("exit", this.#kill);
  }

  readonly #kill = (): void => {
    this.#child.kill("SIGKILL");
  };
}
