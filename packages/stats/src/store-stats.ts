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
  readonly put: {
    readonly messages: number;
    readonly bytes: number;
    readonly failed: number;
    readonly inFlight: number;
    /** Puts that wait because the ring is full. */
    readonly waiting: number;
    /** How often a put found the ring full. */
    readonly stalls: number;
    readonly topics: readonly TopicPutStats[];
  };
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
  readonly services: readonly ServiceStats[];
}

export type StoreStateName = "opening" | "running" | "fenced" | "faulted" | "closing" | "closed";

export interface TopicPutStats {
  readonly topic: string;
  readonly messages: number;
  readonly bytes: number;
}

export interface LatencySnapshot {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface ServiceStats {
  readonly name: string;
  readonly state: "starting" | "running" | "waiting" | "stopped" | "failed";
  /** Milliseconds since its last sign of life. */
  readonly heartbeatAgeMs: number;
}
