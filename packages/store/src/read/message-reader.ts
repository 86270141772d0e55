import { type IndexFileShape, storePaths } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import { type ControlBlock, type QueueTableBuffers, queueColumns } from "@millrace/shared-memory";
import type { QueueStats, StoreStats } from "@millrace/stats";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { TopicTable } from "../put/topic-table.js";
import { pathUnusable } from "../tell/path-unusable.js";
import { storeClosed } from "../tell/store-closed.js";
import { APPENDED_NOWHERE, CommitLogReader } from "./commit-log-reader.js";
import { ConsumeQueueReader } from "./consume-queue-reader.js";
import type { GetMessageResult } from "./get-message-result.js";
import { type IndexItem, IndexReader } from "./index-reader.js";
import { type GetMessageRequest, MessageGetter } from "./message-getter.js";
import { MessageLookup } from "./message-lookup.js";
import { MessageQuery, type MessageQueryOptions, type QueryMessageResult } from "./message-query.js";
import type { MessageView } from "./message-view.js";
import type { BoundaryType } from "./offset-by-time.js";
import { UnitVerifier } from "./unit-verifier.js";

/**
 * Everything that reads messages, on the main thread, from mappings of its own. After {@link close} every method throws `ERR_STORE_CLOSED`.
 * (RocketMQ: the reading half of `DefaultMessageStore`.)
 */
export class MessageReader {
  /** For those who read queue by queue themselves: delay, index, consumers. */
  readonly commitLog: CommitLogReader;
  readonly consumeQueues: ConsumeQueueReader;
  readonly unitVerifier: UnitVerifier;
  /** What is missing may be with the master. */
  readonly isSlave: boolean;
  /** Another process writes the store: a ConsumeQueue's file that is missing may be one that it is building again. */
  readonly filesComeBack: boolean;
  readonly #getter: MessageGetter;
  readonly #index: IndexReader;
  readonly #query: MessageQuery<MessageView>;
  readonly #lookup: MessageLookup;
  readonly #root: string;
  #isClosed = false;

  constructor(
    storage: Storage,
    config: MessageStoreConfig,
    control: ControlBlock<"main">,
    queues: QueueTableBuffers,
    topics: TopicTable,
    appendedFrom?: number,
  ) {
    this.commitLog = new CommitLogReader(storage, config, control.counters, appendedFrom);
    this.unitVerifier = new UnitVerifier(this.commitLog);
    this.consumeQueues = new ConsumeQueueReader(storage, config, queueColumns(queues, control), topics, this.unitVerifier);
    this.#root = config.storePathRootDir;
    this.isSlave = config.brokerRole === "SLAVE";
    this.filesComeBack = appendedFrom === APPENDED_NOWHERE;
    this.#getter = new MessageGetter(config, this.commitLog, this.consumeQueues, this.filesComeBack);
    this.#lookup = new MessageLookup(topics, this.commitLog, this.consumeQueues);
    this.#index = new IndexReader(storage, storePaths(config.storePathRootDir).index, config);
    this.#query = new MessageQuery(this.#index, (offset) => this.#lookup.lookMessageByOffset(offset));
  }

  /** See {@link MessageGetter.getMessage}. */
  getMessage(request: GetMessageRequest): GetMessageResult {
    this.#checkOpen();
    try {
      return this.#getter.getMessage(request);
    } catch (error) {
      throw this.#coded(error);
    }
  }

  /** See {@link MessageQuery.query}. */
  queryMessage(options: MessageQueryOptions): QueryMessageResult<MessageView> {
    this.#checkOpen();
    try {
      return this.#query.query(options);
    } catch (error) {
      throw this.#coded(error);
    }
  }

  lookMessageByOffset(physicalOffset: number, size?: number): MessageView | undefined {
    return this.#look((lookup) => lookup.lookMessageByOffset(physicalOffset, size));
  }

  lookMessageById(msgId: string): MessageView | undefined {
    return this.#look((lookup) => lookup.lookMessageById(msgId));
  }

  getMinOffsetInQueue(topic: string, queueId: number): number {
    return this.#look((lookup) => lookup.getMinOffsetInQueue(topic, queueId));
  }

  getMaxOffsetInQueue(topic: string, queueId: number, committed = true): number {
    return this.#look((lookup) => lookup.getMaxOffsetInQueue(topic, queueId, committed));
  }

  getMessageStoreTimestamp(topic: string, queueId: number, queueOffset: number): number | undefined {
    return this.#look((lookup) => lookup.getMessageStoreTimestamp(topic, queueId, queueOffset));
  }

  getEarliestMessageTime(topic?: string, queueId?: number): number | undefined {
    return this.#look((lookup) => lookup.getEarliestMessageTime(topic, queueId));
  }

  pickupStoreTimestamp(physicalOffset: number, size?: number): number | undefined {
    return this.#look((lookup) => lookup.pickupStoreTimestamp(physicalOffset, size));
  }

  getOffsetInQueueByTime(topic: string, queueId: number, time: number | Date, boundary: BoundaryType = "lower"): number {
    return this.#look((lookup) => lookup.getOffsetInQueueByTime(topic, queueId, time, boundary));
  }

  getMessageIds(topic: string, queueId: number, minOffset: number, maxOffset: number): Map<string, number> {
    return this.#look((lookup) => lookup.getMessageIds(topic, queueId, minOffset, maxOffset));
  }

  topics(reservedTopics: boolean): string[] {
    return this.#look((lookup) => lookup.topics(reservedTopics));
  }

  queues(topic: string): number[] {
    return this.#look((lookup) => lookup.queues(topic));
  }

  queueStats(): QueueStats[] {
    return this.topics(true).flatMap((topic) =>
      this.queues(topic).map((queueId) => {
        const minOffset = this.getMinOffsetInQueue(topic, queueId);
        const maxOffset = this.getMaxOffsetInQueue(topic, queueId);
        return { topic, queueId, minOffset, maxOffset, lag: this.getMaxOffsetInQueue(topic, queueId, false) - maxOffset };
      }),
    );
  }

  /** Of ConsumeQueue files, before the first of them is looked at. */
  useConsumeQueueFileSize(bytes: number): void {
    this.consumeQueues.useFileSize(bytes);
  }

  /** Of index files, before the first of them is looked at. */
  useIndexShape(shape: IndexFileShape): void {
    this.#index.useShape(shape);
  }

  /** For those who verify them. */
  indexItems(): Iterable<IndexItem> {
    return this.#index.items();
  }

  /** Gets since the store was opened. */
  stats(): StoreStats["get"] {
    return this.#getter.stats;
  }

  /**
   * After segments below the log's new minimum and what pointed into them were deleted: gives their memory, and so their disk
   * space, back.
   *
   * @throws MillraceError `ERR_PATH_UNUSABLE`
   */
  forgetExpired(): void {
    try {
      this.commitLog.forget(this.commitLog.minOffset);
      this.consumeQueues.forgetExpired();
      this.#index.refresh();
    } catch (error) {
      throw this.#coded(error);
    }
  }

  /** Unmaps everything: views become empty. May be called again. */
  close(): void {
    this.#isClosed = true;
    this.commitLog.close();
    this.consumeQueues.close();
    this.#index.close();
  }

  /** A file that the system does not open or map, for one. */
  #coded(error: unknown): unknown {
    return pathUnusable(error, "a file of the store cannot be read", this.#root);
  }

  #look<T>(look: (lookup: MessageLookup) => T): T {
    try {
      return look(this.#open);
    } catch (error) {
      throw this.#coded(error);
    }
  }

  get #open(): MessageLookup {
    this.#checkOpen();
    return this.#lookup;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw storeClosed();
  }
}
