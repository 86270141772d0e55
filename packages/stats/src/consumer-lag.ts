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
  /** Messages between the two. */
  readonly lag: number;
}

/** What groups have committed, as `store.consumerOffsets` says it. */
export interface CommittedOffsets {
  groups(): readonly string[];
  get(group: string, topic: string, queueId: number): number | undefined;
}

/** Of each group in each queue in which it has committed; the one that lags most first. */
export function consumerLags(offsets: CommittedOffsets, queues: readonly QueueStats[]): ConsumerLag[] {
  return offsets
    .groups()
    .flatMap((group) =>
      queues.flatMap(({ topic, queueId, minOffset, maxOffset }) => {
        const offset = offsets.get(group, topic, queueId);
        if (offset === undefined) return [];
        return [{ group, topic, queueId, offset, minOffset, maxOffset, lag: Math.max(0, maxOffset - offset) }];
      }),
    )
    .sort((a, b) => b.lag - a.lag);
}
