import type { QueueStats } from "@millrace/stats";
import type { GetMessageResult } from "./read/get-message-result.js";
import { checkPhysicalOffset } from "./read/illegal-argument.js";
import type { GetMessageRequest } from "./read/message-getter.js";
import type { MessageQueryOptions, QueryMessageResult } from "./read/message-query.js";
import type { MessageReader } from "./read/message-reader.js";
import type { MessageView } from "./read/message-view.js";
import type { BoundaryType } from "./read/offset-by-time.js";
import { selectsSystemTopics, type TopicSelection } from "./read/topic-selection.js";

/** A store as its reads see it, whoever writes it. */
interface ReadableStore {
  readonly reader: MessageReader;
  readonly maxPhysicalOffset: number;
  readonly minPhysicalOffset: number;
  readonly flushedOffset: number;
  readonly dispatchBehindBytes: number;
}

/** The part of {@link MessageStore} and {@link ReadOnlyMessageStore} that answers at once what lies there: messages, offsets, names. */
export abstract class MessageStoreReads {
  readonly #open: ReadableStore;

  /** @internal */
  constructor(open: ReadableStore) {
    this.#open = open;
  }

  /**
   * Messages of one queue from a queue offset on, within `maxMessages` and the `maxTransfer…` options. Waits for nothing: what has not been
   * dispatched, or in SYNC_FLUSH is not durable, is not there. (RocketMQ: `MessageStore.getMessage`, its statuses and limits.)
   *
   * **The messages share the store's memory**: they are views of the mapped log that stay valid until the result is released (`using` does
   * it), and hold back the deletion of their segments until then. `copyMessages()`, or `copy()` of one, gives what can be kept. `status`
   * tells why there are none; `nextBeginOffset` is the queue offset to go on with, whatever the status: on a slave, which may be behind
   * its master, the one that was asked for; of a reader that of a file of the queue that is missing, which may be being built again
   * (`OFFSET_FOUND_NULL`).
   * @throws MillraceError `ERR_GET_ILLEGAL`, `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`, `ERR_FILTER_ILLEGAL`; `ERR_RECORD_CORRUPT`: the
   * first one to be given, the error's `queueOffset`, is not as it was written. All else that looks at a record throws it too
   */
  getMessage(request: GetMessageRequest): GetMessageResult {
    return this.#open.reader.getMessage(request);
  }

  /**
   * The newest messages of a topic that have this key, or this unique key, in the order of the log, as copies: at most `maxNum`, stored
   * from `begin` to `end` (milliseconds, inclusive). None when `messageIndexEnable` is false. (RocketMQ: `queryMessage`, its index files.)
   * @throws MillraceError `ERR_QUERY_ILLEGAL`, `ERR_TOPIC_ILLEGAL`; `ERR_PATH_UNUSABLE`, as all reads: the system refuses a file
   */
  queryMessage(options: MessageQueryOptions): QueryMessageResult<MessageView> {
    return this.#open.reader.queryMessage(options);
  }

  /**
   * The message whose record begins at this physical offset, as a copy; undefined when none does. (RocketMQ: `lookMessageByOffset`.)
   * @throws MillraceError `ERR_GET_ILLEGAL`
   */
  lookMessageByOffset(physicalOffset: number): MessageView | undefined {
    checkPhysicalOffset(physicalOffset);
    return this.#open.reader.lookMessageByOffset(physicalOffset);
  }

  /**
   * The message with this `msgId` (store host and physical offset, 32 or 56 hex digits), as a copy; undefined when this store has none: the
   * host counts too. (RocketMQ: `viewMessage` by offset message id.)
   * @throws MillraceError `ERR_MESSAGE_ID_ILLEGAL`
   */
  lookMessageById(msgId: string): MessageView | undefined {
    return this.#open.reader.lookMessageById(msgId);
  }

  /**
   * Queue offset of the first message that is still there; 0 for a queue that does not exist (RocketMQ: `getMinOffsetInQueue`, -1).
   * @throws MillraceError `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`
   */
  getMinOffsetInQueue(topic: string, queueId: number): number {
    return this.#open.reader.getMinOffsetInQueue(topic, queueId);
  }

  /**
   * Queue offset one past the last message that can be read; 0 for a queue that does not exist. (RocketMQ: `getMaxOffsetInQueue`.)
   * @param committed false: one past the last message that was put, whether it can be read already or not
   * @throws MillraceError `ERR_GET_ILLEGAL`, `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`
   */
  getMaxOffsetInQueue(topic: string, queueId: number, committed = true): number {
    return this.#open.reader.getMaxOffsetInQueue(topic, queueId, committed);
  }

  /**
   * Queue offset of the first message stored at `time` or later (`lower`), or of the last one stored at `time` or earlier (`upper`); always
   * from the queue's minimum to its maximum offset; 0 for a queue that does not exist. (RocketMQ: `getOffsetInQueueByTime`.)
   * @param time milliseconds since 1970, or a Date
   * @throws MillraceError `ERR_GET_ILLEGAL`, `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`
   */
  getOffsetInQueueByTime(topic: string, queueId: number, time: number | Date, boundary: BoundaryType = "lower"): number {
    return this.#open.reader.getOffsetInQueueByTime(topic, queueId, time, boundary);
  }

  /**
   * Store timestamp of a message, in milliseconds; undefined when there is no such message. (RocketMQ: `getMessageStoreTimeStamp`, -1.)
   * @throws MillraceError `ERR_GET_ILLEGAL`, `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`
   */
  getMessageStoreTimestamp(topic: string, queueId: number, queueOffset: number): number | undefined {
    return this.#open.reader.getMessageStoreTimestamp(topic, queueId, queueOffset);
  }

  /**
   * Store timestamp of the first message of a queue, or without arguments of the log; undefined when there is none. (RocketMQ:
   * `getEarliestMessageTime`, -1.)
   * @throws MillraceError `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`
   */
  getEarliestMessageTime(topic?: string, queueId?: number): number | undefined {
    return this.#open.reader.getEarliestMessageTime(topic, queueId);
  }

  /**
   * Names of the topics that have messages, or had some before they expired; sorted. Those of the store's own only when asked for.
   * @throws MillraceError `ERR_GET_ILLEGAL`
   */
  topics(selection: TopicSelection = {}): string[] {
    return this.#open.reader.topics(selectsSystemTopics(selection, "ERR_GET_ILLEGAL"));
  }

  /**
   * Ids of a topic's queues that have messages, or had some before they expired; ascending, none for a topic that does not exist.
   * @throws MillraceError `ERR_TOPIC_ILLEGAL`
   */
  queues(topic: string): number[] {
    return this.#open.reader.queues(topic);
  }

  /** Where each queue begins and ends, in queue offsets, and how many of its messages cannot be consumed yet (`lag`). */
  queueStats(): QueueStats[] {
    return this.#open.reader.queueStats();
  }

  /** Physical offset one past the last complete record, in bytes. Answers after the close too. (RocketMQ: `getMaxPhyOffset`.) */
  get maxPhysicalOffset(): number {
    return this.#open.maxPhysicalOffset;
  }

  /** Physical offset: everything below it is durable. Answers after the close too. (RocketMQ: `CommitLog.getFlushedWhere`.) */
  get flushedOffset(): number {
    return this.#open.flushedOffset;
  }

  /** Bytes of the log that cannot be consumed yet. Answers after the close too. (RocketMQ: `dispatchBehindBytes`.) */
  get dispatchBehindBytes(): number {
    return this.#open.dispatchBehindBytes;
  }

  /** Physical offset of the first byte that is still there. Answers after the close too. (RocketMQ: `getMinPhyOffset`.) */
  get minPhysicalOffset(): number {
    return this.#open.minPhysicalOffset;
  }
}
