import { storePaths } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import { type ControlBlock, type QueueTableBuffers, queueColumns } from "@millrace/shared-memory";
import type { QueueStats, StoreStats } from "@millrace/stats";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { TopicTable } from "../put/topic-table.js";
import { storeClosed } from "../tell/store-closed.js";
import { CommitLogReader } from "./commit-log-reader.js";
import { ConsumeQueueReader } from "./consume-queue-reader.js";
import type { GetMessageResult } from "./get-message-result.js";
import { IndexReader } from "./index-reader.js";
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
  readonly #getter: MessageGetter;
  readonly #index: IndexReader;
  readonly #query: MessageQuery<MessageView>;
  readonly #lookup: MessageLookup;
  #isClosed = false;

  constructor(
    storage: Storage,
    config: MessageStoreConfig,
    control: ControlBlock<"main">,
    queues: QueueTableBuffers,
    topics: TopicTable,
  ) {
    this.commitLog = new CommitLogReader(storage, config, control.counters);
    this.unitVerifier = new UnitVerifier(this.commitLog);
    this.consumeQueues = new ConsumeQueueReader(storage, config, queueColumns(queues, control), topics, this.unitVerifier);
    this.#getter = new MessageGetter(config, this.commitLog, this.consumeQueues);
    this.#lookup = new MessageLookup(topics, this.commitLog, this.consumeQueues);
    this.#index = new IndexReader(storage, storePaths(config.storePathRootDir).index, config);
    this.#query = new MessageQuery(this.#index, (offset) => this.#lookup.lookMessageByOffset(offset));
  }

  /** See {@link MessageGetter.getMessage}. */
  getMessage(request: GetMessageRequest): GetMessageResult {
    this.#checkOpen();
    return this.#getter.getMessage(request);
  }

  /** See {@link MessageQuery.query}. */
  queryMessage(options: MessageQueryOptions): QueryMessageResult<MessageView> {
    this.#checkOpen();
    return this.#query.query(options);
  }

  lookMessageByOffset(physicalOffset: number, size?: number): MessageView | undefined {
    return this.#open.lookMessageByOffset(physicalOffset, size);
  }

  lookMessageById(msgId: string): MessageView | undefined {
    return this.#open.lookMessageById(msgId);
  }

  getMinOffsetInQueue(topic: string, queueId: number): number {
    return this.#open.getMinOffsetInQueue(topic, queueId);
  }

  getMaxOffsetInQueue(topic: string, queueId: number, committed = true): number {
    return this.#open.getMaxOffsetInQueue(topic, queueId, committed);
  }

  getMessageStoreTimestamp(topic: string, queueId: number, queueOffset: number): number | undefined {
    return this.#open.getMessageStoreTimestamp(topic, queueId, queueOffset);
  }

  getEarliestMessageTime(topic?: string, queueId?: number): number | undefined {
    return this.#open.getEarliestMessageTime(topic, queueId);
  }

  pickupStoreTimestamp(physicalOffset: number, size?: number): number | undefined {
    return this.#open.pickupStoreTimestamp(physicalOffset, size);
  }

  getOffsetInQueueByTime(topic: string, queueId: number, time: number | Date, boundary: BoundaryType = "lower"): number {
    return this.#open.getOffsetInQueueByTime(topic, queueId, time, boundary);
  }

  getMessageIds(topic: string, queueId: number, minOffset: number, maxOffset: number): Map<string, number> {
    return this.#open.getMessageIds(topic, queueId, minOffset, maxOffset);
  }

  topics(reservedTopics: boolean): string[] {
    return this.#open.topics(reservedTopics);
  }

  queues(topic: string): number[] {
    return this.#open.queues(topic);
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

  /** Gets since the store was opened. */
  stats(): StoreStats["get"] {
    return this.#getter.stats;
  }

  /**
   * After segments below the log's new minimum and what pointed into them were deleted: gives their memory, and so their disk
   * space, back.
   */
  forgetExpired(): void {
    this.commitLog.forget(this.commitLog.minOffset);
    this.consumeQueues.forgetExpired();
    this.#index.refresh();
  }

  /** Unmaps everything: views become empty. May be called again. */
  close(): void {
    this.#isClosed = true;
    this.commitLog.close();
    this.consumeQueues.close();
    this.#index.close();
  }

  get #open(): MessageLookup {
    this.#checkOpen();
    return this.#lookup;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw storeClosed();
  }
}
