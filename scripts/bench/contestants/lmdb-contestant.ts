import { join } from "node:path";
import type { LoadMessage, LoadPutResult, LoadTarget } from "../../load-generator/load-target.js";
import { type LmdbDatabase, openLmdb } from "./peer-modules.js";
import { PromiseContestant } from "./promise-contestant.js";
import type { Workload } from "./workload.js";

const ACKED: LoadPutResult = { status: "PUT_OK", appendResult: { wroteOffset: 0, queueOffset: 0 } };

/**
 * lmdb, asynchronous puts, which it gathers into transactions, keys in ascending order. On disk: overlappingSync:false, so that the
 * promise of a put means a forced transaction (by default it means only a visible one, and waiting for its `flushed` is slower); in
 * the page cache: noSync.
 */
class LmdbTarget implements LoadTarget {
  readonly #database: LmdbDatabase;
  #next = 0;
  #commit: Promise<boolean> | undefined;
  #acked: Promise<LoadPutResult> = Promise.resolve(ACKED);

  constructor(workload: Workload) {
    const durability = workload.durability === "disk" ? { overlappingSync: false } : { noSync: true };
    this.#database = openLmdb({ path: join(workload.directory, "lmdb"), keyEncoding: "uint32", encoding: "binary", ...durability });
  }

  /** All puts of a transaction share one promise, and so one acknowledgement. */
  putMessage(message: LoadMessage): Promise<LoadPutResult> {
    const commit = this.#database.put(this.#next++, message.body);
    if (commit !== this.#commit) {
      this.#commit = commit;
      this.#acked = commit.then(() => ACKED);
    }
    return this.#acked;
  }

  putMessages(): never {
    throw new Error("batches are not measured");
  }

  stats(): never {
    throw new Error("lmdb has no such stats");
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}

export function openLmdbContestant(workload: Workload): PromiseContestant {
  return new PromiseContestant(new LmdbTarget(workload), workload);
}
