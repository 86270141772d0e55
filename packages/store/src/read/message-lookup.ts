import { ConsumeQueueUnit, checkStoredTopic, decodeMessageId, MillraceError, shownValue } from "@millrace/format";
import { millisecondsOf } from "../config/any-realm.js";
import type { TopicTable } from "../put/topic-table.js";
import type { CommitLogReader } from "./commit-log-reader.js";
import type { ConsumeQueueReader } from "./consume-queue-reader.js";
import { checkQueueOffset, illegalArgument } from "./illegal-argument.js";
import type { MessageView } from "./message-view.js";
import { type BoundaryType, OffsetByTime } from "./offset-by-time.js";
import type { ReadConsumeQueue } from "./read-consume-queue.js";

/**
 * What can be asked besides {@link MessageGetter.getMessage}. Messages are copies: there is nothing to release. What is not there is
 * undefined; offsets are places, which are always there: a queue that does not exist begins and ends at 0.
 */
export class MessageLookup {
  readonly #topics: TopicTable;
  readonly #log: CommitLogReader;
  readonly #queues: ConsumeQueueReader;
  readonly #offsetByTime: OffsetByTime;
  readonly #unit = new ConsumeQueueUnit();

  constructor(topics: TopicTable, log: CommitLogReader, queues: ConsumeQueueReader) {
    this.#topics = topics;
    this.#log = log;
    this.#queues = queues;
    this.#offsetByTime = new OffsetByTime(log);
  }

  /** The message whose record begins at this offset of the log; undefined when none does. */
  lookMessageByOffset(physicalOffset: number, size?: number): MessageView | undefined {
    return this.#log.message(physicalOffset, size);
  }

  /**
   * The message of this id; undefined when the store has none: the id's host counts too (RocketMQ looks at the offset alone).
   *
   * @throws MillraceError `ERR_MESSAGE_ID_ILLEGAL`
   */
  lookMessageById(msgId: string): MessageView | undefined {
    if (typeof msgId !== "string")
      throw new MillraceError("ERR_MESSAGE_ID_ILLEGAL", `a message id is a string: id=${shownValue(msgId)}`);
    const message = this.#log.message(decodeMessageId(msgId).physicalOffset);
    return message?.msgId === msgId.toUpperCase() ? message : undefined;
  }

  /** First queue offset whose message is still there; 0 for a queue that does not exist (RocketMQ: -1). */
  getMinOffsetInQueue(topic: string, queueId: number): number {
    return this.#find(topic, queueId)?.minOffset ?? 0;
  }

  /**
   * Queue offset one past the last message; 0 for a queue that does not exist.
   *
   * @param committed false: one past the last one that was put, whether it can be read already or not
   */
  getMaxOffsetInQueue(topic: string, queueId: number, committed: boolean): number {
    if (typeof committed !== "boolean") throw illegalArgument("true or false is needed", "committed", committed);
    const queue = this.#find(topic, queueId);
    if (queue === undefined) return 0;
    return committed ? queue.maxOffset : Math.max(queue.nextOffset, queue.maxOffset);
  }

  /** Milliseconds; undefined when there is no such message (RocketMQ: -1). */
  getMessageStoreTimestamp(topic: string, queueId: number, queueOffset: number): number | undefined {
    checkQueueOffset(queueOffset);
    const queue = this.#find(topic, queueId);
    return queue === undefined ? undefined : this.#offsetByTime.storeTimestamp(queue, queueOffset);
  }

  /**
   * Milliseconds: store timestamp of the queue's first message, or of the log's first record; undefined when there is none (RocketMQ: -1).
   */
  getEarliestMessageTime(topic?: string, queueId?: number): number | undefined {
    if (topic === undefined && queueId === undefined) return this.pickupStoreTimestamp(this.#log.minOffset);
    const queue = this.#find(topic as string, queueId as number); // which refuses one without the other
    return queue === undefined ? undefined : this.#offsetByTime.storeTimestamp(queue, queue.minOffset);
  }

  /** Store timestamp of the record that begins at this offset of the log, in milliseconds; undefined when none (of this size) does. */
  pickupStoreTimestamp(physicalOffset: number, size?: number): number | undefined {
    return this.#log.pickupStoreTimestamp(physicalOffset, size ?? this.#log.sizeAt(physicalOffset));
  }

  /**
   * Queue offset of the first message stored at or after a time (`lower`), or of the last one stored at or before it (`upper`),
   * always from the queue's minimum to its maximum; 0 for a queue that does not exist.
   *
   * @param time milliseconds, or a Date
   * @throws MillraceError `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`, `ERR_GET_ILLEGAL`
   */
  getOffsetInQueueByTime(topic: string, queueId: number, time: number | Date, boundary: BoundaryType): number {
    const timestamp = millisecondsOf(time);
    if (Number.isNaN(timestamp)) throw illegalArgument("a time is a number or a Date", "time", time);
    if (boundary !== "lower" && boundary !== "upper") throw illegalArgument("a boundary is lower or upper", "boundary", boundary);
    const queue = this.#find(topic, queueId);
    return queue === undefined ? 0 : this.#offsetByTime.find(queue, timestamp, boundary);
  }

  /** Message id → queue offset of the messages [minOffset, maxOffset) that are there. */
  getMessageIds(topic: string, queueId: number, minOffset: number, maxOffset: number): Map<string, number> {
    const ids = new Map<string, number>();
    const queue = this.#find(topic, queueId);
    if (queue === undefined) return ids;
    const end = Math.min(maxOffset, queue.maxOffset);
    for (let queueOffset = Math.max(minOffset, queue.minOffset); queueOffset < end; queueOffset++) {
      const message = this.#message(queue, queueOffset);
      if (message !== undefined) ids.set(message.msgId, queueOffset);
    }
    return ids;
  }

  /** Names of the topics that have a queue with messages, or had before they expired; sorted. The store's own only if asked for. */
  topics(reservedTopics: boolean): string[] {
    const names: string[] = [];
    for (const { name, isReserved } of this.#topics.topics()) {
      if ((reservedTopics || !isReserved) && this.queues(name).length > 0) names.push(name);
    }
    return names.sort();
  }

  /** Ids of a topic's queues; sorted, empty for a topic that does not exist. */
  queues(topic: string): number[] {
    const slots = this.#topics.find(topic)?.slots;
    if (slots === undefined) {
      checkStoredTopic(topic);
      return [];
    }
    const { nextQueueOffsets, maxQueueOffsets } = this.#queues.columns;
    return [...slots]
      .flatMap(([queueId, slot]) => (nextQueueOffsets.get(slot) > 0 || maxQueueOffsets.get(slot) > 0 ? [queueId] : []))
      .sort((a, b) => a - b);
  }

  #message(queue: ReadConsumeQueue, queueOffset: number): MessageView | undefined {
    const unit = this.#unit;
    return queue.unit(queueOffset, unit) && unit.isMessage ? this.#log.message(unit.physicalOffset, unit.size) : undefined;
  }

  #find(topic: string, queueId: number): ReadConsumeQueue | undefined {
    return this.#queues.find(topic, queueId);
  }
}
