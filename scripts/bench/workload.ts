/** What a put's acknowledgement means: the data is in the page cache, or it has been forced to the disk. */
export type Durability = "page-cache" | "disk";

export const CONTESTANTS = [
  "store-mapped",
  "store-channel",
  "store-undispatched",
  "raw",
  "lmdb",
  "better-sqlite3",
  "classic-level",
] as const;
export type ContestantName = (typeof CONTESTANTS)[number];

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
}

export interface Measurement {
  readonly messages: number;
  readonly msgPerSec: number;
  readonly p50Us: number;
  readonly p99Us: number;
}
