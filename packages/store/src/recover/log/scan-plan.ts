import type { MappedFile } from "@millrace/mapped-file";
import type { LogQueueTableOptions } from "./log-queue-table.js";

/** Segments at the end that are never trusted unread: RocketMQ's normal recovery starts at the third last file. */
export const RECENT_SEGMENTS = 3;

export interface PlannedSegment extends LogQueueTableOptions {
  readonly path: string;
  readonly fromOffset: number;
  readonly size: number;
  readonly checkCrc: boolean;
}

export interface ScanPlanOptions extends LogQueueTableOptions {
  readonly lastExitOk: boolean;
  readonly checkCRCOnRecover: boolean;
  /** Bytes before it were durable once; 0 when that is not known. */
  readonly flushedWatermark: number;
}

/**
 * What the two recoveries of RocketMQ differ in. Every segment is read in both, since queue offsets come from the log. After a clean end,
 * the CRCs of old segments that were durable before it are not computed again.
 */
export function planScan(files: readonly MappedFile[], options: ScanPlanOptions): PlannedSegment[] {
  const { deletedTopics = new Map(), dispatchedOffset = Number.MAX_SAFE_INTEGER } = options;
  return files.map(({ path, fromOffset, size, endOffset }, index) => {
    const isRecent = index >= files.length - RECENT_SEGMENTS;
    const isTrusted = options.lastExitOk && !isRecent && endOffset <= options.flushedWatermark;
    return { path, fromOffset, size, checkCrc: options.checkCRCOnRecover && !isTrusted, deletedTopics, dispatchedOffset };
  });
}
