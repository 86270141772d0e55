import { MillraceError } from "@millrace/format";
import type { Storage, StorageEntry } from "@millrace/mapped-file";
import { ConsumerOffsets } from "../broker/consumer-offsets.js";

/** How far each consumer group of a store that another process writes has come, as it has saved it last. */
export class FollowedOffsets {
  readonly #storage: Storage;
  readonly #path: string;
  #offsets: ConsumerOffsets | undefined;
  #entry: StorageEntry | undefined;

  constructor(storage: Storage, path: string) {
    this.#storage = storage;
    this.#path = path;
  }

  /** Groups that have committed. */
  groups(): string[] {
    return this.#read().groups();
  }

  /** What the group had committed when its offsets were saved last; undefined when it never did. */
  get(group: string, topic: string, queueId: number): number | undefined {
    return this.#read().get(group, topic, queueId);
  }

  /** @throws MillraceError `ERR_STORE_READ_ONLY` */
  commit(): never {
    throw readOnly("consumerOffsets.commit");
  }

  /** @throws MillraceError `ERR_STORE_READ_ONLY` */
  deleteGroup(): never {
    throw readOnly("consumerOffsets.deleteGroup");
  }

  /** Read again when the file has changed; while it is just being replaced, what was read before counts. */
  #read(): ConsumerOffsets {
    const entry = this.#storage.entry(this.#path);
    const isRead = entry?.inode === this.#entry?.inode && entry?.modifiedMs === this.#entry?.modifiedMs;
    if (this.#offsets !== undefined && isRead) return this.#offsets;
    try {
      this.#offsets = ConsumerOffsets.open(this.#storage, this.#path, 1, async () => {
        throw readOnly("consumerOffsets");
      });
      this.#entry = entry;
    } catch (error) {
      if (this.#offsets === undefined) throw error;
    }
    return this.#offsets;
  }
}

export function readOnly(what: string): MillraceError {
  return new MillraceError("ERR_STORE_READ_ONLY", `the store was opened with openReadOnly, and is another process's: call=${what}`);
}
