import type { JavaPeer } from "./java-peer.js";

/** What a child process measures of the read path. Directories exist and are empty; the parent removes them. */
export type ReadPathJob = ReadJob | DispatchLagJob | KeepUpJob | RecoveryJob;

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

export interface ReadFigure {
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
export interface DispatchLagFigure {
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

export interface KeepUpFigure {
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

export interface RecoveryFigure {
  readonly messageSize: number;
  readonly messages: number;
  readonly logBytes: number;
  /** After a crash, checkpoint lost: every record's CRC is checked. */
  readonly scanBytesPerSec: number;
  /** Opening after a clean end, and when `consumequeue/` and `index/` are gone. */
  readonly openSeconds: number;
  readonly rebuildSeconds: number;
}
