import type { MillraceError } from "@millrace/format";
import type { StorageSpec } from "@millrace/mapped-file";
import { ControlBlock, QueueTableWriter, type ServiceOutcome, StoreState } from "@millrace/shared-memory";
import type { QueueStats, StoreStats } from "@millrace/stats";
import { BrokerStore } from "./broker-store.js";
import type { CleanReport } from "./clean/clean-files-service.js";
import type { SelfCheckFinding } from "./clean/self-check.js";
import { StoreCleaner } from "./clean/store-cleaner.js";
import type { TopicQueue } from "./clean/topic-cleaner.js";
import { FlushRequests } from "./flush-requests.js";
import type { MessageStoreConfig, MessageStoreOptions } from "./message-store-config.js";
import { Pipeline, pipelineData } from "./pipeline.js";
import type { Message } from "./put/message.js";
import type { PutMessageResult } from "./put/put-message-result.js";
import { PutMessageService } from "./put/put-message-service.js";
import { TopicTable } from "./put/topic-table.js";
import { ArrivalSignal } from "./read/arrival-signal.js";
import type { ConsumeOptions } from "./read/consume-options.js";
import type { ConsumerOffsets } from "./read/consumer-offsets.js";
import type { GetMessageResult } from "./read/get-message-result.js";
import { MessageArriving, type MessageArrivingListener } from "./read/message-arriving.js";
import type { MessageConsumer } from "./read/message-consumer.js";
import { MessageConsumers } from "./read/message-consumers.js";
import type { GetMessageRequest } from "./read/message-getter.js";
import type { MessageQueryOptions, QueryMessageResult } from "./read/message-query.js";
import { MessageReader } from "./read/message-reader.js";
import type { MessageView } from "./read/message-view.js";
import type { BoundaryType } from "./read/offset-by-time.js";
import type { RecoveryReport } from "./recover/recovery-report.js";
import { StoreCheckpointFile } from "./recover/store-checkpoint.js";
import { readStoreFence, type StoreFence } from "./recover/store-fence.js";
import { DelayLevels } from "./schedule/delay-levels.js";
import { ScheduleMessageService } from "./schedule/schedule-message-service.js";
import { closed, faulted, fenced } from "./store-failure.js";
import { clearFence, dispatched, type OpenedDirectory, openDirectory, registerQueues } from "./store-opening.js";
import { StoreStatsReader } from "./store-stats-reader.js";
import type { PreparedMessage, PrepareMessageResult, UndecidedMessage, UndecidedRequest } from "./transaction/prepared-message.js";
import { TransactionalMessageService } from "./transaction/transactional-message-service.js";

/**
 * A store directory, open: RocketMQ's `DefaultMessageStore` as a pipeline of worker threads.
 *
 * Lives on the thread that opened it. `open` takes the directory's lock, recovers the commit log, then starts the appender, the flusher and
 * the allocator; `close` (or `await using`) ends them in that order, forces everything, and lets the process exit.
 */
export class MessageStore implements AsyncDisposable {
  /** The options in force: complete, checked, frozen. */
  readonly config: MessageStoreConfig;
  /** What opening found, kept and cut. */
  readonly recovery: RecoveryReport;
  readonly #directory: OpenedDirectory;
  readonly #pipeline: Pipeline;
  readonly #put: PutMessageService;
  readonly #reader: MessageReader;
  readonly #cleaner: StoreCleaner;
  readonly #arrivals: ArrivalSignal;
  readonly #arriving: MessageArriving;
  readonly #consumers: MessageConsumers;
  readonly #schedule: ScheduleMessageService;
  readonly #transactions: TransactionalMessageService;
  readonly #stats: StoreStatsReader;
  /** How far each consumer group has come. */
  readonly consumerOffsets: ConsumerOffsets;
  readonly #flushes: FlushRequests;
  #failure: MillraceError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(directory: OpenedDirectory, pipeline: Pipeline, topics: TopicTable) {
    this.config = directory.config;
    this.recovery = directory.recovery;
    this.#directory = directory;
    this.#pipeline = pipeline;
    this.#flushes = new FlushRequests(pipeline);
    this.#put = new PutMessageService(directory.config, pipeline.control, pipeline.data.ring, topics);
    const { config, storage } = directory;
    this.#reader = new MessageReader(storage, config, pipeline.control, pipeline.data.queues, topics);
    this.#cleaner = new StoreCleaner(directory, pipeline, this.#put, this.#reader);
    this.#arrivals = new ArrivalSignal(pipeline.control, pipeline.data.queues, topics);
    const delayLevels = DelayLevels.parse(config.messageDelayLevel);
    this.#arriving = new MessageArriving(this.#reader.commitLog, pipeline.control, this.#arrivals, delayLevels);
    this.#consumers = new MessageConsumers(this.#reader, this.#arrivals);
    this.consumerOffsets = directory.consumerOffsets;
    const broker = new BrokerStore(this.#reader, this.#put, pipeline.control, () => this.flush());
    this.#schedule = new ScheduleMessageService(delayLevels, directory.delayOffsets, broker, config.flushDelayOffsetInterval);
    this.#transactions = new TransactionalMessageService(broker, this.consumerOffsets);
    this.#stats = new StoreStatsReader(directory, pipeline, this.#put, {
      get: () => this.#reader.stats(),
      schedule: () => this.#schedule.stats(),
      isDiskFull: () => this.#put.status.isDiskFull,
    });
    pipeline.control.counters.storeState.set(StoreState.running);
    if (directory.fence !== undefined) this.#fence(directory.fence, "the store was fenced before it was opened");
    else this.#schedule.start();
    void pipeline.firstEnd.then((outcome) => this.#serviceEnded(outcome));
  }

  /**
   * Opens the directory, creating it when missing; nobody else can then.
   *
   * @throws MillraceError `ERR_OPTION_…`, `ERR_STORE_LOCKED`, `ERR_COMMIT_LOG_CORRUPT`, `ERR_SEGMENT_…`, `ERR_PATH_…`, `ERR_ABORTED`,
   * `ERR_PIPELINE_START`, `ERR_CONSUMER_OFFSETS_CORRUPT`, `ERR_DELAY_OFFSETS_CORRUPT`
   */
  static async open(options: MessageStoreOptions = {}): Promise<MessageStore> {
    return await MessageStore.openOn(options, { kind: "real" });
  }

  /** Removes the fence of a directory that is not open: the operator has looked at the disk. */
  static clearFence(storePathRootDir: string): void {
    clearFence(storePathRootDir);
  }

  /** @internal {@link open} on a storage of a test's choosing. */
  static async openOn(options: MessageStoreOptions, storage: StorageSpec): Promise<MessageStore> {
    const directory = await openDirectory(options, storage);
    try {
      const data = pipelineData(directory.config, storage, {
        ...directory.recovery,
        ...directory.dispatch,
        deletedTopics: directory.deletedTopics.offsets,
      });
      const control = ControlBlock.attach(data.control, "main");
      const topics = new TopicTable(new QueueTableWriter(data.queues, control.counters.queueSlots));
      registerQueues(directory.dispatch.queues, topics, data.queues);
      const pipeline = await Pipeline.start(data, control);
      await dispatched(pipeline, directory.recovery.maxOffset, options.signal);
      return new MessageStore(directory, pipeline, topics);
    } catch (error) {
      directory.lock.release();
      throw error;
    }
  }

  /**
   * Puts one message. Resolves in the order of the puts: in ASYNC_FLUSH when the record is in the page cache, in SYNC_FLUSH when it is
   * durable. Rejects with a MillraceError for what is no message at all (`ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`, `ERR_MESSAGE_ILLEGAL`,
   * `ERR_PROPERTY_ILLEGAL`, `ERR_HOST_ILLEGAL`), when the ring is full (`ERR_RING_FULL`, `ERR_PUT_TIMEOUT`), and when the store does not take
   * puts any more (`ERR_STORE_CLOSED`, `ERR_STORE_FENCED`, `ERR_STORE_FAULTED`). (RocketMQ: `MessageStore.asyncPutMessage`.)
   */
  putMessage(message: Message): Promise<PutMessageResult> {
    const put = this.#put.putMessage(message);
    if (message?.delayTimeLevel) put.then(this.#wakeSchedule, this.#wakeSchedule);
    return put;
  }

  readonly #wakeSchedule = (): void => this.#schedule.wake();

  /**
   * Puts messages of one topic and queue as one: contiguous, with consecutive queue offsets, all or nothing, one promise.
   * Rejects as {@link putMessage}, and with `ERR_BATCH_ILLEGAL`. (RocketMQ: `MessageStore.asyncPutMessages`.)
   */
  putMessages(batch: readonly Message[]): Promise<PutMessageResult> {
    return this.#put.putMessages(batch);
  }

  /** Puts a message that nobody sees before it is committed: {@link TransactionalMessageService.prepareMessage}. */
  prepareMessage(message: Message): Promise<PrepareMessageResult> {
    return this.#transactions.prepareMessage(message);
  }

  /** {@link TransactionalMessageService.commitMessage} */
  commitMessage(prepared: PreparedMessage): Promise<PutMessageResult> {
    return this.#transactions.commitMessage(prepared);
  }

  /** {@link TransactionalMessageService.rollbackMessage} */
  rollbackMessage(prepared: PreparedMessage): Promise<PutMessageResult> {
    return this.#transactions.rollbackMessage(prepared);
  }

  /** Prepared messages that are neither committed nor rolled back: {@link TransactionalMessageService.undecidedMessages}. */
  undecidedMessages(request?: UndecidedRequest): AsyncIterable<UndecidedMessage> {
    return this.#transactions.undecidedMessages(request);
  }

  /** End of the complete records, in bytes. */
  get maxPhysicalOffset(): number {
    return Math.max(this.#pipeline.control.counters.wroteOffset.get(), this.#put.acknowledgedOffset);
  }

  /** Everything below it is durable. */
  get flushedOffset(): number {
    const { flushedOffset, appendForcedOffset } = this.#pipeline.control.counters;
    return Math.max(flushedOffset.get(), appendForcedOffset.get());
  }

  /** Bytes of the log that cannot be consumed yet. (RocketMQ: `dispatchBehindBytes`.) */
  get dispatchBehindBytes(): number {
    return Math.max(0, this.maxPhysicalOffset - this.#pipeline.control.counters.reputFromOffset.get());
  }

  /** First byte on disk. */
  get minPhysicalOffset(): number {
    return this.#pipeline.control.counters.minOffset.get();
  }

  /**
   * Forces all that has been acknowledged; resolves with {@link flushedOffset}.
   * Rejects with `ERR_STORE_CLOSED`, `ERR_STORE_FENCED`, `ERR_STORE_FAULTED`.
   */
  async flush(): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closing !== undefined) throw closed();
    return await this.#flushes.flush(this.#put.acknowledgedOffset);
  }

  /**
   * Messages of one queue from a queue offset on, as views of the log that stay valid until the result is released (`using` does it). Waits
   * for nothing: what has not been dispatched is not there. (RocketMQ: `MessageStore.getMessage`, its statuses and limits.)
   *
   * @throws MillraceError `ERR_GET_ILLEGAL`, `ERR_FILTER_ILLEGAL`, `ERR_STORE_CLOSED`
   */
  getMessage(request: GetMessageRequest): GetMessageResult {
    return this.#reader.getMessage(request);
  }

  /**
   * The newest messages of a topic that have this key, in the order of the log, as copies. (RocketMQ: `queryMessage`.)
   *
   * @throws MillraceError `ERR_QUERY_ILLEGAL`, `ERR_STORE_CLOSED`
   */
  queryMessage(options: MessageQueryOptions): QueryMessageResult<MessageView> {
    return this.#reader.queryMessage(options);
  }

  /** The message whose record begins there, as a copy; undefined when none does. */
  lookMessageByOffset(physicalOffset: number): MessageView | undefined {
    return this.#reader.lookMessageByOffset(physicalOffset);
  }

  /** By `msgId`, as a copy; undefined when it is not this store's. @throws MillraceError `ERR_MESSAGE_ID_ILLEGAL` */
  lookMessageById(msgId: string): MessageView | undefined {
    return this.#reader.lookMessageById(msgId);
  }

  /** First queue offset that can be read. */
  getMinOffsetInQueue(topic: string, queueId: number): number {
    return this.#reader.getMinOffsetInQueue(topic, queueId);
  }

  /** Behind the last queue offset that can be read; with `committed` false, behind the last one that has been put. */
  getMaxOffsetInQueue(topic: string, queueId: number, committed = true): number {
    return this.#reader.getMaxOffsetInQueue(topic, queueId, committed);
  }

  /** Queue offset of the first message stored at `time` or later (`lower`), or of the last one at `time` or earlier (`upper`). */
  getOffsetInQueueByTime(topic: string, queueId: number, time: number | Date, boundary: BoundaryType = "lower"): number {
    return this.#reader.getOffsetInQueueByTime(topic, queueId, time, boundary);
  }

  /** Milliseconds; -1 when there is no such message. */
  getMessageStoreTimestamp(topic: string, queueId: number, queueOffset: number): number {
    return this.#reader.getMessageStoreTimestamp(topic, queueId, queueOffset);
  }

  /** Store timestamp of the first message of a queue, or of the log; -1 when there is none. */
  getEarliestMessageTime(topic?: string, queueId?: number): number {
    return this.#reader.getEarliestMessageTime(topic, queueId);
  }

  topics(): string[] {
    return this.#reader.topics();
  }

  /** Queue ids, ascending. */
  queues(topic: string): number[] {
    return this.#reader.queues(topic);
  }

  /**
   * Batches of copies from a place in the queue on, for as long as somebody asks: it waits for arrivals without polling, ends when `signal`
   * aborts or the store closes, and throws when the store faults.
   *
   * @throws MillraceError `ERR_CONSUME_ILLEGAL`, `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`, `ERR_FILTER_ILLEGAL`, `ERR_STORE_CLOSED`
   */
  consume(options: ConsumeOptions): MessageConsumer {
    return this.#consumers.consume(options);
  }

  /** Tells of every message that can be consumed, from now on; the function returned ends it. (RocketMQ: `MessageArrivingListener`.) */
  onMessageArriving(listener: MessageArrivingListener): () => void {
    return this.#arriving.add(listener);
  }

  /**
   * Deletes the segments that have expired, at any hour, and what ConsumeQueues and index have of them; see
   * {@link CleanFilesService.deleteExpiredFiles}. (RocketMQ: `executeDeleteFilesManually`.)
   */
  deleteExpiredFiles(signal?: AbortSignal): Promise<CleanReport> {
    return this.#cleaner.files.deleteExpiredFiles(signal);
  }

  /** See {@link TopicCleaner.deleteTopic}. */
  deleteTopic(topic: string): Promise<void> {
    return this.#cleaner.topics.deleteTopic(topic);
  }

  /** See {@link TopicCleaner.cleanUnusedTopics}. */
  cleanUnusedTopics(retain: Iterable<string>): Promise<string[]> {
    return this.#cleaner.topics.cleanUnusedTopics(retain);
  }

  /** See {@link TopicCleaner.cleanExpiredConsumerQueue}. */
  cleanExpiredConsumerQueue(): Promise<TopicQueue[]> {
    return this.#cleaner.topics.cleanExpiredConsumerQueue();
  }

  /** Gaps between the files of the log and of each ConsumeQueue; none, if all is well. Changes nothing. (RocketMQ: `checkSelf`.) */
  checkSelf(): Promise<SelfCheckFinding[]> {
    return this.#cleaner.checkSelf();
  }

  /** A plain object, cheap enough for ten times a second under full load. */
  stats(): StoreStats {
    return this.#stats.read();
  }

  /** Where each queue begins and ends. */
  queueStats(): QueueStats[] {
    return this.#reader.queueStats();
  }

  /** Settles the puts in flight, forces everything, ends the threads, gives the lock back. Idempotent; rejects if the end was not clean. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const { storeState } = this.#pipeline.control.counters;
    this.#schedule.stop();
    this.#put.refuse(this.#failure ?? closed());
    this.#consumers.close();
    this.#arriving.close();
    try {
      await this.#cleaner.close();
      if (this.#failure === undefined) await this.#put.drained();
      if (storeState.value < StoreState.closing) storeState.set(StoreState.closing);
      const outcome = await this.#pipeline.stop();
      if (!outcome.ok) this.#serviceEnded(outcome);
      if (this.#failure === undefined) this.#completeCheckpoint();
      if (this.#failure === undefined) await this.#schedule.close();
      if (this.#failure === undefined) await this.#transactions.close();
      await this.consumerOffsets.close();
      if (this.#failure === undefined && this.dispatchBehindBytes === 0) this.#directory.abort.remove();
    } finally {
      this.#flushes.rejectAll(this.#failure ?? closed());
      this.#put.close();
      this.#arrivals.close();
      this.#reader.close();
      await this.#pipeline.destroy();
      this.#directory.lock.release();
      storeState.set(StoreState.closed);
    }
    if (this.#failure !== undefined && this.#directory.fence === undefined) throw this.#failure;
  }

  /** The flusher, whose file it is, has ended before the dispatcher had forced its last. */
  #completeCheckpoint(): void {
    const { storage, paths } = this.#directory;
    const { logicsMsgTimestamp, indexMsgTimestamp } = this.#pipeline.control.counters;
    try {
      StoreCheckpointFile.complete(storage, paths.checkpoint, logicsMsgTimestamp.get(), indexMsgTimestamp.get());
    } catch (error) {
      this.#fault("checkpoint", (error as NodeJS.ErrnoException).code ?? "ERR_CHECKPOINT_ILLEGAL", String(error));
    }
  }

  /** A service ended without being told, or could not end well: nothing can be acknowledged any more. */
  #serviceEnded(outcome: ServiceOutcome): void {
    if (outcome.ok || this.#failure !== undefined) return;
    const { storage, paths } = this.#directory;
    const fence = readStoreFence(storage, paths.fence);
    if (fence !== undefined) this.#fence(fence, "a force failed");
    else if (outcome.code === "ERR_FORCE_FAILED") {
      // The disk would not even take the marker; the fence holds for the life of this store.
      this.#fence({ reason: outcome.message, offset: this.flushedOffset, time: Date.now() }, "a force failed");
    } else this.#fault(outcome.service, outcome.code, outcome.message);
  }

  #fence(fence: StoreFence, what: string): void {
    this.#fail(fenced(what, fence), StoreState.fenced);
  }

  #fault(service: string, code: string, message: string): void {
    this.#fail(faulted(service, code, message), StoreState.faulted);
  }

  #fail(error: MillraceError, state: number): void {
    const { storeState } = this.#pipeline.control.counters;
    this.#failure = error;
    if (storeState.value < state) storeState.set(state);
    this.#schedule.stop();
    this.#put.abandon(error);
    if (state === StoreState.faulted) this.#consumers.fail(error);
    this.#flushes.rejectAll(error);
  }
}
