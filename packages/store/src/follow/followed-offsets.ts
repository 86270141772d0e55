import { MillraceError } from "@millrace/format";
import type { Storage, StorageEntry } from "@millrace/mapped-file";
import { monotonicMs } from "@millrace/shared-memory";
import type { CommittedOffset } from "@millrace/stats";
import { ConsumerOffsets } from "../broker/consumer-offsets.js";
import { pathUnusable } from "../tell/path-unusable.js";

/** A question for each group and queue must not be a look at the file each. */
const LOOK_MS = 50;

/**
 * How far each consumer group of a store that another process writes has come, as it has saved it last. What asks throws MillraceError
 * `ERR_PATH_UNUSABLE` and `ERR_CONSUMER_OFFSETS_CORRUPT` when the file has not been read yet, and cannot be read or understood.
 */
export class FollowedOffsets {
  readonly #storage: Storage;
  readonly #path: string;
  #offsets: ConsumerOffsets | undefined;
  #entry: StorageEntry | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

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

  /** What the group had committed in each queue when its offsets were saved last. */
  committed(group: string): CommittedOffset[] {
    return this.#read().committed(group);
  }

  /** All of them, as they were saved last. @internal */
  saved(): ConsumerOffsets {
    return this.#read();
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
    const nowMs = monotonicMs();
    if (this.#offsets !== undefined && nowMs - this.#lookedAtMs < LOOK_MS) return this.#offsets;
    this.#lookedAtMs = nowMs;
    try {
      const entry = this.#storage.entry(this.#path);
      const isRead = entry?.inode === this.#entry?.inode && entry?.modifiedMs === this.#entry?.modifiedMs;
      if (this.#offsets !== undefined && isRead) return this.#offsets;
      this.#offsets = ConsumerOffsets.open(this.#storage, this.#path, 1, async () => {
        throw readOnly("consumerOffsets");
      });
      this.#entry = entry;
    } catch (error) {
      if (this.#offsets === undefined) throw pathUnusable(error, "the groups' offsets cannot be read", this.#path);
    }
    return this.#offsets;
  }
}

export function readOnly(what: string): MillraceError {
  return new MillraceError("ERR_STORE_READ_ONLY", `the store was opened with openReadOnly, and is another process's: call=${what}`);
}
