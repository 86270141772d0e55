import type { MappedFile } from "@millrace/mapped-file";
import type { ControlBlock } from "@millrace/shared-memory";

/**
 * Segments ahead of the appender, kept in memory with mlock slice by slice, and let go once the appender has left them. A refusal
 * (RLIMIT_MEMLOCK) is counted and otherwise ignored, as in RocketMQ: it costs speed, not safety.
 */
export class SegmentLocks {
  readonly #counters: ControlBlock<"allocate">["counters"];
  readonly #segments: { readonly segment: MappedFile; lockedBytes: number }[] = [];

  constructor(counters: ControlBlock<"allocate">["counters"]) {
    this.#counters = counters;
  }

  holds(segment: MappedFile): boolean {
    return this.#segments.some((locked) => locked.segment === segment);
  }

  lock(segment: MappedFile, position: number, length: number): void {
    let locked = this.#segments.find((candidate) => candidate.segment === segment);
    if (locked === undefined) {
      locked = { segment, lockedBytes: 0 };
      this.#segments.push(locked);
    }
    if (!segment.lock(position, length)) {
      this.#counters.allocateLockFailures.add(1);
      return;
    }
    locked.lockedBytes += length;
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
