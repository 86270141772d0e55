import { MillraceError, type StorePaths, storePaths } from "@millrace/format";
import { SegmentDirectory, type Storage } from "@millrace/mapped-file";
import { type ControlBlock, durableOffset } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { FencingForce } from "../marks/fencing-force.js";
import { writeLogStart } from "../marks/log-start.js";
import type { ExpiredSegmentsControl, SegmentDeletion } from "../pipeline/controls.js";

/**
 * Takes segments off the front of the log, between two slices of the allocator's own work. `minOffset` moves before a file goes, so that
 * a reader who looks at it first never misses a file; it never moves back, whatever became of the files. On disk `millrace.logStart`
 * moves before a file goes, so that the next opening knows a deleted segment from a lost one.
 * (RocketMQ: `MappedFileQueue.deleteExpiredFileByTime`, `MappedFile.destroy`.)
 */
export class ExpiredSegments implements ExpiredSegmentsControl {
  readonly #storage: Storage;
  readonly #paths: StorePaths;
  readonly #segments: SegmentDirectory;
  readonly #counters: ControlBlock<"allocate">["counters"];
  readonly #force: FencingForce;
  /** Start of the oldest file that may be on disk; below `minOffset` while retired files are not deleted. */
  #firstOnDisk: number;

  constructor(storage: Storage, config: MessageStoreConfig, control: ControlBlock<"allocate">) {
    this.#storage = storage;
    this.#paths = storePaths(config.storePathRootDir, config.storePathCommitLog);
    this.#force = new FencingForce(storage, this.#paths, control);
    this.#segments = new SegmentDirectory(config.storePathCommitLog, config.mappedFileSizeCommitLog);
    this.#counters = control.counters;
    this.#firstOnDisk = control.counters.minOffset.value;
  }

  /** @throws MillraceError `ERR_SEGMENT_IN_USE` for the segment that the log ends in, or less than a segment */
  retireSegmentsBelow(offset: number): void {
    const { minOffset, wroteOffset } = this.#counters;
    if (!this.#segments.isStart(offset) || offset >= wroteOffset.get()) {
      throw new MillraceError("ERR_SEGMENT_IN_USE", `the log ends there: offset=${offset} wroteOffset=${wroteOffset.get()}`);
    }
    if (offset > minOffset.value) minOffset.set(offset);
  }

  deleteSegmentsBelow(offset: number): SegmentDeletion {
    this.retireSegmentsBelow(offset);
    let deletedSegments = 0;
    let failure: string | undefined;
    try {
      if (this.#firstOnDisk < offset) writeLogStart(this.#storage, this.#paths, offset);
      for (; this.#firstOnDisk < offset; this.#firstOnDisk = this.#segments.endOf(this.#firstOnDisk)) {
        this.#storage.remove(this.#segments.pathOf(this.#firstOnDisk));
        deletedSegments++;
      }
      this.#force.syncDirectory(durableOffset(this.#counters), this.#segments.path);
    } catch (error) {
      failure = String(error);
    }
    this.#counters.allocateDeletedSegments.add(deletedSegments);
    return failure === undefined ? { deletedSegments } : { deletedSegments, failure };
  }
}
