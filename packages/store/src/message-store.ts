import type { Writable } from "node:stream";
import type { StorageSpec } from "@millrace/mapped-file";
import type { StoreStats } from "@millrace/stats";
import type { ConsumerOffsets } from "./broker/consumer-offsets.js";
import type {
  PreparedMessage,
  PrepareMessageResult,
  UndecidedMessage,
  UndecidedRequest,
} from "./broker/transaction/prepared-message.js";
import type { CleanReport } from "./clean/file-cleaner.js";
import type { SelfCheckFinding } from "./clean/self-check.js";
import type { VerifyOptions, VerifyReport } from "./clean/store-scrubber.js";
import type { TopicQueue } from "./clean/topic-cleaner.js";
import type { MessageStoreConfig } from "./config/message-store-config.js";
import type { MessageStoreOptions } from "./config/message-store-options.js";
import type { ReadOnlyOptions } from "./config/read-only-options.js";
import type { ConsumeOptions } from "./consume/consume-options.js";
import type { MessageArrivingListener } from "./consume/message-arriving.js";
import type { MessageConsumer } from "./consume/message-consumer.js";
import type { SnapshotOptions, SnapshotReport } from "./copy/store-snapshots.js";
import { FollowedStore } from "./follow/followed-store.js";
import { OpenStore } from "./open/open-store.js";
import type { ProducerHandle } from "./produce/producer-handle.js";
import type { Message } from "./put/message.js";
import { MessageWritable, type MessageWritableOptions } from "./put/message-writable.js";
import type { PutMessageResult } from "./put/put-message-result.js";
import type { TopicSelection } from "./read/topic-selection.js";
import { type ReadOnlyMessageStore, readOnlyMessageStore } from "./read-only-message-store.js";
import type { RecoveryReport } from "./recover/recovery-report.js";
import { StoreDirectory } from "./store-directory.js";
import type { StoreEventMap, StoreEventName } from "./tell/store-event.js";

let construct: (open: OpenStore) => MessageStore;

/**
 * A store directory, open: RocketMQ's `DefaultMessageStore` as a pipeline of worker threads.
 *
 * Lives on the thread that opened it. {@link open} takes the directory's lock, recovers log, ConsumeQueues and index, then starts the
 * appender, the flusher, the dispatcher and the allocator; {@link close} (or `await using`) ends them, forces everything, and lets the
 * process exit.
 *
 * Two kinds of offset: a physical offset is a byte of the commit log, a queue offset the number of a message in its queue, from 0; ends are
 * one past the last. Times are milliseconds since 1970. Errors are `MillraceError`s, with a stable `code`. A method that answers at once
 * throws its errors, one that answers with a promise rejects with them. After {@link close} all of them give `ERR_STORE_CLOSED`, unless
 * something else is said.
 *
 * What is not there is `undefined`: a message, its time, what a group has committed. Offsets are places, which are always there: a queue
 * that does not exist begins and ends at 0. (RocketMQ answers -1, 0 or null.)
 */
export class MessageStore extends StoreDirectory implements AsyncDisposable {
  /** The options in force: complete, checked, frozen. They can be given to {@link open} again. */
  readonly config: MessageStoreConfig;
  /** What opening found, kept and cut of the log, the ConsumeQueues and the index. Physical offsets, in bytes. */
  readonly recovery: RecoveryReport;
  /** How far each consumer group has come in each queue. (RocketMQ: `ConsumerOffsetManager`.) */
  readonly consumerOffsets: ConsumerOffsets;
  readonly #open: OpenStore;

  static {
    construct = (open) => new MessageStore(open);
  }

  private constructor(open: OpenStore) {
    super(open);
    this.config = open.directory.config;
    this.recovery = open.recovery;
    this.consumerOffsets = open.consumerOffsets;
    this.#open = open;
  }

  /**
   * Opens the directory, and makes it when it is missing; until the close nobody else can. Resolves when everything that the log holds can
   * be consumed. (RocketMQ: `DefaultMessageStore.load`, `start`.)
   * @param options all have defaults; they are checked before anything is touched
   * @throws MillraceError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_ILLEGAL`, `ERR_OPTION_CONTRADICTORY`: the options; `ERR_STORE_LOCKED`: it is
   * open already; `ERR_ABORTED`: by `options.signal`; `ERR_PATH_…`, `ERR_SEGMENT_…`, `ERR_CONSUME_QUEUE_…`, `ERR_INDEX_FILE_…`: the system,
   * or what lies there, does not let it; `ERR_COMMIT_LOG_CORRUPT`: damage below what was once durable, nothing was changed;
   * `ERR_WATERMARK_CORRUPT`, `ERR_CONSUMER_OFFSETS_CORRUPT`, `ERR_DELAY_OFFSETS_CORRUPT`: one of the small
   * files; `ERR_TOO_MANY_QUEUES`; `ERR_PIPELINE_START`, `ERR_WORKER_DIED`: a thread, or a module of `commitLogDispatchers`
   */
  static async open(options: MessageStoreOptions = {}): Promise<MessageStore> {
    return await openOn(options, { kind: "real" });
  }

  /**
   * Reads a directory beside the process that writes it, a RocketMQ broker too: takes no lock, and changes nothing. As `millrace tail`.
   * @throws MillraceError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_ILLEGAL`; `ERR_PATH_UNUSABLE`: no store with a segment lies there, or it may
   * not be read; `ERR_CONSUME_QUEUE_UNSUPPORTED`
   */
  static async openReadOnly(storePathRootDir: string, options: ReadOnlyOptions = {}): Promise<ReadOnlyMessageStore> {
    return readOnlyMessageStore(await FollowedStore.open(storePathRootDir, options, { kind: "real" }));
  }

  /**
   * Puts one message. Promises resolve in the order of the puts: in ASYNC_FLUSH when the record is in the page cache, in SYNC_FLUSH when it
   * is durable, of a SYNC_MASTER when enough slaves have it too. It can be consumed a little later, when it is dispatched. (RocketMQ:
   * `MessageStore.asyncPutMessage`.)
   *
   * Resolves with `PUT_OK` and `appendResult`: physical and queue offset, `msgId`, store timestamp; or with `FLUSH_DISK_TIMEOUT` and
   * `appendResult`: in the log, and not durable within `syncFlushTimeout`; of a SYNC_MASTER with `FLUSH_SLAVE_TIMEOUT` (not with enough
   * slaves within `slaveTimeout`) or `SLAVE_NOT_AVAILABLE` (there are not enough), in the log too. All other statuses say that it was not
   * put, with `code` and `reason`: `MESSAGE_ILLEGAL` (`ERR_BODY_TOO_LARGE`, `ERR_RECORD_TOO_LARGE`, `ERR_INNER_BATCH`),
   * `PROPERTIES_SIZE_EXCEEDED`, `CREATE_MAPPED_FILE_FAILED` (no room on the disk), `SERVICE_NOT_AVAILABLE` (the disk is over
   * `diskSpaceWarningLevelRatio`, dispatching fails, or this is a slave), `IN_SYNC_REPLICAS_NOT_ENOUGH` (fewer than `minInSyncReplicas`),
   * `OS_PAGE_CACHE_BUSY`.
   * @param message not to be changed before the promise settles
   * @throws MillraceError `ERR_MESSAGE_ILLEGAL`, `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`, `ERR_PROPERTY_ILLEGAL`, `ERR_HOST_ILLEGAL`: this
   * is no message; `ERR_TOO_MANY_QUEUES`; `ERR_TOPIC_SUSPENDED`: its topic is being deleted; `ERR_RING_FULL`, `ERR_PUT_TIMEOUT`: puts come
   * faster than they are appended; `ERR_STORE_CLOSED`, `ERR_STORE_FENCED`, `ERR_STORE_FAULTED`: no puts are taken any more. With
   * `outcome: "unknown"` its bytes may be in the log or not, with any other error they are not
   */
  putMessage(message: Message): Promise<PutMessageResult> {
    return this.#open.putMessage(message);
  }

  /**
   * Makes another thread a producer of this store: the handle is posted there, with its `transferList`, and given to
   * `MessageProducer.attach` of `@millrace/store/producer`. Its ring, of `putRingSize`, is given back when the producer is closed or its
   * thread ends; {@link close} refuses its puts and waits for those it has taken. (RocketMQ: threads share one broker.)
   * @throws MillraceError `ERR_TOO_MANY_PRODUCERS`: there is no memory for one more ring; `ERR_STORE_CLOSED`, `ERR_STORE_FENCED`,
   * `ERR_STORE_FAULTED`
   */
  producerHandle(): ProducerHandle {
    this.#open.checkOpen();
    return this.#open.producers.handle();
  }

  /**
   * Puts messages of one topic and queue as one: contiguous, with consecutive queue offsets, put or refused as a whole, one promise. A
   * crash before it is acknowledged may leave its first records. Resolves as {@link putMessage}: `appendResult` has the offsets of the
   * first one, `msgCount`, and all ids in `msgId`, with commas between them. (RocketMQ: `MessageStore.asyncPutMessages`.)
   * @param batch not empty; one `bornHost`, `storeHost` and `waitStoreMsgOK`; no delays, no transactions; together they fit a segment
   * @throws MillraceError as {@link putMessage}, and `ERR_BATCH_ILLEGAL`
   */
  putMessages(batch: readonly Message[]): Promise<PutMessageResult> {
    return this.#open.put.putMessages(batch);
  }

  /**
   * Puts messages of any topics and queues, each on its own as {@link putMessage} does, and in their order, with one promise for all: for
   * those who count in groups, or put many. Resolves, when the last one is answered, with all answers in the order of the messages;
   * messages that found the ring full and were not put are `OS_PAGE_CACHE_BUSY`, `ERR_RING_FULL` or `ERR_PUT_TIMEOUT`; those that met
   * the end of their topic or a close `SERVICE_NOT_AVAILABLE`. (RocketMQ has nothing like it; {@link putMessages} is its batch.)
   * @param messages not to be changed before the promise settles
   * @throws MillraceError as {@link putMessage}. When one is no message, nothing was put, and the error ends in its `index`
   */
  putAll(messages: readonly Message[]): Promise<PutMessageResult[]> {
    return this.#open.putAll(messages);
  }

  /**
   * A stream of messages in object mode, which are put in the order in which they are written, and no faster than the store takes them:
   * for `pipeline(source, store.writable())`. It finishes when all are acknowledged, in SYNC_FLUSH durable, and is destroyed with the error
   * of the first message that was not put; those behind it may have been. To end it does not close the store.
   * @throws MillraceError `ERR_LIMIT_ILLEGAL`; `ERR_STORE_CLOSED`
   */
  writable(options?: MessageWritableOptions): Writable {
    this.#open.checkOpen();
    return new MessageWritable(this.#open, options);
  }

  /**
   * Resolves when at most `unanswered` puts wait for their answer: `await store.drained(1000)` between puts keeps them from being too many.
   * Never rejects for what became of them, and resolves after the close too.
   * @param unanswered default 0
   * @throws MillraceError `ERR_LIMIT_ILLEGAL`
   */
  async drained(unanswered = 0): Promise<void> {
    await this.#open.drained(unanswered);
  }

  /**
   * First phase of a transaction: puts a half message, which nobody sees in its topic before {@link commitMessage}. Resolves as
   * {@link putMessage}, and with `prepared`, its name for the second phase: plain values, good after a restart; null when it was not put.
   * (RocketMQ: `TransactionalMessageService.prepareMessage`, topic `RMQ_SYS_TRANS_HALF_TOPIC`.)
   * @throws MillraceError as {@link putMessage}, and `ERR_TRANSACTION_DELAYED` for a message with a delay level
   */
  prepareMessage(message: Message): Promise<PrepareMessageResult> {
    return this.#open.transactions.prepareMessage(message);
  }

  /**
   * Second phase: puts the prepared message into its own topic and queue, then the record that it is decided. Resolves as
   * {@link putMessage} for the message; when that was not put, it is still undecided. (RocketMQ: `EndTransactionProcessor`.)
   * @throws MillraceError `ERR_TRANSACTION_UNKNOWN`: no half message has this name, or it is gone with its segment;
   * `ERR_TRANSACTION_DECIDED`: committed or rolled back, or just being so; `ERR_TRANSACTION_TIMEOUT`: the half message cannot be read yet;
   * `ERR_TRANSACTION_UNRECORDED`: it is committed, but the record of it could not be put: commit again, which puts only that; and as
   * {@link putMessage}
   */
  commitMessage(prepared: PreparedMessage): Promise<PutMessageResult> {
    return this.#open.transactions.commitMessage(prepared);
  }

  /**
   * Second phase: records that the prepared message will never be seen. Resolves as {@link putMessage} for that record; when that was not
   * put, the message is still undecided. (RocketMQ: `EndTransactionProcessor`.)
   * @throws MillraceError as {@link commitMessage}
   */
  rollbackMessage(prepared: PreparedMessage): Promise<PutMessageResult> {
    return this.#open.transactions.rollbackMessage(prepared);
  }

  /**
   * Half messages that are neither committed nor rolled back, oldest first, each with its name, its topic and queue, and a copy of the
   * message. Waits for nothing: one that was prepared just now may be only in the next list. (RocketMQ:
   * `TransactionalMessageCheckService`.)
   * @throws MillraceError `ERR_UNDECIDED_ILLEGAL`; `ERR_STORE_CLOSED`, also in the middle of the list
   */
  async *undecidedMessages(request?: UndecidedRequest): AsyncGenerator<UndecidedMessage, void, undefined> {
    this.#open.checkOpen();
    for await (const undecided of this.#open.transactions.undecidedMessages(request)) {
      yield undecided;
      this.#open.checkOpen();
    }
  }

  /**
   * Forces everything that has been acknowledged. Resolves with the physical offset below which all is durable, in bytes:
   * {@link flushedOffset}; not before that covers all that was acknowledged at the call, whether or not the store is closed meanwhile.
   * (RocketMQ: `MessageStore.flush`.)
   * @throws MillraceError `ERR_STORE_CLOSED`, `ERR_STORE_FENCED`, `ERR_STORE_FAULTED`
   */
  flush(): Promise<number> {
    return this.#open.flush();
  }

  /**
   * The messages of a queue, batch by batch, from a place on, for as long as somebody asks. At the end of the queue it waits for arrivals,
   * without polling; a queue that does not exist yet is waited for. It ends when `signal` aborts or the store closes. **The messages are
   * copies**: they can be kept, and hold nothing back. `nextOffset` of a batch is what `consumerOffsets.commit` takes; `skipped` counts
   * messages that retention deleted before they were read. (RocketMQ: `PullMessageProcessor` with its long polling.)
   * @throws MillraceError `ERR_CONSUME_ILLEGAL`, `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`, `ERR_FILTER_ILLEGAL` at the call;
   * `ERR_STORE_FENCED`, `ERR_STORE_FAULTED` from the iteration, when everything that is there has been given out
   */
  consume(options: ConsumeOptions): MessageConsumer {
    return this.#open.consumers.consume(options);
  }

  /**
   * Calls `listener` for every message that can be consumed from now on, in the order of the log, until the function returned is called. It
   * does not keep the process alive. What the listener throws becomes an uncaught exception. Of messages in the store's own topics it is
   * notified only when asked for. (RocketMQ: `MessageArrivingListener`.)
   * @throws MillraceError `ERR_LISTENER_ILLEGAL`
   */
  onMessageArriving(listener: MessageArrivingListener, selection?: TopicSelection): () => void {
    this.#open.checkOpen();
    return this.#open.arriving.add(listener, selection);
  }

  /**
   * Calls `listener` for each event of this name, until the function returned is called: what happens in the store by itself, without a
   * call that could answer. Each comes through `diagnostics_channel` too, as `millrace:` and the name. A failure comes as `error`
   * besides; one that nobody listens to goes to the option `logger`, once. Nothing is thrown. What the listener throws becomes an uncaught
   * exception. (RocketMQ: its log files.)
   * @throws MillraceError `ERR_LISTENER_ILLEGAL`
   */
  on<N extends StoreEventName>(name: N, listener: (event: StoreEventMap[N]) => void): () => void {
    this.#open.checkOpen();
    return this.#open.directory.events.on(name, listener);
  }

  /**
   * Deletes the segments that have expired (`fileReservedTime`), at any hour, and what ConsumeQueues and index have of them; in runs of
   * `deleteFileBatchMax` segments, until nothing is left to do, or something is held or fails. The last segment always stays. Resolves with
   * what was deleted and what is held. (RocketMQ: `executeDeleteFilesManually`.)
   * @param signal ends it after the run that is under way
   * @throws MillraceError `ERR_OPTION_ILLEGAL`; `ERR_SERVICE_ENDED`: a thread it needs is gone
   */
  deleteExpiredFiles(signal?: AbortSignal): Promise<CleanReport> {
    return this.#open.cleaner.files.deleteExpiredFiles(signal);
  }

  /**
   * Deletes a topic's queues: its messages are never seen in a queue again. By key, by id and by physical offset they are found until their
   * segments go. Meanwhile puts of the topic are rejected with `ERR_TOPIC_SUSPENDED`; put again, it begins at queue offset 0. The consumer
   * groups forget it too. (RocketMQ: `DefaultMessageStore.deleteTopics`.)
   * @throws MillraceError `ERR_TOPIC_ILLEGAL`: also for topics in which RocketMQ itself keeps messages (delayed, prepared, `rmq_sys_…`);
   * `ERR_TOPIC_NOT_DELETED`: not all files could be deleted, try again, what was put before stays deleted; `ERR_PATH_UNUSABLE`: the
   * groups' offsets cannot be saved, nothing was deleted; `ERR_SERVICE_ENDED`: a thread it needs is gone
   */
  deleteTopic(topic: string): Promise<void> {
    return this.#open.cleaner.topics.deleteTopic(topic);
  }

  /**
   * Deletes every topic but those to retain, RocketMQ's own, and those of groups (`%RETRY%…`, `%DLQ%…`), as {@link deleteTopic} does.
   * Resolves with the deleted names. (RocketMQ: `cleanUnusedTopic`.)
   * @throws MillraceError `ERR_TOPIC_ILLEGAL`: this is no list of names, nothing was deleted; and as {@link deleteTopic}
   */
  async cleanUnusedTopics(retain: Iterable<string>): Promise<string[]> {
    this.#open.checkOpen();
    return await this.#open.cleaner.topics.cleanUnusedTopics(retain);
  }

  /**
   * Deletes the queues whose messages have all gone with their segments; they begin again at queue offset 0, and the consumer
   * groups forget them. A queue that has had no message yet stays. Resolves with the deleted ones. (RocketMQ: `cleanExpiredConsumerQueue`.)
   * @throws MillraceError as {@link deleteTopic}
   */
  async cleanExpiredConsumerQueue(): Promise<TopicQueue[]> {
    this.#open.checkOpen();
    return await this.#open.cleaner.topics.cleanExpiredConsumerQueue();
  }

  /**
   * A consistent copy of the directory, whole and at rest, while puts, reads and retention go on: everything that was acknowledged at the
   * call, and dispatched. Segments that nobody writes any more are shared with it where the file system can (reflink, or hard links, of
   * which neither side ever changes a byte), all else is copied. Opens cleanly, in RocketMQ too. Resolves with the physical offsets that
   * it holds.
   * @param directory is not there, or empty; outside of the store. Until the copy is whole it lies beside it, as `<directory>.new`
   * @throws MillraceError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_ILLEGAL`, `ERR_COPY_TARGET`, `ERR_COPY_FAILED`, `ERR_ABORTED`, and what
   * `onProgress` throws: nothing is left of the copy; and as {@link flush}
   */
  async snapshot(directory: string, options?: SnapshotOptions): Promise<SnapshotReport> {
    this.#open.checkOpen();
    return await this.#open.snapshots.take(directory, options);
  }

  /**
   * Looks for gaps and overlaps between the files of the log and of each ConsumeQueue, and changes nothing. Resolves with what it found:
   * path, the file's offset in bytes, and where the file before it ends; none, if all is well. (RocketMQ: `checkSelf`.)
   * @throws MillraceError `ERR_PATH_UNUSABLE`: the system refuses a directory
   */
  async checkSelf(): Promise<SelfCheckFinding[]> {
    this.#open.checkOpen();
    return await this.#open.cleaner.checkSelf();
  }

  /**
   * Reads all that lies on disk and was dispatched, at once and as fast as it goes, which the scrub does slowly by itself: every record,
   * every ConsumeQueue file, whose bad units are built again, and every finished index file. Resolves with what is damaged; each
   * is a `corrupt` event, too. (RocketMQ has nothing like it.)
   * @throws MillraceError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_ILLEGAL`; `ERR_ABORTED`: by `options.signal`, or by {@link close};
   * `ERR_SERVICE_ENDED`
   */
  async verify(options?: VerifyOptions): Promise<VerifyReport> {
    this.#open.checkOpen();
    return await this.#open.cleaner.scrubber.verify(options);
  }

  /**
   * Counters and latencies of every stage, a plain object; cheap enough for ten times a second under full load. Answers after the close
   * too. `@millrace/stats` makes text or Prometheus output of it. (RocketMQ: `StoreStatsService`.)
   */
  stats(): StoreStats {
    return this.#open.stats.read();
  }

  /**
   * Settles the puts in flight, forces everything, ends consumers and threads, saves the consumer offsets, gives the lock back. Idempotent.
   * (RocketMQ: `DefaultMessageStore.shutdown`.)
   * @throws MillraceError `ERR_STORE_FENCED`, `ERR_STORE_FAULTED`: a force had failed or a thread had died, and the next open recovers;
   * else `ERR_PATH_UNUSABLE` when something could not be saved. The lock is given back all the same
   */
  close(): Promise<void> {
    return this.#open.close();
  }

  /** {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** {@link MessageStore.open} on a storage of the caller's choosing: for tests and measurements; `index.ts` does not export it. */
export async function openOn(options: MessageStoreOptions, storage: StorageSpec): Promise<MessageStore> {
  return construct(await OpenStore.open(options, storage));
}
