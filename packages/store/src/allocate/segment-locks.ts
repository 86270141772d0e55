import type { MappedFile, SegmentDirectory, Storage } from "@millrace/mapped-file";
import type { ControlBlock } from "@millrace/shared-memory";

/**
 * Segments ahead of the appender, kept in memory with mlock slice by slice, and let go once the appender has left them. Mapped for reading
 * only: a writable entry would be one more that a force has to write-protect. A refusal (RLIMIT_MEMLOCK) is counted and otherwise
 * ignored, as in RocketMQ: it costs speed, not safety.
 */
export class SegmentLocks {
  readonly #storage: Storage;
  readonly #directory: SegmentDirectory;
  readonly #counters: ControlBlock<"allocate">["counters"];
  /** Oldest first. */
  readonly #segments: { readonly segment: MappedFile; lockedBytes: number }[] = [];

  constructor(storage: Storage, directory: SegmentDirectory, counters: ControlBlock<"allocate">["counters"]) {
    this.#storage = storage;
    this.#directory = directory;
    this.#counters = counters;
  }

  /** Bytes [position, position + length) of the segment that starts at `fromOffset`. */
  lock(fromOffset: number, position: number, length: number): void {
    let newest = this.#segments.at(-1);
    if (newest?.segment.fromOffset !== fromOffset) {
      newest = { segment: this.#directory.at(this.#storage, fromOffset, "read"), lockedBytes: 0 };
      this.#segments.push(newest);
    }
    if (!newest.segment.lock(position, length)) {
      this.#counters.allocateLockFailures.add(1);
      return;
    }
    newest.lockedBytes += length;
    this.#counters.allocateLockedBytes.add(length);
  }

  /** Unlocks the segments that end at or below `offset`. */
  unlockBelow(offset: number): void {
    for (let first = this.#segments[0]; first !== undefined && first.segment.endOffset <= offset; first = this.#segments[0]) {
      this.#segments.shift();
      if (first.lockedBytes > 0) first.segment.unlock(0, first.segment.size);
      first.segment.close();
      this.#counters.allocateLockedBytes.add(-first.lockedBytes);
    }
  }

  close(): void {
    this.unlockBelow(Number.POSITIVE_INFINITY);
  }
}
