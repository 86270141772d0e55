import type { ConsumeQueueUnit } from "@millrace/format";
import type { Message } from "../../put/message.js";
import type { PutMessageResult } from "../../put/put-message-result.js";
import type { MessageView } from "../../read/message-view.js";

/** A queue of half messages or op records: what is needed of a `ReadConsumeQueue`. */
export interface TransactionQueue {
  readonly minOffset: number;
  readonly maxOffset: number;
  /** With those that the dispatcher has not seen yet. */
  readonly nextOffset: number;
  unit(queueOffset: number, unit: ConsumeQueueUnit): boolean;
}

/** What transactions need of a store. */
export interface TransactionStore {
  /** End of what has been put, of what can be read, and of what is durable; in bytes. */
  readonly maxPhysicalOffset: number;
  readonly readableOffset: number;
  readonly flushedOffset: number;
  consumeQueue(topic: string, queueId: number): TransactionQueue | undefined;
  /** A copy of the record, undefined when there is none. */
  message(physicalOffset: number, size?: number): MessageView | undefined;
  putMessage(message: Message): Promise<PutMessageResult>;
  /** Puts what has been prepared into its own topic and queue, whatever `maxMessageSize` is now. */
  commitMessage(message: Message): Promise<PutMessageResult>;
}

/** How far the two queues have been worked off; kept over restarts. */
export interface TransactionProgress {
  get(group: string, topic: string, queueId: number): number | undefined;
  commit(group: string, topic: string, queueId: number, offset: number): void;
}
