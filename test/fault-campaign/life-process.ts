import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { setTimeout } from "node:timers";
import type { LifeAnswer, LifeJob, LifeMark } from "./life-job.js";

export type LifeOutcome =
  | { readonly end: "answered"; readonly answer: LifeAnswer }
  | { readonly end: "killed" }
  | { readonly end: "hang" }
  | { readonly end: "death"; readonly what: string };

export interface LifeKill {
  readonly mark: LifeMark;
  readonly delayMs: number;
}

export interface LifeEnvironment {
  readonly env?: Readonly<Record<string, string>>;
  /** Modules loaded before the store's, in each thread. */
  readonly imports?: readonly string[];
}

export function withEnvironment(one: LifeEnvironment, other: LifeEnvironment): LifeEnvironment {
  return { env: { ...one.env, ...other.env }, imports: [...(one.imports ?? []), ...(other.imports ?? [])] };
}

/** On a machine where everything else runs too; the slowest sound life takes a tenth of it. */
export const LIFE_LIMIT_MS = 90_000;
/** A process is replaced after so many lives: what one leaves behind must not grow on the next. */
const LIVES_PER_PROCESS = 40;
const ERRORS_MAX = 4000;

/** A process in which stores live, one after another. */
export class LifeProcess implements AsyncDisposable {
  readonly #environment: LifeEnvironment;
  #child: ChildProcess | undefined;
  #lives = 0;
  #errors = "";

  constructor(environment: LifeEnvironment = {}) {
    this.#environment = environment;
  }

  /** One life, which has until the limit. The next one gets a new process when this one did not end well. */
  async live(job: LifeJob, kill?: LifeKill, limitMs = LIFE_LIMIT_MS): Promise<LifeOutcome> {
    const child = this.#process();
    this.#errors = "";
    const timers: NodeJS.Timeout[] = [];
    let isHanging = false;
    const outcome = await new Promise<LifeOutcome>((resolve) => {
      timers.push(
        setTimeout(() => {
          isHanging = true;
          child.kill("SIGKILL");
        }, limitMs),
      );
      child.on("message", (message: { mark?: LifeMark; answer?: LifeAnswer }) => {
        if (message.mark !== undefined && message.mark === kill?.mark)
          timers.push(setTimeout(() => child.kill("SIGKILL"), kill.delayMs));
        if (message.answer !== undefined) resolve({ end: "answered", answer: message.answer });
      });
      child.on("close", (code, signal) => {
        if (isHanging) resolve({ end: "hang" });
        else if (signal === "SIGKILL" && (kill !== undefined || (job.kind === "source" && job.ending === "killed")))
          resolve({ end: "killed" });
        else resolve({ end: "death", what: `code=${code} signal=${signal} ${this.#errors.trim()}`.slice(0, ERRORS_MAX) });
      });
      child.send(job);
    });
    for (const timer of timers) clearTimeout(timer);
    child.removeAllListeners("message").removeAllListeners("close");
    if (outcome.end !== "answered") this.#child = undefined;
    return outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const closed = new Promise((resolve) => child.on("close", resolve));
    child.kill("SIGKILL");
    await closed;
  }

  #process(): ChildProcess {
    if (this.#child !== undefined && ++this.#lives % LIVES_PER_PROCESS === 0) {
      this.#child.kill("SIGKILL");
      this.#child = undefined;
    }
    this.#child ??= this.#start();
    return this.#child;
  }

  #start(): ChildProcess {
    const { env = {}, imports = [] } = this.#environment;
    const child = fork(join(import.meta.dirname, "store-life.js"), [], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      execArgv: imports.flatMap((module) => ["--import", module]),
      env: { ...process.env, ...env },
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      if (this.#errors.length < ERRORS_MAX) this.#errors += chunk.toString();
    });
    child.on("error", () => {});
    return child;
  }
}
