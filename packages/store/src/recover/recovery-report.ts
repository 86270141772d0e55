/** What recovery found, kept and cut. Offsets are absolute, in bytes. */
export interface RecoveryReport extends LogReport {
  readonly dispatch: DispatchReport;
}

/** The commit log. */
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
  readonly cut: RecoveryCut | undefined;
  /** Segments without a byte of data behind the end of the log, by path: allocated ahead, and removed. */
  readonly emptySegmentsRemoved: string[];
  readonly lastExitOk: boolean;
  /** Rows of the decision table that applied, in order, each once. */
  readonly rows: string[];
}

/** The ConsumeQueues and the index. */
export interface DispatchReport {
  readonly queues: number;
  /** What follows the end of the log, or was damaged, is gone: `topic-queueId`. */
  readonly cutQueues: string[];
  /** Built again from the log, whole or from their first bad unit: `topic-queueId`. */
  readonly rebuiltQueues: string[];
  /** Left over from topics that were deleted, and removed: `topic-queueId`. */
  readonly removedQueues: string[];
  /** Rows of the decision table that applied, in its order, each with the number of queues. */
  readonly rows: Record<string, number>;
  /** Dispatching begins here: the first record that a ConsumeQueue or the index lacks, or the end of the log. */
  readonly reputFromOffset: number;
  /** The index lacks records from here on. */
  readonly indexFromOffset: number;
  /** The index is built from nothing. */
  readonly indexRebuilt: boolean;
  /** Paths. */
  readonly indexFilesRemoved: string[];
  readonly seconds: number;
}

export interface RecoveryCut {
  readonly offset: number;
  readonly reason: string;
  /** In the segment of `offset`, in whole blocks. */
  readonly bytesZeroed: number;
  /** Paths. */
  readonly segmentsRemoved: string[];
}

export interface RecoveryProgress {
  readonly bytesScanned: number;
  readonly bytesTotal: number;
  readonly segmentsScanned: number;
  readonly segmentsTotal: number;
}
