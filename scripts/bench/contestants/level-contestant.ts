import { join } from "node:path";
import { GroupContestant } from "./group-contestant.js";
import { createLevel, type LevelBatch, type LevelDatabase } from "./peer-modules.js";
import type { Workload } from "./workload.js";

const KEY_LENGTH = 8;

/** classic-level, all puts in flight in one batch, keys in ascending order; sync:true forces the log at each batch. */
export class LevelContestant extends GroupContestant {
  readonly #database: LevelDatabase;
  readonly #operations: LevelBatch[];
  readonly #sync: boolean;
  #next = 0;

  private constructor(database: LevelDatabase, workload: Workload) {
    super(workload.inFlight);
    this.#database = database;
    this.#sync = workload.durability === "disk";
    const value = Buffer.alloc(workload.messageSize, 0x5a);
    this.#operations = Array.from({ length: workload.inFlight }, () => ({ type: "put", key: Buffer.alloc(KEY_LENGTH), value }));
  }

  static async open(workload: Workload): Promise<LevelContestant> {
    const database = createLevel(join(workload.directory, "level"), { keyEncoding: "buffer", valueEncoding: "buffer" });
    await database.open();
    return new LevelContestant(database, workload);
  }

  protected putGroup(): Promise<void> {
    for (const operation of this.#operations) (operation.key as Buffer).writeUIntBE(this.#next++, 2, 6);
    const [first] = this.#operations as [LevelBatch];
    if (this.#operations.length === 1) return this.#database.put(first.key, first.value, { sync: this.#sync });
    return this.#database.batch(this.#operations, { sync: this.#sync });
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}
