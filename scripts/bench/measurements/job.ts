import type { JavaContestantName, Measurement, Workload } from "../contestants/workload.js";
import type { JavaPeer } from "../java/java-peer.js";
import type { JavaConfiguration } from "../java/java-process.js";

/** What a child process is asked to do. Directories exist and are empty; the parent removes them. */
export type Job =
  | WorkloadJob
  | SeedJob
  | RollJob
  | EventLoopJob
  | MemoryJob
  | JavaStoreJob
  | ReadJob
  | DispatchLagJob
  | KeepUpJob
  | RecoveryJob
  | OpeningJob
  | ProducersJob
  | ReplicationJob
  | JavaReplicationJob;
export type JobKind = Job["kind"];
export type JobOf<K extends JobKind> = Extract<Job, { kind: K }>;

interface WorkloadJob {
  readonly kind: "workload";
  readonly workload: Workload;
}

export type SeedWay = "mapping" | "stream" | "writeSync";

/** One round: a line of 11 bytes, so many times. */
export interface SeedJob {
  readonly kind: "seed";
  readonly way: SeedWay;
  readonly lines: number;
  readonly directory: string;
}

export interface SeedResult {
  readonly seconds: number;
}

export interface RollJob {
  readonly kind: "roll";
  readonly seconds: number;
  readonly directory: string;
}

export interface RollResult {
  readonly rolls: number;
  readonly msgPerSec: number;
  readonly nearMessages: number;
  readonly steadyMessages: number;
  /** Within 100 ms of a roll. */
  readonly nearP9999Us: number;
  readonly steadyP999Us: number;
}

export interface EventLoopJob {
  readonly kind: "event-loop";
  readonly seconds: number;
  readonly directory: string;
}

export interface EventLoopResult {
  readonly maxMsgPerSec: number;
  /** Of the paced run. */
  readonly msgPerSec: number;
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
}

export interface MemoryJob {
  readonly kind: "memory";
  readonly messages: number;
  readonly directory: string;
}

export interface MemoryResult {
  readonly messages: number;
  /** RSS without segment mappings and without the ring. */
  readonly peakBytes: number;
  /** Medians of the second and of the last quarter of the run. */
  readonly earlyBytes: number;
  readonly lateBytes: number;
  readonly ringBytes: number;
  /** Most that segment mappings took. */
  readonly mappedPeakBytes: number;
}

type JavaCell = Pick<Workload, "messageSize" | "inFlight">;

/** Workloads of RocketMQ's store, one after another in one JVM and one directory: a JVM for each would measure its compiler. */
export interface JavaStoreJob {
  readonly kind: "java-store";
  readonly java: JavaPeer;
  readonly contestant: JavaContestantName;
  readonly durability: Workload["durability"];
  readonly cells: readonly JavaCell[];
  /** Of each measurement. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly directory: string;
}

export const READ_CONTESTANTS = ["store", "lmdb", "better-sqlite3", "classic-level", "java"] as const;
export type ReadContestantName = (typeof READ_CONTESTANTS)[number];

/** The same messages in every contestant: 128 B bodies, in one queue or under ascending keys. */
export interface ReadJob {
  readonly kind: "read";
  readonly contestant: ReadContestantName;
  readonly messages: number;
  /** Of each measurement. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly directory: string;
  /** For the contestant of this name. */
  readonly java?: JavaPeer | undefined;
}

export interface ReadResult {
  /** From the first message to the last, again and again; of the store zero-copy views. */
  readonly scanMsgPerSec: number;
  /** One message of all, at random. */
  readonly getP50Us: number;
  readonly getP99Us: number;
  /** `consume()`, which gives copies; the store only. */
  readonly consumeMsgPerSec?: number;
}

export interface DispatchLagJob {
  readonly kind: "dispatch-lag";
  readonly seconds: number;
  readonly directory: string;
}

/** Times from the call of putMessage. */
export interface DispatchLagResult {
  readonly maxMsgPerSec: number;
  /** Of the paced runs. */
  readonly msgPerSec: number;
  /** Until `getMaxOffsetInQueue` covers the message, looked at in every turn of the event loop: every message. */
  readonly polledP50Us: number;
  readonly polledP99Us: number;
  /** Until a consumer that waits has the message in its loop: a probe each millisecond in a queue of its own. */
  readonly wokenP50Us: number;
  readonly wokenP99Us: number;
  readonly probes: number;
}

export interface KeepUpJob {
  readonly kind: "keep-up";
  /** Of the log. */
  readonly bytes: number;
  readonly directory: string;
}

export interface KeepUpResult {
  readonly bytes: number;
  readonly msgPerSec: number;
  /** Bytes acknowledged and not yet dispatched: at most, and at most in the second and in the last quarter of the run. */
  readonly maxLagBytes: number;
  readonly earlyLagBytes: number;
  readonly lateLagBytes: number;
  /** From the last acknowledgement until nothing was left. */
  readonly catchUpMs: number;
}

export interface RecoveryJob {
  readonly kind: "recovery";
  /** Of the log. */
  readonly bytes: number;
  readonly messageSize: number;
  readonly directory: string;
}

export interface RecoveryResult {
  readonly messageSize: number;
  readonly messages: number;
  readonly logBytes: number;
  /** After a crash, checkpoint lost: every record's CRC is checked. */
  readonly scanBytesPerSec: number;
  /** Opening after a clean end, and when `consumequeue/` and `index/` are gone. */
  readonly openSeconds: number;
  readonly rebuildSeconds: number;
}

/** How long opening takes, in a process that has just started, with the store's default options. */
export interface OpeningJob {
  readonly kind: "opening";
  /** Of the log. */
  readonly bytes: number;
  readonly rounds: number;
  readonly directory: string;
}

export interface OpeningResult {
  readonly logBytes: number;
  /** Round by round: of a directory that is not there; of a log that was closed; of one whose process was killed while it was put into. */
  readonly newSeconds: readonly number[];
  readonly closedSeconds: readonly number[];
  readonly killedSeconds: readonly number[];
  /** What the files of a new store with one message take on the disk: open and at rest, or closed, whichever is more. */
  readonly newBlocksBytes: number;
}

/** Messages of 128 B, ASYNC_FLUSH, from producers on threads of their own. */
export interface ProducersJob {
  readonly kind: "producers";
  readonly producers: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly directory: string;
}

/** null: the store has no producers on other threads. */
export interface ProducersResult {
  readonly msgPerSec: number;
  readonly cpuNs: number;
}

/** Of our store with a slave in a process of its own, or without one: ASYNC_FLUSH, on both. */
export type ReplicationRole = "alone" | "ASYNC_MASTER" | "SYNC_MASTER";

export interface ReplicationJob {
  readonly kind: "replication";
  readonly role: ReplicationRole;
  readonly inFlight: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly directory: string;
}

/** RocketMQ's SYNC_MASTER and its slave, each in a JVM, with these windows one after another. */
export interface JavaReplicationJob {
  readonly kind: "java-replication";
  readonly java: JavaPeer;
  readonly configuration: JavaConfiguration;
  readonly windows: readonly number[];
  /** Of each measurement. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly directory: string;
}

export type ReplicationResult = Required<Pick<Measurement, "msgPerSec" | "p50Us" | "p99Us" | "answeredP50Us">>;
