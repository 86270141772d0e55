import type { ConfigFileDamage } from "../marks/config-file.js";
import type { IndexFileDamage } from "./index/index-file-check.js";

import type { LogReport } from "./log/log-report.js";
import type { IndexRow, QueueRow, RecoveryRow } from "./scan/recovery-row.js";

/** What recovery found, kept and cut. Offsets are absolute, in bytes. */
export interface RecoveryReport extends LogReport {
  readonly dispatch: DispatchReport;
  readonly progress: ProgressReport;
  /**
   * The log began at this offset when Millrace had the directory last; another program, which has started in it since, has deleted
   * what lies between it and `minOffset`, or it is lost. Undefined when nothing is missing.
   */
  readonly deletedByOthers: number | undefined;
  /** Why each row applies that the report names, in order. `docs/recovery.md` has the tables that the rows are of. */
  readonly reasons: Partial<Record<RecoveryRow, string>>;
}

/** How far consumer groups and delay levels have come: the files of `config`. */
export interface ProgressReport {
  /** Files that were not what they should be, and where their content was found. */
  readonly damagedFiles: readonly ConfigFileDamage[];
  /** Offsets that were not believed. */
  readonly cutOffsets: readonly CutOffset[];
}

/** A queue offset that a crash, or another life of the queue, had left. */
export interface CutOffset {
  /** Undefined for a delay level, whose queue is of SCHEDULE_TOPIC_XXXX. */
  readonly group: string | undefined;
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
  /** What it became; undefined when it was forgotten. */
  readonly cutTo: number | undefined;
  /** It was beyond the queue's end, where the next message goes; or it was saved before the queue's topic was deleted. */
  readonly reason: "beyond-end" | "earlier-life";
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
  /** Rows of the queues' decision table that applied, in its order, each with the number of queues. */
  readonly rows: Partial<Record<QueueRow, number>>;
  /** Dispatching begins here: the first record that a ConsumeQueue or the index lacks, or the end of the log. */
  readonly reputFromOffset: number;
  /** The index lacks records from here on. */
  readonly indexFromOffset: number;
  /** Row of the index's decision table that applied; undefined without `messageIndexEnable`. */
  readonly indexRow: IndexRow | undefined;
  /** The index is built from nothing. */
  readonly indexRebuilt: boolean;
  /** Paths. */
  readonly indexFilesRemoved: string[];
  /** The first index file that was not as it had been finished; it and those behind it are built again. */
  readonly indexDamage: IndexFileDamage | undefined;
  readonly seconds: number;
}
