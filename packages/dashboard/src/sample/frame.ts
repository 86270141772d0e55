/**
 * What the server sends to the page, as JSON: `hello` once, a `frame` four times a second, a `state` about once a second; `silent` where
 * there can be no frame.
 */
import type { GroupLagStats } from "@millrace/stats";
import type { Limit } from "./limit.js";

/** What does not change while the page is open. */
export interface Hello {
  /** `followed`: another process writes the store, and what only that process knows is not there. */
  readonly kind: "open" | "followed";
  readonly directory: string;
  readonly flushDiskType: string;
  /** Of the commit log, in bytes. */
  readonly segmentSize: number;
}

/** Why there is no frame: the store is closed, say. */
export interface Silence {
  readonly reason: string;
}

/** Ends in the log, in bytes. */
interface LogOffsets {
  readonly min: number;
  /** Undefined where nothing says it: a directory that a broker made. */
  readonly durable: number | undefined;
  readonly wrote: number;
  /** End of the bytes that are ready to be written to. */
  readonly ready: number;
}

/** Values of the last second, in microseconds; undefined when there were none. */
export interface RecentLatency {
  readonly p50: number | undefined;
  readonly p99: number | undefined;
}

/** The stages of an open store. `…PerSecond` are of the last second. */
export interface PipelineFigures {
  readonly put: {
    readonly perSecond: number;
    readonly bytesPerSecond: number;
    readonly failedPerSecond: number;
    readonly inFlight: number;
    readonly ackUs: RecentLatency;
  };
  readonly ring: {
    readonly usedBytes: number;
    readonly capacityBytes: number;
    readonly usedFrames: number;
    readonly capacityFrames: number;
    /** Puts that wait for room. */
    readonly waiting: number;
    readonly stallsPerSecond: number;
  };
  readonly append: {
    readonly perSecond: number;
    readonly bytesPerSecond: number;
    readonly groupsPerSecond: number;
    readonly putToAppendUs: RecentLatency;
  };
  readonly force: {
    readonly perSecond: number;
    readonly bytesPerSecond: number;
    /** Share of the time in which a force was under way, 0 to 1. */
    readonly busy: number;
    readonly undurableBytes: number;
    readonly forceUs: RecentLatency;
  };
  readonly dispatch: {
    readonly perSecond: number;
    readonly behindBytes: number;
    readonly behindMessages: number;
    /** How long it takes to dispatch what waits, at the present rate. */
    readonly lateMs: number;
  };
  readonly allocate: {
    readonly readyBytes: number;
    readonly segmentsReady: number;
    readonly perSecond: number;
    /** Times the appender found no ready bytes. */
    readonly stallsPerSecond: number;
    readonly allocateUs: RecentLatency;
  };
}

interface FrameHead {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly offsets: LogOffsets;
}

export interface OpenFrame extends FrameHead {
  readonly kind: "open";
  readonly state: string;
  readonly pipeline: PipelineFigures;
  readonly limit: Limit;
}

export interface FollowedFrame extends FrameHead {
  readonly kind: "followed";
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
}

export type Frame = OpenFrame | FollowedFrame;

/** One queue, in queue offsets. */
export interface QueueRow {
  readonly topic: string;
  readonly queueId: number;
  readonly min: number;
  readonly max: number;
  /** Messages that cannot be consumed yet. */
  readonly undispatched: number;
  /** The groups that have committed here, and what they want next. */
  readonly groups: readonly { readonly group: string; readonly offset: number; readonly lag: number }[];
}

/** What asks for an operator: shown above everything. */
export interface Attention {
  readonly title: string;
  readonly reason: string;
  readonly remedy: string;
}

interface ErrorRow {
  readonly service: string;
  readonly time: number;
  readonly code: string;
  readonly message: string;
  readonly remedy: string | undefined;
}

export interface StoreState {
  readonly time: number;
  readonly attention: readonly Attention[];
  /** The first ones by name; `queueCount` is how many there are. */
  readonly queues: readonly QueueRow[];
  readonly queueCount: number;
  /** Those that lag most. */
  readonly groups: readonly GroupLagStats[];
  readonly groupCount: number;
  readonly topics: readonly string[];
  /** Levels with messages that wait. */
  readonly delays: readonly { readonly level: number; readonly delayMs: number | undefined; readonly waiting: number }[];
  /** Undefined when nobody has ever prepared a message, or when the writer is another process. */
  readonly undecided: { readonly count: number; readonly more: boolean; readonly oldestTime: number | undefined } | undefined;
  readonly disk: { readonly label: string; readonly usedRatio: number }[];
  /** Undefined where there is none. */
  readonly replication:
    | {
        readonly role: string;
        readonly slaves: readonly { readonly address: string; readonly behindBytes: number; readonly inSync: boolean }[];
        readonly master: { readonly address: string; readonly state: string } | undefined;
      }
    | undefined;
  readonly deletedSegments: number | undefined;
  readonly services: readonly { readonly name: string; readonly state: string; readonly heartbeatAgeMs: number }[];
  readonly errors: readonly ErrorRow[];
}
