import { availableParallelism } from "node:os";
import { MillraceError } from "@millrace/format";
import { Piscina } from "piscina";
import type { SegmentOutcome, SegmentTask } from "./segment-scan-worker.js";
import runInThisThread from "./segment-scan-worker.js";

const MAX_THREADS = 4;
/** Below this many bytes starting a thread takes longer than the scan. */
const SMALL_LOG_BYTES = 16 * 1024 * 1024;

type Success = Exclude<SegmentOutcome, { kind: "failed" }>;

/** CPU-bound work on whole segments, on as many threads as pay. */
export class SegmentTaskPool {
  readonly #piscina: Piscina<SegmentTask, SegmentOutcome> | undefined;
  readonly #lanes: number;

  /** @param parallelism threads; 0 works in the caller's thread */
  constructor(parallelism: number) {
    this.#lanes = Math.max(1, parallelism);
    if (parallelism === 0) return;
    const filename = new URL("./segment-scan-worker.js", import.meta.url).href;
    this.#piscina = new Piscina({ filename, minThreads: parallelism, maxThreads: parallelism, concurrentTasksPerWorker: 1 });
  }

  static parallelismFor(segments: number, bytes: number): number {
    return bytes < SMALL_LOG_BYTES ? 0 : Math.min(MAX_THREADS, availableParallelism(), segments);
  }

  /**
   * Results in the order of the tasks. After the first failure no further task is begun, and `onFailure` may stop those under way.
   *
   * @throws MillraceError the first failure, once no task is running any more
   */
  async runAll(tasks: readonly SegmentTask[], onDone: () => void, onFailure: () => void): Promise<Success[]> {
    const results: Success[] = [];
    let next = 0;
    let failed: MillraceError | undefined;
    const lane = async (): Promise<void> => {
      while (failed === undefined && next < tasks.length) {
        const index = next++;
        const outcome = await this.#run(tasks[index] as SegmentTask);
        if (outcome.kind !== "failed") {
          results[index] = outcome;
          onDone();
        } else if (failed === undefined) {
          failed = new MillraceError(outcome.code, outcome.message);
          onFailure();
        }
      }
    };
    await Promise.all(Array.from({ length: this.#lanes }, lane));
    if (failed !== undefined) throw failed;
    return results;
  }

  async #run(task: SegmentTask): Promise<SegmentOutcome> {
    if (this.#piscina === undefined) return runInThisThread(task);
    try {
      return await this.#piscina.run(task);
    } catch (error) {
      return { kind: "failed", code: "ERR_WORKER_DIED", message: `a recovery thread died (${error}): path=${task.segment.path}` };
    }
  }

  async close(): Promise<void> {
    await this.#piscina?.destroy();
  }
}
