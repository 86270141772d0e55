import type { MessagePort } from "node:worker_threads";
import { Piscina } from "piscina";
import type { ServiceEntry } from "./service-entry.js";

/**
 * A thread that loads a service's module and then waits until {@link ServiceThread.start} begins the service: what Node needs to start a
 * thread, some 50 ms of CPU, passes while main does something else. A piscina pool of exactly one worker.
 */
export class IdleThread {
  readonly #pool: Piscina;
  /** Why the thread has ended, whoever ended it. Never rejects. */
  readonly died: Promise<unknown>;

  /**
   * @param file compiled module whose default export {@link serviceEntry} has made
   * @throws the system's error: there can be no more threads
   */
  constructor(file: URL) {
    const pool = new Piscina({
      filename: file.href,
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      atomics: "disabled",
      recordTiming: false,
    });
    this.#pool = pool;
    this.died = new Promise((resolve) => {
      for (const thread of pool.threads) {
        thread.once("error", resolve);
        thread.once("exit", (exitCode) => resolve(new Error(`the thread ended: exitCode=${exitCode}`)));
      }
      pool.on("error", resolve);
    });
  }

  /** The one task of the thread: the service begins. Rejects when it cannot. @param port the service's, moves to the thread */
  async begin(entry: ServiceEntry<unknown>, port: MessagePort): Promise<void> {
    await this.#pool.run(entry, { transferList: [port] });
  }

  /** Frees the thread; whatever it does is cut off between two native calls. Idempotent. */
  async end(): Promise<void> {
    await this.#pool.destroy();
  }
}
