import type { LogRow } from "../scan/recovery-row.js";
import type { CorruptRecord } from "./corrupt-record.js";

/** What recovery found, kept and cut of the commit log. Offsets are absolute, in bytes. */
export interface LogReport {
  /** First byte of the log on disk. */
  readonly minOffset: number;
  /** Where the next record goes. Everything before it is durable. */
  readonly maxOffset: number;
  /** Of the last record, in milliseconds; 0 when the log is empty. */
  readonly lastStoreTimestamp: number;
  /** Next queue offset by `topic-queueId`. */
  readonly queueOffsets: Map<string, number>;
  readonly messages: number;
  readonly segmentsScanned: number;
  readonly bytesScanned: number;
  readonly seconds: number;
  /** Not known to be durable, and therefore written again before it was forced. */
  readonly bytesRewritten: number;
  readonly cut: RecoveryCut | undefined;
  /** Records of old segments that are not as they were written: what reads them gets `ERR_RECORD_CORRUPT`. */
  readonly corrupt: CorruptRecord[];
  /** Segments without a byte of data behind the end of the log, by path: allocated ahead, and removed. */
  readonly emptySegmentsRemoved: string[];
  readonly lastExitOk: boolean;
  /** Rows of the log's decision table that applied, in order, each once. */
  readonly rows: LogRow[];
}

/** Where recovery has cut the log, and why. */
export interface RecoveryCut {
  readonly offset: number;
  readonly reason: string;
  /** In the segment of `offset`: the pages that held something. */
  readonly bytesZeroed: number;
  /** Paths. */
  readonly segmentsRemoved: string[];
}
