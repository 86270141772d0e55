import { type MessageFilter, type MessageView, type ReadOnlyMessageStore, RecordCorruptError } from "@millrace/store";
import { warn } from "./print.js";
import { UsageError } from "./usage-error.js";

/** A range of a queue's messages, by queue offset. */
export interface QueueRange {
  readonly topic: string;
  readonly queueId: number;
  readonly from: number;
  /** One past the last. */
  readonly to: number;
  readonly filter?: MessageFilter;
}

/** Copies, in order. A corrupt one is said, and passed over; so are those whose file in the queue is missing. */
export function* queueMessages(reader: ReadOnlyMessageStore, range: QueueRange): Generator<MessageView> {
  const { topic, queueId, from, to, filter } = range;
  let next = Math.max(from, reader.getMinOffsetInQueue(topic, queueId));
  let isMissing = false;
  while (next < to) {
    let messages: MessageView[];
    try {
      using found = reader.getMessage({ topic, queueId, queueOffset: next, ...(filter === undefined ? {} : { filter }) });
      const wasMissing = isMissing;
      isMissing = found.status === "OFFSET_FOUND_NULL";
      if (isMissing) {
        if (!wasMissing) warn(missing(topic, queueId, found.nextBeginOffset));
        next = found.nextBeginOffset + 1;
        continue;
      }
      if (found.nextBeginOffset <= next && found.messages.length === 0) return;
      messages = found.copyMessages();
      next = found.nextBeginOffset;
    } catch (error) {
      if (!(error instanceof RecordCorruptError)) throw error;
      warn(`${error.code}: ${error.message}`);
      next = (error.queueOffset ?? next) + 1;
      continue;
    }
    for (const message of messages) if (message.queueOffset < to) yield message;
  }
}

function missing(topic: string, queueId: number, queueOffset: number): string {
  const place = `topic=${topic} queueId=${queueId} queueOffset=${queueOffset}`;
  return `a file of the ConsumeQueue is missing, and its messages are passed over: ${place}`;
}

type Topics = Pick<ReadOnlyMessageStore, "queues" | "topics">;

/** The queue that was named, or all of the topic's. @throws UsageError there is none */
export function queuesOf(reader: Topics, topic: string, queueId: number | undefined): number[] {
  const queues = reader.queues(topic);
  if (queues.length === 0) throw new UsageError(`the store has no messages of this topic: topic=${topic}${nearest(reader)}`);
  if (queueId === undefined) return queues;
  if (!queues.includes(queueId)) throw new UsageError(`the topic has no such queue, only ${queues.join(", ")}: queueId=${queueId}`);
  return [queueId];
}

function nearest(reader: Topics): string {
  const topics = reader.topics({ systemTopics: true });
  return topics.length === 0 ? "" : ` (there are: ${topics.slice(0, 10).join(", ")}${topics.length > 10 ? ", …" : ""})`;
}
