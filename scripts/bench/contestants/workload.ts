import type { LoadSeries } from "../../load-generator/load-charts.js";

/** What a put's acknowledgement means: the data is in the page cache, or it has been forced to the disk. */
export type Durability = "page-cache" | "disk";

export const CONTESTANTS = [
  "store-mapped",
  "store-channel",
  "store-undispatched",
  "store-keys",
  "driver",
  "driver-group",
  "raw",
  "lmdb",
  "better-sqlite3",
  "classic-level",
  "java-default",
  "java-warm",
  "java-pool",
  "java-driver",
] as const;
export type ContestantName = (typeof CONTESTANTS)[number];

/** The append modes of the store, as it is otherwise by default. */
export const MILLRACE_CONTESTANTS = ["store-mapped", "store-channel"] as const;

/** RocketMQ's own store, in three configurations. */
export const JAVA_CONTESTANTS = ["java-default", "java-warm", "java-pool"] as const;
export type JavaContestantName = (typeof JAVA_CONTESTANTS)[number] | "java-driver";

export function isJavaContestant(name: ContestantName): name is JavaContestantName {
  return name === "java-driver" || (JAVA_CONTESTANTS as readonly string[]).includes(name);
}

/** What puts into nothing, with the driver of others: a promise for each message, one for each group, RocketMQ's. */
export const DRIVERS: readonly ContestantName[] = ["driver", "driver-group", "java-driver"];

/** One measurement of one contestant, in a process and a directory of its own. */
export interface Workload {
  readonly contestant: ContestantName;
  readonly durability: Durability;
  /** Bytes of a body. */
  readonly messageSize: number;
  readonly inFlight: number;
  /** Exists and is empty. */
  readonly directory: string;
  /** Not measured. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** For a report: four times a second, which costs a little. */
  readonly isSampled?: boolean;
}

export interface Measurement {
  readonly messages: number;
  readonly msgPerSec: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  /**
   * CPU of the whole process for one message, the driver's included: all threads, in user mode and in the kernel, until all messages are
   * dispatched. Nanoseconds.
   */
  readonly cpuNs: number;
  /** Of it, what the thread that puts has used; RocketMQ's store does not say. */
  readonly mainNs?: number;
  /** For a report. */
  readonly series?: LoadSeries;
  /**
   * Of RocketMQ's store, until the thread that puts has the answer: its other times end when a thread of the store has completed the put.
   * Those of all others end where this one does.
   */
  readonly answeredP50Us?: number;
  /** Of RocketMQ's store: what was not acknowledged, by status, and how far the dispatcher was behind at the end. */
  readonly failures?: Readonly<Record<string, number>>;
  readonly behindBytes?: number;
}
