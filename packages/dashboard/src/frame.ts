/** What the page is sent four times a second, as JSON: plain values, which both sides know by these types. */

/** Microseconds: the mean of the last second, undefined when there was nothing, and percentiles since the store was opened. */
export interface LatencyFrame {
  readonly mean: number | undefined;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** A stage of the pipeline, in the order in which a message passes. */
export interface StageFrame {
  readonly name: "ring" | "append" | "force" | "dispatch" | "allocate";
  /** In one phrase. */
  readonly about: string;
  /** A second; of what `unit` says. */
  readonly rate: number;
  readonly unit: string;
  /** What waits for it. */
  readonly queue: string;
  /** 0 to 1: how full it is, or how much of the time it is busy; undefined where nothing says it. */
  readonly load: number | undefined;
  readonly latencyUs: LatencyFrame | undefined;
}

/** What holds the pipeline back now. */
export interface LimitFrame {
  readonly stage: StageFrame["name"] | "disk" | "store" | "none";
  readonly reason: string;
}

interface QueueFrame {
  readonly topic: string;
  readonly queueId: number;
  readonly minOffset: number;
  readonly maxOffset: number;
}

interface LagFrame {
  readonly group: string;
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
  readonly lag: number;
}

export interface Frame {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** `writing`: the page is served by the process that has the store open; `reading`: beside it. */
  readonly role: "writing" | "reading";
  readonly directory: string;
  readonly state: string;
  /** Why there are no puts until an operator has looked at the disk, and what to do. */
  readonly fence: string | undefined;
  readonly limit: LimitFrame;
  /** Empty beside a store of another process. */
  readonly stages: readonly StageFrame[];
  /** A second. */
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly putToAckUs: LatencyFrame | undefined;
  readonly behindBytes: number;
  /** Offsets in bytes of the log; `readyOffset` and `durableOffset` where they are known. */
  readonly log: {
    readonly minOffset: number;
    readonly durableOffset: number | undefined;
    readonly wroteOffset: number;
    readonly readyOffset: number | undefined;
    readonly segmentSize: number;
    readonly deletedSegments: number | undefined;
  };
  /** The first of them; `queuesTotal` says how many there are. */
  readonly queues: readonly QueueFrame[];
  readonly queuesTotal: number;
  /** Those that lag most. */
  readonly lags: readonly LagFrame[];
  readonly delays: readonly { readonly level: number; readonly waiting: number }[];
  /** Half messages that are neither committed nor rolled back, about. */
  readonly undecided: number;
  readonly slaves: readonly { readonly address: string; readonly behindBytes: number; readonly inSync: boolean }[];
  readonly disk: { readonly usedBytes: number | undefined; readonly totalBytes: number | undefined; readonly usedRatio: number };
  readonly services: readonly { readonly name: string; readonly state: string; readonly heartbeatAgeMs: number }[];
  readonly errors: readonly { readonly service: string; readonly time: number; readonly code: string; readonly message: string }[];
}
