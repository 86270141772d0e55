import { join } from "node:path";
import type { LoadMessage } from "../../load-generator/load-target.js";
import { GroupTarget } from "./group-target.js";
import { createLevel, type LevelBatch, type LevelDatabase } from "./peer-modules.js";
import type { Workload } from "./workload.js";

const KEY_LENGTH = 8;

/** classic-level, all puts in flight in one batch, keys in ascending order; sync:true forces the log at each batch. */
export class LevelTarget extends GroupTarget {
  readonly #database: LevelDatabase;
  readonly #operations: LevelBatch[];
  readonly #sync: boolean;
  #next = 0;

  private constructor(database: LevelDatabase, workload: Workload) {
    super();
    this.#database = database;
    this.#sync = workload.durability === "disk";
    const none = new Uint8Array();
    this.#operations = Array.from({ length: workload.inFlight }, () => ({
      type: "put",
      key: Buffer.alloc(KEY_LENGTH),
      value: none,
    }));
  }

  static async open(workload: Workload): Promise<LevelTarget> {
    const database = createLevel(join(workload.directory, "level"), { keyEncoding: "buffer", valueEncoding: "buffer" });
    await database.open();
    return new LevelTarget(database, workload);
  }

  protected putGroup(group: readonly LoadMessage[]): Promise<void> {
    this.#operations.forEach((operation, index) => {
      (operation.key as Buffer).writeUIntBE(this.#next++, 2, 6);
      operation.value = (group[index] as LoadMessage).body;
    });
    const [first] = this.#operations as [LevelBatch];
    if (this.#operations.length === 1) return this.#database.put(first.key, first.value, { sync: this.#sync });
    return this.#database.batch(this.#operations, { sync: this.#sync });
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}
