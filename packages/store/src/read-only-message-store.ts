import type { MessageStoreConfig } from "./config/message-store-config.js";
import type { ConsumeOptions } from "./consume/consume-options.js";
import type { MessageConsumer } from "./consume/message-consumer.js";
import type { DirectoryStats } from "./follow/directory-stats.js";
import type { DirectoryVerifyOptions, DirectoryVerifyReport } from "./follow/directory-verifier.js";
import { type FollowedOffsets, readOnly } from "./follow/followed-offsets.js";
import type { FollowedStore } from "./follow/followed-store.js";
import { MessageStoreReads } from "./message-store-reads.js";

let construct: (store: FollowedStore) => ReadOnlyMessageStore;

/**
 * A store directory that is read while another process, Millrace's or a RocketMQ broker, writes it, or while nobody does. It takes no lock,
 * writes nothing and has no threads, and shows what the writer has dispatched, a tenth of a second later at most. Deleted segments, the
 * writer's close, its crash and its next opening are followed; after a crash of the machine, open it again. (RocketMQ has nothing like it.)
 */
export class ReadOnlyMessageStore extends MessageStoreReads implements AsyncDisposable {
  /** As the files say it, and defaults. The sizes can be given to {@link MessageStore.open}. */
  readonly config: MessageStoreConfig;
  /** How far each consumer group had come when the writer saved it last. */
  readonly consumerOffsets: FollowedOffsets;
  readonly #store: FollowedStore;

  static {
    construct = (store) => new ReadOnlyMessageStore(store);
  }

  private constructor(store: FollowedStore) {
    super(store);
    this.config = store.config;
    this.consumerOffsets = store.consumerOffsets;
    this.#store = store;
  }

  /**
   * As {@link MessageStore.consume}; nothing is committed.
   * @throws MillraceError as {@link MessageStore.consume}
   */
  consume(options: ConsumeOptions): MessageConsumer {
    return this.#store.consumers.consume(options);
  }

  /**
   * What the files say of the store, looked at now: segments, fence, whose it is, disk.
   * @throws MillraceError `ERR_WATERMARK_CORRUPT`, `ERR_PATH_UNUSABLE`
   */
  stats(): DirectoryStats {
    return this.#store.stats();
  }

  /**
   * Reads all that has been dispatched: every record's CRC, every ConsumeQueue's unit, every item of the index against the log, and each
   * record's unit. Changes nothing. Resolves with what is not as it was written.
   * @throws MillraceError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_ILLEGAL`; `ERR_ABORTED`: by `options.signal`; `ERR_PATH_UNUSABLE`,
   * `ERR_STORE_CLOSED`
   */
  verify(options: DirectoryVerifyOptions = {}): Promise<DirectoryVerifyReport> {
    return this.#store.verify(options);
  }

  /**
   * Why something of the directory could not be read: one queue's file, perhaps, while all others are followed. Undefined once all of it
   * has been read, which is tried each second. What was seen before stays.
   */
  get lastError(): unknown {
    return this.#store.lastError;
  }

  /** @throws MillraceError `ERR_STORE_READ_ONLY` */
  async putMessage(_message?: unknown): Promise<never> {
    throw readOnly("putMessage");
  }

  /** @throws MillraceError `ERR_STORE_READ_ONLY` */
  async putMessages(_batch?: unknown): Promise<never> {
    throw readOnly("putMessages");
  }

  /** @throws MillraceError `ERR_STORE_READ_ONLY` */
  async putAll(_messages?: unknown): Promise<never> {
    throw readOnly("putAll");
  }

  /** @throws MillraceError `ERR_STORE_READ_ONLY` */
  async flush(): Promise<never> {
    throw readOnly("flush");
  }

  /** @throws MillraceError `ERR_STORE_READ_ONLY` */
  async deleteTopic(_topic?: unknown): Promise<never> {
    throw readOnly("deleteTopic");
  }

  /** @throws MillraceError `ERR_STORE_READ_ONLY` */
  async deleteExpiredFiles(): Promise<never> {
    throw readOnly("deleteExpiredFiles");
  }

  /** Ends consumers, and unmaps everything. Idempotent. */
  async close(): Promise<void> {
    this.#store.close();
  }

  /** {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** @internal */
export function readOnlyMessageStore(store: FollowedStore): ReadOnlyMessageStore {
  return construct(store);
}
