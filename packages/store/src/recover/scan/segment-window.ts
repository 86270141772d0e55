import { isZero } from "@millrace/mapped-file";

/** Fills `target` from a position of the segment, or throws. */
export type ReadAt = (target: Uint8Array, position: number) => void;

/** The first position from a given one on that may hold something else than zero; the segment's size without one. */
export type SeekData = (position: number) => number;

/**
 * A part of a segment in memory, moved forward as a scan goes on. Segments are read, not mapped: a bad sector is an error of the read,
 * behind a mapping it would be SIGBUS.
 */
export class SegmentWindow {
  /** What is in memory now, and a view of the same. */
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Position in the segment of the first byte in memory. */
  start = 0;
  readonly #readAt: ReadAt;
  readonly #segmentSize: number;
  readonly #seekData: SeekData;
  #buffer: Uint8Array;

  constructor(readAt: ReadAt, segmentSize: number, windowSize: number, seekData: SeekData = (position) => position) {
    this.#readAt = readAt;
    this.#seekData = seekData;
    this.#segmentSize = segmentSize;
    this.#buffer = new Uint8Array(Math.min(windowSize, segmentSize));
  }

  /** Position in the segment one past the last byte in memory. */
  get end(): number {
    return this.start + this.bytes.length;
  }

  /** Brings [position, position + length) into memory, inside the segment; what is there is moved, not read again. */
  ensure(position: number, length: number): void {
    if (position >= this.start && position + length <= this.end) return;
    const kept = position >= this.start && position < this.end ? this.bytes.subarray(position - this.start) : new Uint8Array(0);
    const old = this.#buffer;
    if (length > old.length) this.#buffer = new Uint8Array(length);
    this.#buffer.set(kept);
    const filled = Math.min(this.#buffer.length, this.#segmentSize - position);
    this.#readAt(this.#buffer.subarray(kept.length, filled), position + kept.length);
    this.start = position;
    this.bytes = this.#buffer.subarray(0, filled);
    this.view = new DataView(this.#buffer.buffer, 0, filled);
  }

  /** Whether nothing but zeros follows, to the end of the segment, or as far as there can be anything. Holes are not read. */
  isZeroFrom(position: number, to = this.#segmentSize): boolean {
    let at = position;
    while (at < to) {
      this.ensure(at, 1);
      if (!isZero(this.bytes.subarray(at - this.start))) return false;
      at = Math.max(this.end, this.#seekData(this.end));
    }
    return true;
  }
}
