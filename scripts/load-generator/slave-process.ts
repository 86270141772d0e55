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
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown[]>;

  /** @param of `host:port` of the master */
  constructor(directory: string, of: string, segmentSize: number, sync: boolean) {
    this.directory = directory;
    const args = ["replica", directory, "--of", of, "--mappedFileSizeCommitLog", `${segmentSize}`, "--json"];
    this.#child = spawn(process.execPath, [MILLRACE, ...args, ...(sync ? ["--sync"] : [])], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#closed = once(this.#child, "close");
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      this.maxOffset = (JSON.parse(line) as { maxOffset: number }).maxOffset;
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
    this.#child.kill("SIGKILL");
    await this.#closed;
  }
}
