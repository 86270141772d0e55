import { MillraceError, storePaths } from "@millrace/format";
import { createStorage, LockFile, type StorageSpec } from "@millrace/mapped-file";
import type { QueueStats, StoreStats } from "@millrace/stats";
import type { ConsumerOffsets } from "./broker/consumer-offsets.js";
import type {
  PreparedMessage,
  PrepareMessageResult,
  UndecidedMessage,
  UndecidedRequest,
} from "./broker/transaction/prepared-message.js";
import { Transactions } from "./broker/transaction/transactions.js";
import type { CleanReport } from "./clean/file-cleaner.js";
import type { SelfCheckFinding } from "./clean/self-check.js";
import type { TopicQueue } from "./clean/topic-cleaner.js";
import type { MessageStoreConfig } from "./config/message-store-config.js";
import type { MessageStoreOptions } from "./config/message-store-options.js";
import type { ConsumeOptions } from "./consume/consume-options.js";
import type { MessageArrivingListener } from "./consume/message-arriving.js";
import type { MessageConsumer } from "./consume/message-consumer.js";
import { clearStoreFence } from "./marks/store-fence.js";
import { OpenStore } from "./open/open-store.js";
import type { Message } from "./put/message.js";
import type { PutMessageResult } from "./put/put-message-result.js";
import type { GetMessageResult } from "./read/get-message-result.js";
import type { GetMessageRequest } from "./read/message-getter.js";
import type { MessageQueryOptions, QueryMessageResult } from "./read/message-query.js";
import type { MessageView } from "./read/message-view.js";
import type { BoundaryType } from "./read/offset-by-time.js";
import type { RecoveryReport } from "./recover/recovery-report.js";

let construct: (open: OpenStore) => MessageStore;

/**
 * A store directory, open: RocketMQ's `DefaultMessageStore` as a pipeline of worker threads.
 *
 * Lives on the thread that opened it. `open` takes the directory's lock, recovers the commit log, the ConsumeQueues and the index, then starts
 * the appender, the flusher, the dispatcher and the allocator; `close` (or `await using`) ends them, forces everything, and lets the process exit.
 *
 * What is not there is `undefined`: a message, its time, what a group has committed. Offsets are places, which are always there: a queue
 * that does not exist begins and ends at 0. (RocketMQ answers -1, 0 or null.)
 */
export class MessageStore implements AsyncDisposable {
  /** The options in force: complete, checked, frozen. */
  readonly config: MessageStoreConfig;
  /** What opening found, kept and cut. */
  readonly recovery: RecoveryReport;
  /** How far each consumer group has come. */
  readonly consumerOffsets: ConsumerOffsets;
  readonly #open: OpenStore;

  static {
    construct = (open) => new MessageStore(open);
  }

  private constructor(open: OpenStore) {
    this.config = open.directory.config;
    this.recovery = open.directory.recovery;
    this.consumerOffsets = open.consumerOffsets;
    this.#open = open;
  }

  /**
   * Opens the directory, creating it when missing; nobody else can then.
   *
   * @throws MillraceError `ERR_OPTION_…`, `ERR_STORE_LOCKED`, `ERR_COMMIT_LOG_CORRUPT`, `ERR_SEGMENT_…`, `ERR_PATH_…`, `ERR_CONSUME_QUEUE_…`,
   * `ERR_INDEX_FILE_…`, `ERR_TOO_MANY_QUEUES`, `ERR_WORKER_DIED`, `ERR_ABORTED`, `ERR_PIPELINE_START`, `ERR_CONSUMER_OFFSETS_CORRUPT`,
   * `ERR_DELAY_OFFSETS_CORRUPT`, `ERR_DELETED_TOPICS_CORRUPT`
   */
  static async open(options: MessageStoreOptions = {}): Promise<MessageStore> {
    return await openOn(options, { kind: "real" });
  }

  /** Removes the fence of a directory that is not open: the operator has looked at the disk. */
  static clearFence(storePathRootDir: string): void {
    const storage = createStorage({ kind: "real" });
    const paths = storePaths(storePathRootDir);
    if (!storage.exists(paths.root)) throw new MillraceError("ERR_PATH_UNUSABLE", `there is no such directory: path=${paths.root}`);
    const lock = LockFile.acquire(storage, paths.lock, paths.abort);
    try {
      clearStoreFence(storage, paths.fence);
    } finally {
      lock.release();
    }
  }

  /**
   * Puts one message. Resolves in the order of the puts: in ASYNC_FLUSH when the record is in the page cache, in SYNC_FLUSH when it is
   * durable. Rejects with a MillraceError for what is no message at all (`ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`, `ERR_MESSAGE_ILLEGAL`,
   * `ERR_PROPERTY_ILLEGAL`, `ERR_HOST_ILLEGAL`), when the topic is being deleted (`ERR_TOPIC_SUSPENDED`), when the ring is full (`ERR_RING_FULL`, `ERR_PUT_TIMEOUT`), and when the store does not take
   * puts any more (`ERR_STORE_CLOSED`, `ERR_STORE_FENCED`, `ERR_STORE_FAULTED`). (RocketMQ: `MessageStore.asyncPutMessage`.)
   */
  putMessage(message: Message): Promise<PutMessageResult> {
    const put = this.#open.put.putMessage(message);
    if (message?.delayTimeLevel) put.then(this.#wakeSchedule, this.#wakeSchedule);
    return put;
  }

  readonly #wakeSchedule = (): void => this.#open.schedule.wake();

  /**
   * Puts messages of one topic and queue as one: contiguous, with consecutive queue offsets, all or nothing, one promise.
   * Rejects as {@link putMessage}, and with `ERR_BATCH_ILLEGAL`. (RocketMQ: `MessageStore.asyncPutMessages`.)
   */
  putMessages(batch: readonly Message[]): Promise<PutMessageResult> {
    return this.#open.put.putMessages(batch);
  }

  /** Puts a message that nobody sees before it is committed: {@link Transactions.prepareMessage}. */
  prepareMessage(message: Message): Promise<PrepareMessageResult> {
    return this.#open.transactions.prepareMessage(message);
  }

  /** {@link Transactions.commitMessage} */
  commitMessage(prepared: PreparedMessage): Promise<PutMessageResult> {
    return this.#open.transactions.commitMessage(prepared);
  }

  /** {@link Transactions.rollbackMessage} */
  rollbackMessage(prepared: PreparedMessage): Promise<PutMessageResult> {
    return this.#open.transactions.rollbackMessage(prepared);
  }

  /**
   * Prepared messages that are neither committed nor rolled back: {@link Transactions.undecidedMessages}. Throws
   * `ERR_UNDECIDED_ILLEGAL`, and `ERR_STORE_CLOSED` also in the middle of the list.
   */
  async *undecidedMessages(request?: UndecidedRequest): AsyncGenerator<UndecidedMessage, void, undefined> {
    this.#open.checkOpen();
    for await (const undecided of this.#open.transactions.undecidedMessages(request)) {
      yield undecided;
      this.#open.checkOpen();
    }
  }

  /** End of the complete records, in bytes. */
  get maxPhysicalOffset(): number {
    return this.#open.maxPhysicalOffset;
  }

  /** Everything below it is durable. */
  get flushedOffset(): number {
    return this.#open.flushedOffset;
  }

  /** Bytes of the log that cannot be consumed yet. (RocketMQ: `dispatchBehindBytes`.) */
  get dispatchBehindBytes(): number {
    return this.#open.dispatchBehindBytes;
  }

  /** First byte on disk. */
  get minPhysicalOffset(): number {
    return this.#open.pipeline.control.counters.minOffset.get();
  }

  /**
   * Forces all that has been acknowledged; resolves with {@link flushedOffset}.
   * Rejects with `ERR_STORE_CLOSED`, `ERR_STORE_FENCED`, `ERR_STORE_FAULTED`.
   */
  flush(): Promise<number> {
    return this.#open.flush();
  }

  /**
   * Messages of one queue from a queue offset on, as views of the log that stay valid until the result is released (`using` does it):
   * bodies share the store's memory and are read-only; `copyMessages()` and `copy()` make some of one's own. Waits for nothing: what has
   * not been dispatched is not there. (RocketMQ: `MessageStore.getMessage`, its statuses and limits.)
   *
   * @throws MillraceError `ERR_GET_ILLEGAL`, `ERR_FILTER_ILLEGAL`, `ERR_STORE_CLOSED`
   */
  getMessage(request: GetMessageRequest): GetMessageResult {
    return this.#open.reader.getMessage(request);
  }

  /**
   * The newest messages of a topic that have this key, in the order of the log, as copies. (RocketMQ: `queryMessage`.)
   *
   * @throws MillraceError `ERR_QUERY_ILLEGAL`, `ERR_STORE_CLOSED`
   */
  queryMessage(options: MessageQueryOptions): QueryMessageResult<MessageView> {
    return this.#open.reader.queryMessage(options);
  }

  /** The message whose record begins there, as a copy; undefined when none does. */
  lookMessageByOffset(physicalOffset: number): MessageView | undefined {
    return this.#open.reader.lookMessageByOffset(physicalOffset);
  }

  /** By `msgId`, as a copy; undefined when it is not this store's. @throws MillraceError `ERR_MESSAGE_ID_ILLEGAL` */
  lookMessageById(msgId: string): MessageView | undefined {
    return this.#open.reader.lookMessageById(msgId);
  }

  /** First queue offset that can be read; 0 for a queue that does not exist (RocketMQ: -1). */
  getMinOffsetInQueue(topic: string, queueId: number): number {
    return this.#open.reader.getMinOffsetInQueue(topic, queueId);
  }

  /**
   * Behind the last queue offset that can be read; with `committed` false, behind the last one that has been put. 0 for a queue that does
   * not exist.
   */
  getMaxOffsetInQueue(topic: string, queueId: number, committed = true): number {
    return this.#open.reader.getMaxOffsetInQueue(topic, queueId, committed);
  }

  /**
   * Queue offset of the first message stored at `time` or later (`lower`), or of the last one at `time` or earlier (`upper`); 0 for a queue
   * that does not exist.
   */
  getOffsetInQueueByTime(topic: string, queueId: number, time: number | Date, boundary: BoundaryType = "lower"): number {
    return this.#open.reader.getOffsetInQueueByTime(topic, queueId, time, boundary);
  }

  /** Milliseconds; undefined when there is no such message (RocketMQ: -1). */
  getMessageStoreTimestamp(topic: string, queueId: number, queueOffset: number): number | undefined {
    return this.#open.reader.getMessageStoreTimestamp(topic, queueId, queueOffset);
  }

  /** Store timestamp of the first message of a queue, or of the log; undefined when there is none (RocketMQ: -1). */
  getEarliestMessageTime(topic?: string, queueId?: number): number | undefined {
    return this.#open.reader.getEarliestMessageTime(topic, queueId);
  }

  topics(): string[] {
    return this.#open.reader.topics();
  }

  /** Queue ids, ascending. */
  queues(topic: string): number[] {
    return this.#open.reader.queues(topic);
  }

  /**
   * Batches of messages from a place in the queue on, for as long as somebody asks: it waits for arrivals without polling, ends when
   * `signal` aborts or the store closes, and throws when the store faults. The messages are copies: those of a batch share one buffer, and
   * nothing with the store.
   *
   * @throws MillraceError `ERR_CONSUME_ILLEGAL`, `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`, `ERR_FILTER_ILLEGAL`, `ERR_STORE_CLOSED`
   */
  consume(options: ConsumeOptions): MessageConsumer {
    return this.#open.consumers.consume(options);
  }

  /**
   * Tells of every message that can be consumed, from now on; the function returned ends it. (RocketMQ: `MessageArrivingListener`.)
   *
   * @throws MillraceError `ERR_LISTENER_ILLEGAL`, `ERR_STORE_CLOSED`
   */
  onMessageArriving(listener: MessageArrivingListener): () => void {
    this.#open.checkOpen();
    return this.#open.arriving.add(listener);
  }

  /**
   * Deletes the segments that have expired, at any hour, and what ConsumeQueues and index have of them; see
   * {@link FileCleaner.deleteExpiredFiles}. (RocketMQ: `executeDeleteFilesManually`.)
   */
  deleteExpiredFiles(signal?: AbortSignal): Promise<CleanReport> {
    return this.#open.cleaner.files.deleteExpiredFiles(signal);
  }

  /** See {@link TopicCleaner.deleteTopic}. The consumer groups forget it too. */
  async deleteTopic(topic: string): Promise<void> {
    await this.#open.cleaner.topics.deleteTopic(topic);
    this.consumerOffsets.deleteTopic(topic);
  }

  /** See {@link TopicCleaner.cleanUnusedTopics}. */
  async cleanUnusedTopics(retain: Iterable<string>): Promise<string[]> {
    this.#open.checkOpen();
    return await this.#open.cleaner.topics.cleanUnusedTopics(retain);
  }

  /** See {@link TopicCleaner.cleanExpiredConsumerQueue}. */
  async cleanExpiredConsumerQueue(): Promise<TopicQueue[]> {
    this.#open.checkOpen();
    return await this.#open.cleaner.topics.cleanExpiredConsumerQueue();
  }

  /** Gaps between the files of the log and of each ConsumeQueue; none, if all is well. Changes nothing. (RocketMQ: `checkSelf`.) */
  async checkSelf(): Promise<SelfCheckFinding[]> {
    this.#open.checkOpen();
    return await this.#open.cleaner.checkSelf();
  }

  /** A plain object, cheap enough for ten times a second under full load. */
  stats(): StoreStats {
    return this.#open.stats.read();
  }

  /** Where each queue begins and ends. */
  queueStats(): QueueStats[] {
    return this.topics().flatMap((topic) =>
      this.queues(topic).map((queueId) => {
        const minOffset = this.getMinOffsetInQueue(topic, queueId);
        const maxOffset = this.getMaxOffsetInQueue(topic, queueId);
        return { topic, queueId, minOffset, maxOffset, lag: this.getMaxOffsetInQueue(topic, queueId, false) - maxOffset };
      }),
    );
  }

  /** Settles the puts in flight, forces everything, ends the threads, gives the lock back. Idempotent; rejects if the end was not clean. */
  close(): Promise<void> {
    return this.#open.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** {@link MessageStore.open} on a storage of the caller's choosing: for tests and measurements; `index.ts` does not export it. */
export async function openOn(options: MessageStoreOptions, storage: StorageSpec): Promise<MessageStore> {
  return construct(await OpenStore.open(options, storage));
}
