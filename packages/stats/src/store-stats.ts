import type { LatencySnapshot, ServiceState, StoreState } from "@millrace/shared-memory";

export type { LatencySnapshot };

/**
 * What `store.stats()` returns: a plain object, taken from shared counters without stopping anybody.
 * All `…Us` are microseconds, `…Ms` milliseconds, `…Offset` bytes of the commit log; counts are since the store was opened.
 */
export interface StoreStats {
  readonly state: StoreStateName;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** RocketMQ's `getRuntimeInfo` (StoreStatsService): its keys, its spellings, its string values. */
  readonly runtimeInfo: Readonly<Record<string, string>>;
  readonly offsets: {
    readonly minOffset: number;
    readonly wroteOffset: number;
    /** Equal to `wroteOffset` without a transient store pool. */
    readonly committedOffset: number;
    readonly flushedOffset: number;
    readonly allocatedOffset: number;
  };
  /** Of all producers, where nothing else is said. */
  readonly put: {
    readonly messages: number;
    readonly bytes: number;
    readonly failed: number;
    /** Of the store's own thread. */
    readonly inFlight: number;
    /** Puts that wait because the ring is full; of the store's own thread. */
    readonly waiting: number;
    /** How often a put found the ring full. */
    readonly stalls: number;
    readonly topics: readonly TopicPutStats[];
  };
  /** Of the store's own thread; each producer on another has one of the same size. */
  readonly ring: {
    readonly capacityBytes: number;
    readonly usedBytes: number;
    readonly capacityFrames: number;
    readonly usedFrames: number;
  };
  readonly append: {
    readonly messages: number;
    readonly bytes: number;
    readonly groups: number;
    readonly maxGroupMessages: number;
    /** Times the appender found no ready segment. */
    readonly stalls: number;
    readonly rolls: number;
    readonly rollMaxUs: number;
  };
  readonly flush: {
    readonly forces: number;
    readonly bytes: number;
    readonly failures: number;
    readonly commits: number;
    readonly forceUs: LatencySnapshot;
  };
  readonly dispatch: {
    /** Everything below it can be consumed. */
    readonly reputFromOffset: number;
    readonly behindBytes: number;
    readonly behindMessages: number;
    readonly messages: number;
    /** Those of them that were not read: the appender had said what ConsumeQueues and index need. */
    readonly hinted: number;
    readonly groups: number;
    /** Of ConsumeQueue and index files. */
    readonly forces: number;
    /** Attempts that have failed one after another; 0 when all is well. */
    readonly failures: number;
    /** ConsumeQueues set aside: something else lies in the place of their files, and the next open tries again. */
    readonly refusedQueues: number;
  };
  readonly get: {
    /** Gets that found messages, and that found none. */
    readonly found: number;
    readonly miss: number;
    readonly transferredMessages: number;
    readonly entireTimeMaxMs: number;
    /** Records that were not as they had been written, found by reading; each counts once. */
    readonly corruptRecords: number;
  };
  readonly schedule: {
    readonly delivered: number;
    /** Puts of due messages that failed and are tried again. */
    readonly retried: number;
    /** Delayed messages that can never be delivered: their record was gone, corrupt, named no legal topic, or is none that can be put. */
    readonly skipped: number;
    readonly levels: readonly DelayLevelStats[];
  };
  readonly disk: {
    /** Used share, 0 to 1; -1 where the path is missing. */
    readonly commitLogRatio: number;
    readonly consumeQueueRatio: number;
    /** No puts are taken: a disk was over `diskSpaceWarningLevelRatio` at the cleaner's last look, `cleanResourceInterval` ago at most. */
    readonly full: boolean;
    readonly deletedSegments: number;
    /** The oldest segment's file says that it was changed later than now: the clock was ahead once, or is behind. */
    readonly oldestInFuture: boolean;
    /** A segment would be deleted, but for a delayed message in it that has not been delivered. */
    readonly keptForDelay: boolean;
  };
  /** What is read again to find bytes that have changed on disk. */
  readonly scrub: {
    readonly bytes: number;
    /** Places that were not as they had been written; one that is found again counts again. */
    readonly damages: number;
  };
  readonly allocate: {
    readonly segments: number;
    readonly segmentsReady: number;
    readonly lockedBytes: number;
    /** Memory locks that the system refused (RLIMIT_MEMLOCK). */
    readonly lockFailures: number;
    readonly allocateUs: LatencySnapshot;
  };
  readonly latency: {
    readonly putToAppendUs: LatencySnapshot;
    readonly appendToFlushUs: LatencySnapshot;
    readonly putToAckUs: LatencySnapshot;
  };
  readonly replicate: {
    /** That are connected, and those of them that are not too far behind. */
    readonly slaves: number;
    readonly inSyncSlaves: number;
    /** Of a SYNC_MASTER: end of what enough slaves have. */
    readonly replicatedOffset: number;
    /** Bytes of the log that were sent to slaves. */
    readonly bytes: number;
    /** Connections that were refused, or ended for what came from the other side. */
    readonly refused: number;
  };
  readonly consumers: ConsumersStats;
  /** Replication, connection by connection; undefined where there is none. */
  readonly ha: HaStats | undefined;
  readonly services: readonly ServiceStats[];
  /** What each service failed with last, also when it goes on; none for a service that never did. */
  readonly lastErrors: readonly LastErrorStats[];
}

/** "opening", "running", "fenced", "faulted", "closing" or "closed". */
export type StoreStateName = keyof typeof StoreState;

/** One that the store has, or one beyond its highest in which messages wait that `messageDelayLevel` gave no delay any more. */
export interface DelayLevelStats {
  readonly level: number;
  /** Queue offset of the next message to be delivered, and end of the level's queue. */
  readonly delayOffset: number;
  readonly maxOffset: number;
  /** For how long something that is due has failed, and is tried again; 0 when nothing does. */
  readonly heldUpMs: number;
}

/** One queue, in queue offsets. */
export interface QueueStats {
  readonly topic: string;
  readonly queueId: number;
  /** First message on disk. */
  readonly minOffset: number;
  /** End of what can be consumed. */
  readonly maxOffset: number;
  /** Messages appended and not yet dispatched. */
  readonly lag: number;
}

/** How far the consumer groups are behind. */
export interface ConsumersStats {
  /** That have committed. */
  readonly groupCount: number;
  /**
   * Those that lag most, the most first, at most 1,000. With more than some 10,000 committed offsets they are looked at in turns, so that
   * a group's figures may be those of a call before, and a group is missing until its first turn.
   */
  readonly groups: readonly GroupLagStats[];
}

/** A consumer group, over all queues in which it has committed. */
export interface GroupLagStats {
  readonly group: string;
  readonly queues: number;
  /** Messages that are there and that it has not consumed. */
  readonly lag: number;
}

export interface TopicPutStats {
  readonly topic: string;
  readonly messages: number;
  readonly bytes: number;
}

/** As the service that replicates said last: at each change of its connections, and once a second. */
export interface HaStats {
  readonly role: "ASYNC_MASTER" | "SYNC_MASTER" | "SLAVE";
  /** Of a master: where slaves are accepted. */
  readonly listen: { readonly address: string; readonly port: number } | undefined;
  readonly slaves: readonly SlaveStats[];
  /** Slaves that are in sync. */
  readonly inSyncSlaves: number;
  /** Of a SYNC_MASTER: end of what enough slaves have. */
  readonly replicatedOffset: number;
  /** Of a slave. */
  readonly master: MasterStats | undefined;
}

/** A master, as its slave sees it. */
export interface MasterStats {
  /** `haMasterAddress`. */
  readonly address: string;
  /** Not there; being asked for what this log ends in; sends what comes next. */
  readonly state: "connecting" | "comparing" | "following";
  /** One past the last byte that has come on this connection. */
  readonly receivedOffset: number;
  /** End of what was acknowledged. */
  readonly reportedOffset: number;
  /** Why the last connection ended, if that was a fault, and nothing has come since. */
  readonly lastError: string | undefined;
}

/** A slave, as its master sees it. */
export interface SlaveStats {
  /** `host:port`. */
  readonly address: string;
  /** One past the last byte sent to it. */
  readonly sentOffset: number;
  /** End of what it has acknowledged; -1 while nothing that it has said is to be believed. */
  readonly ackOffset: number;
  readonly behindBytes: number;
  /** Since when it is behind, in milliseconds; 0 when it is not. */
  readonly behindMs: number;
  readonly inSync: boolean;
}

export interface LastErrorStats {
  /** A service thread, or a part of the main thread such as `clean` or `schedule`. */
  readonly service: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Stable, `ERR_…`. */
  readonly code: string;
  readonly message: string;
}

export interface ServiceStats {
  readonly name: string;
  /** "starting", "running", "waiting", "stopped" or "failed". */
  readonly state: keyof typeof ServiceState;
  /** Milliseconds since its last sign of life. */
  readonly heartbeatAgeMs: number;
}
