import type { ConsumeQueueUnit } from "@millrace/format";
import type { Message } from "../../put/message.js";
import type { PutMessageResult } from "../../put/put-message-result.js";
import type { MessageView } from "../../read/message-view.js";

/** A queue of SCHEDULE_TOPIC_XXXX: what is needed of a `ReadConsumeQueue`. */
export interface ScheduledQueue {
  readonly minOffset: number;
  readonly maxOffset: number;
  /** With those that the dispatcher has not seen yet. */
  readonly nextOffset: number;
  rollNextFile(queueOffset: number): number;
  unit(queueOffset: number, unit: ConsumeQueueUnit): boolean;
}

/** What delivering delayed messages needs of a store. */
export interface ScheduleMessageStore {
  consumeQueue(topic: string, queueId: number): ScheduledQueue | undefined;
  /** Ids of the queues of a topic. */
  queues(topic: string): readonly number[];
  /** A copy of the record, undefined when there is none. */
  message(physicalOffset: number, size: number): MessageView | undefined;
  /** Puts it into its own topic and queue, on a disk over its ratio too, whatever `maxMessageSize` is now. */
  deliverMessage(message: Message): Promise<PutMessageResult>;
  /** Makes durable what has been acknowledged. */
  flush(): Promise<unknown>;
}
