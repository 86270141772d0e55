import type { QueueStats } from "./store-stats.js";

/** How far a consumer group has come in a queue, in queue offsets. */
export interface ConsumerLag {
  readonly group: string;
  readonly topic: string;
  readonly queueId: number;
  /** What it wants next. */
  readonly offset: number;
  readonly minOffset: number;
  readonly maxOffset: number;
  /** Messages that are there and that it has not consumed: what retention has deleted is none of them. */
  readonly lag: number;
}

/** What a group has committed in one queue. */
export interface CommittedOffset {
  readonly topic: string;
  readonly queueId: number;
  /** The queue offset that it wants next. */
  readonly offset: number;
}

/** What groups have committed, as `store.consumerOffsets` says it. */
export interface CommittedOffsets {
  groups(): readonly string[];
  committed(group: string): readonly CommittedOffset[];
}

/** Messages of a queue that a group has not consumed which wants `offset` next. Everything that says how far a group lags asks here. */
export function lagOf(offset: number, minOffset: number, maxOffset: number): number {
  return Math.max(0, maxOffset - Math.max(offset, minOffset));
}

/** Of each group in each queue in which it has committed; the one that lags most first. */
export function consumerLags(offsets: CommittedOffsets, queues: readonly QueueStats[]): ConsumerLag[] {
  const ends = new Map<string, Map<number, QueueStats>>();
  for (const queue of queues) {
    const ofTopic = ends.get(queue.topic) ?? new Map<number, QueueStats>();
    ends.set(queue.topic, ofTopic.set(queue.queueId, queue));
  }
  return offsets
    .groups()
    .flatMap((group) =>
      offsets.committed(group).flatMap(({ topic, queueId, offset }) => {
        const queue = ends.get(topic)?.get(queueId);
        if (queue === undefined) return [];
        const { minOffset, maxOffset } = queue;
        return [{ group, topic, queueId, offset, minOffset, maxOffset, lag: lagOf(offset, minOffset, maxOffset) }];
      }),
    )
    .sort((a, b) => b.lag - a.lag);
}
