import type { MappedFile } from "@millrace/mapped-file";
import type { LogQueueTableOptions } from "./log-queue-table.js";

/** Segments at the end that are never trusted unread: RocketMQ's normal recovery starts at the third last file. */
export const RECENT_SEGMENTS = 3;

export interface PlannedSegment extends LogQueueTableOptions {
  readonly path: string;
  readonly fromOffset: number;
  readonly size: number;
  readonly checkCrc: boolean;
  /** See {@link SegmentScanOptions}. */
  readonly knownTo?: number;
  readonly lastKnown?: number;
  readonly writtenTo?: number;
  /** Whether the scan goes on behind a corrupt record, and reports it. */
  readonly passesCorrupt: boolean;
}

export interface ScanPlanOptions extends LogQueueTableOptions {
  readonly checkCRCOnRecover: boolean;
  /** Bytes before it were durable once; 0 when that is not known. */
  readonly flushedWatermark: number;
  /** From where on a force has failed; undefined when none has. */
  readonly unforcedFrom?: number | undefined;
}

/**
 * Every segment is read, since queue offsets come from the log. A record of an old segment that was durable as a whole may be corrupt, and
 * the log still goes on behind it: what has happened to it has nothing to do with how the store ended, clean or not, and need not keep all
 * others from being read. In segments that recovery may have to write again nothing is passed over: there damage is a torn tail.
 */
export function planScan(files: readonly MappedFile[], options: ScanPlanOptions): PlannedSegment[] {
  const { deletedTopics = new Map(), dispatchedOffset = Number.MAX_SAFE_INTEGER, flushedWatermark, unforcedFrom } = options;
  const durableTo = Math.min(flushedWatermark, unforcedFrom ?? flushedWatermark);
  return files.map(({ path, fromOffset, size, endOffset }, index) => {
    const isRecent = index >= files.length - RECENT_SEGMENTS;
    const passesCorrupt = !isRecent && endOffset <= durableTo;
    const { checkCRCOnRecover: checkCrc } = options;
    return { path, fromOffset, size, checkCrc, passesCorrupt, deletedTopics, dispatchedOffset };
  });
}
