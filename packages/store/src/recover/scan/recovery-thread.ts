import { Piscina } from "piscina";

/** One thread of a recovery, which does one task at a time: a piscina pool of at most one worker. */
export class RecoveryThread<Task, Outcome> {
  readonly #pool: Piscina<Task, Outcome>;
  /**
   * Rejects when the thread ends while it has no task, also before its first one: out of descriptors Node cannot start it. Piscina says
   * so by an event, and a task that comes then may stay in its queue for ever.
   */
  readonly #died: Promise<never>;

  /**
   * @param file compiled module whose default export is given the tasks
   * @throws the system's error: there can be no more threads
   */
  constructor(file: URL) {
    const pool = new Piscina<Task, Outcome>({ filename: file.href, minThreads: 1, maxThreads: 1, concurrentTasksPerWorker: 1 });
    this.#pool = pool;
    this.#died = new Promise((_, reject) => pool.on("error", reject));
    this.#died.catch(() => {}); // the next task says it
  }

  /** Rejects when the thread has died; the task, wherever it was, goes no further then. */
  async run(task: Task): Promise<Outcome> {
    try {
      return await Promise.race([this.#pool.run(task), this.#died]);
    } catch (error) {
      await this.end(); // piscina begins another thread in place of one that dies: it must not take the task
      throw error;
    }
  }

  /** Whatever it does is cut off between two native calls. Idempotent. */
  async end(): Promise<void> {
    await this.#pool.destroy();
  }
}
