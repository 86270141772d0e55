import { join } from "node:path";
import type { LoadMessage, LoadPutResult } from "../../load-generator/load-target.js";
import type { BenchTarget } from "./contestant.js";
import { ACKED } from "./group-target.js";
import { type LmdbDatabase, openLmdb } from "./peer-modules.js";
import type { Workload } from "./workload.js";

/**
 * lmdb, asynchronous puts, which it gathers into transactions, keys in ascending order. On disk: overlappingSync:false, so that the
 * promise of a put means a forced transaction (by default it means only a visible one, and waiting for its `flushed` is slower); in
 * the page cache: noSync.
 */
export class LmdbTarget implements BenchTarget {
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

  async close(): Promise<void> {
    await this.#database.close();
  }
}
