import type { MappedFile } from "@millrace/mapped-file";
import type { SegmentWriter } from "./segment-writer.js";

/** Complete pages are let go in runs of this length; in SYNC_FLUSH, where a force follows each group, before the group is published. */
const ASYNC_RELEASE_LENGTH = 1024 * 1024;
const SYNC_RELEASE_LENGTH = 16 * 1024;

/**
 * RocketMQ's way: one copy into the mapped segment. The allocator has allocated every byte before: no hole, no SIGBUS.
 *
 * Pages that are complete are released soon after: a force would otherwise write-protect them one by one, with an interrupt to all
 * cores for each (measured: 344 MB in ASYNC_FLUSH cost the flusher 0.6-1.4 s of processor time, and half the throughput).
 */
export class MappedSegmentWriter implements SegmentWriter {
  readonly #releaseLength: number;
  #segment: MappedFile | undefined;
  /** Everything before it has been released. */
  #released = 0;

  constructor(sync: boolean) {
    this.#releaseLength = sync ? SYNC_RELEASE_LENGTH : ASYNC_RELEASE_LENGTH;
  }

  enter(segment: MappedFile): void {
    this.#segment?.close();
    this.#segment = segment;
    this.#released = 0;
  }

  isReady(segment: MappedFile): boolean {
    return segment.tryMap();
  }

  write(bytes: Uint8Array, position: number): void {
    const segment = this.#segment as MappedFile;
    segment.bytes.set(bytes, position);
    const end = position + bytes.length;
    const releasable = end - (end % this.#releaseLength);
    if (releasable <= this.#released) return;
    segment.release(this.#released, releasable - this.#released);
    this.#released = releasable;
  }

  close(): void {
    this.#segment?.close();
  }
}
