import { MillraceError, ownSegmentPath, type StorePaths, shownValue } from "@millrace/format";
import {
  type MappedFile,
  MappedFileQueue,
  SegmentDirectory,
  type Storage,
  type StorageFile,
  type StorageSpec,
  separateFile,
  zeroData,
} from "@millrace/mapped-file";
import { wallClockMs } from "@millrace/shared-memory";
import type { MessageStoreOptions } from "../config/message-store-options.js";
import { leaveFence, needFenceAtHome } from "../marks/fence-places.js";
import { isFailedSync } from "../marks/fencing-force.js";
import { FlushedWatermark } from "../marks/flushed-watermark.js";
import { removeSegmentNotes } from "../marks/segment-note.js";
import { pathUnusable } from "../tell/path-unusable.js";
import { needLog } from "./existing-log.js";
import { type OpenedDirectory, openDirectory } from "./open-directory.js";
import { segmentRecords } from "./segment-records.js";
import { undoProgress } from "./undone-progress.js";

/** What {@link MessageStore.truncate} has done. Offsets are in bytes of the log. */
export interface TruncateReport {
  /** Where the log ends now: after the last record that ended at or before the offset asked for. */
  readonly maxOffset: number;
  /** Where it ended before. */
  readonly endedAt: number;
  /** Paths of the segments that are gone. */
  readonly segmentsRemoved: readonly string[];
}

/** See {@link MessageStore.truncate}. */
export async function truncateStore(options: MessageStoreOptions, offset: number, spec: StorageSpec): Promise<TruncateReport> {
  needLog(options, spec);
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw noOffset(`an offset is an integer of at least 0: offset=${shownValue(offset)}`);
  const directory = await openDirectory(options, spec);
  let report: TruncateReport;
  try {
    const { minOffset, maxOffset } = directory.recovery;
    if (offset < minOffset || offset > maxOffset)
      throw noOffset(`the log is not cut where it is not: offset=${offset} minOffset=${minOffset} maxOffset=${maxOffset}`);
    needFenceAtHome(directory.storage, directory.paths); // it may lie in the watermark, which is made again
    const cutAt = lastEnd(directory, offset);
    if (cutAt < maxOffset) {
      separateSegment(directory, cutAt);
      await undoProgress(directory, cutAt);
    }
    report = cut(directory, cutAt);
  } catch (error) {
    throw pathUnusable(error, "the log cannot be cut", directory.paths.commitLog);
  } finally {
    directory.lock.release(); // the abort file stays: what lies there now is as after a kill
  }
  const { signal: _signal, onRecoveryProgress: _onRecoveryProgress, ...unaborted } = options; // what is cut is cut, and said
  const after = await openDirectory(unaborted, spec); // which makes ConsumeQueues and index end there too
  after.lock.release();
  return report;
}

function noOffset(message: string): MillraceError {
  return new MillraceError("ERR_TRUNCATE_OFFSET", message);
}

/** Where the last record ends that ends at or before `offset`. A corrupt record in the way is passed where another one follows. */
function lastEnd({ storage, config, recovery }: OpenedDirectory, offset: number): number {
  const segments = new SegmentDirectory(config.storePathCommitLog, config.mappedFileSizeCommitLog);
  const start = segments.startOf(offset);
  if (start === offset) return offset;
  const segment = segments.at(storage, offset, "read");
  try {
    let position = 0;
    for (const { end } of segmentRecords(segment, recovery.maxOffset)) {
      if (start + end > offset) break;
      position = end;
    }
    return start + position;
  } finally {
    segment.close();
  }
}

/** What a snapshot shares is not cut. This needs room on the disk, so it comes before anything is changed. */
function separateSegment(directory: OpenedDirectory, cutAt: number): void {
  const { storage, paths, config } = directory;
  const segments = new SegmentDirectory(paths.commitLog, config.mappedFileSizeCommitLog);
  const isReplaced = separateFile(storage, segments.pathOf(cutAt), ownSegmentPath(storage.realPath(paths.commitLog)));
  if (isReplaced) syncOrFence(directory, paths.commitLog, cutAt);
}

/** Nobody believes any more what was noted of the log; then it becomes shorter, from the back, so that a crash leaves no gap. */
function cut(directory: OpenedDirectory, maxOffset: number): TruncateReport {
  const { storage, paths, config, recovery } = directory;
  const report = { maxOffset, endedAt: recovery.maxOffset };
  if (maxOffset === recovery.maxOffset) return { ...report, segmentsRemoved: [] };
  for (const path of [paths.dispatchedMark, paths.segmentCrcs, paths.watermark]) storage.remove(path);
  if (removeSegmentNotes(storage, paths.segmentNotes, () => false)) storage.syncDirectory(paths.segmentNotes);
  storage.syncDirectory(paths.root);
  const watermark = FlushedWatermark.open(storage, paths.watermark);
  try {
    watermark.write(maxOffset, wallClockMs());
  } finally {
    watermark.close();
  }
  const queue = MappedFileQueue.load(storage, config.storePathCommitLog, config.mappedFileSizeCommitLog);
  const segmentsRemoved: string[] = [];
  for (let last = queue.last; last !== undefined && last.fromOffset > maxOffset; last = queue.last) {
    segmentsRemoved.unshift(last.path);
    queue.removeLast();
    syncOrFence(directory, queue.directory, maxOffset);
  }
  const { last } = queue;
  if (last !== undefined) zeroFrom(directory, last, maxOffset);
  return { ...report, segmentsRemoved };
}

function zeroFrom({ storage, paths }: OpenedDirectory, { path, size, fromOffset }: MappedFile, maxOffset: number): void {
  const file = storage.open(path, "write");
  try {
    zeroData(file, Math.min(size, maxOffset - fromOffset), size);
    forceOrFence(storage, paths, file, maxOffset);
  } finally {
    file.close();
  }
}

/** A force of the log that fails is final, here too. */
function forceOrFence(storage: Storage, paths: StorePaths, file: StorageFile, maxOffset: number): void {
  try {
    file.force();
  } catch (error) {
    leaveFence(storage, paths, maxOffset, error);
    throw error;
  }
}

/** So is one of its names. */
function syncOrFence({ storage, paths }: OpenedDirectory, directory: string, maxOffset: number): void {
  try {
    storage.syncDirectory(directory);
  } catch (error) {
    if (isFailedSync(error)) leaveFence(storage, paths, maxOffset, error);
    throw error;
  }
}
