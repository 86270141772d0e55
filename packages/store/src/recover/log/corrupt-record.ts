import type { MessageVerdictName } from "@millrace/format";
import { addToLogQueue, type LogQueue } from "../scan/log-queue.js";

/** A record of the log that is not as it was written, with others behind it. Plain data. */
export interface CorruptRecord {
  /** Absolute offset in the log, in bytes. */
  readonly physicalOffset: number;
  /** Bytes up to the next record. */
  readonly size: number;
  readonly reason: MessageVerdictName;
  /** What it says of itself, where that can be read; it may be wrong. */
  readonly topic?: string;
  readonly queueId?: number;
  readonly queueOffset?: number;
}

/**
 * Counts a corrupt record as one of a queue when it says of itself what the queue lacks, right before or right behind what else is known:
 * otherwise a bad body would cost the queue an end, and the offset would be given out again.
 *
 * @param queues by `topic-queueId`, from all of the log up to the end of the record's segment
 */
export function countCorruptRecord(queues: Map<string, LogQueue>, record: CorruptRecord): void {
  const { physicalOffset, topic, queueId, queueOffset } = record;
  const queue = queues.get(`${topic}-${queueId}`);
  if (queue === undefined || queueOffset === undefined) return;
  if (queueOffset === queue.nextQueueOffset && physicalOffset > queue.lastPhysicalOffset) {
    addToLogQueue(queue, queueOffset, 1, physicalOffset, false);
  } else if (queueOffset === queue.firstQueueOffset - 1 && physicalOffset < queue.firstPhysicalOffset) {
    queue.firstQueueOffset = queueOffset;
    queue.firstPhysicalOffset = physicalOffset;
  }
}
