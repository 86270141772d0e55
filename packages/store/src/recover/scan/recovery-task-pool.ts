import { availableParallelism } from "node:os";
import { MillraceError, type MillraceErrorCode } from "@millrace/format";
import { RecoveryThread } from "./recovery-thread.js";

const MAX_THREADS = 4;
/** Below this many bytes starting a thread takes longer than reading them. */
const SMALL_BYTES = 16 * 1024 * 1024;

/** What a task that failed answers. Errors lose their code between threads, so they travel as data. */
export interface TaskFailure {
  readonly kind: "failed";
  readonly code: MillraceErrorCode;
  readonly message: string;
}

/** Where a kind of tasks runs: a module for piscina, and its default export for the caller's own thread. */
export interface TaskRunner<Task, Success> {
  readonly url: URL;
  readonly runHere: (task: Task) => Success | TaskFailure;
  /** The file or directory that a task is about, for errors. */
  readonly pathOf: (task: Task) => string;
}

/** Recovery's CPU-bound work, on as many threads as pay. */
export class RecoveryTaskPool<Task, Success extends { readonly kind: string }> {
  readonly #runner: TaskRunner<Task, Success>;
  readonly #parallelism: number;
  /** One for each lane that has had a task. */
  readonly #threads: RecoveryThread<Task, Success | TaskFailure>[] = [];

  /** @param parallelism threads; 0 works in the caller's thread */
  constructor(runner: TaskRunner<Task, Success>, parallelism: number) {
    this.#runner = runner;
    this.#parallelism = parallelism;
  }

  static parallelismFor(tasks: number, bytes: number): number {
    return bytes < SMALL_BYTES ? 0 : Math.min(MAX_THREADS, availableParallelism(), tasks);
  }

  /**
   * Results in the order of the tasks. After the first failure no further task is begun, and `onFailure` may stop those under way.
   *
   * @throws MillraceError the first failure, once no task is running any more
   */
  async runAll(tasks: readonly Task[], onDone: () => void, onFailure: () => void): Promise<Success[]> {
    const results: Success[] = [];
    let next = 0;
    let failed: MillraceError | undefined;
    const lane = async (number: number): Promise<void> => {
      while (failed === undefined && next < tasks.length) {
        const index = next++;
        const outcome = await this.#run(tasks[index] as Task, number);
        if (!isFailure(outcome)) {
          results[index] = outcome;
          onDone();
        } else if (failed === undefined) {
          failed = new MillraceError(outcome.code, outcome.message);
          onFailure();
        }
      }
    };
    await Promise.all(Array.from({ length: Math.max(1, this.#parallelism) }, (_, number) => lane(number)));
    if (failed !== undefined) throw failed;
    return results;
  }

  async #run(task: Task, lane: number): Promise<Success | TaskFailure> {
    if (this.#parallelism === 0) return this.#runner.runHere(task);
    try {
      this.#threads[lane] ??= new RecoveryThread(this.#runner.url);
      return await this.#threads[lane].run(task);
    } catch (error) {
      const message = `a recovery thread died (${error}): path=${this.#runner.pathOf(task)}`;
      return { kind: "failed", code: "ERR_WORKER_DIED", message };
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }
}

function isFailure(outcome: { readonly kind: string }): outcome is TaskFailure {
  return outcome.kind === "failed";
}
