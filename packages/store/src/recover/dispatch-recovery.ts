import type { RecoveryReport } from "./recovery-report.js";

/** A queue as recovery found it, in its ConsumeQueue or in the log. Offsets are queue offsets. */
export interface RecoveredQueue {
  readonly topic: string;
  readonly queueId: number;
  /** First one whose record is on disk. */
  readonly minQueueOffset: number;
  /** End of what is good in the ConsumeQueue; dispatching goes on from there. */
  readonly maxQueueOffset: number;
  /** What the next record gets. */
  readonly nextQueueOffset: number;
}

/** What was found of the ConsumeQueues and the index, and where dispatching has to begin to bring them back. */
export interface DispatchRecovery {
  readonly queues: readonly RecoveredQueue[];
  /** A record's start, or the end of the log when nothing is missing. */
  readonly reputFromOffset: number;
  /** The index has every record below it. */
  readonly indexFromOffset: number;
}

export async function recoverDispatch(recovery: RecoveryReport): Promise<DispatchRecovery> {
  const queues = [...recovery.queueOffsets].map(([key, nextQueueOffset]) => {
    const dash = key.lastIndexOf("-");
    return {
      topic: key.slice(0, dash),
      queueId: Number(key.slice(dash + 1)),
      minQueueOffset: 0,
      maxQueueOffset: 0,
      nextQueueOffset,
    };
  });
  return { queues, reputFromOffset: recovery.minOffset, indexFromOffset: recovery.minOffset };
}
