import { join } from "node:path";
import { segmentFileName } from "@millrace/format";
import { MappedFile } from "./mapped-file.js";
import type { Storage } from "./storage.js";

/**
 * Where the segments of one directory lie: each begins at a multiple of their size and is named for it, whether it exists or not.
 * Arithmetic only. Offsets count bytes of the log or, in a ConsumeQueue, units of a length of their own.
 */
export class SegmentDirectory {
  readonly path: string;
  /** Offsets in a segment. */
  readonly segmentSize: number;
  readonly #unitLength: number;

  /** @param unitLength bytes from one offset to the next */
  constructor(path: string, segmentSize: number, unitLength = 1) {
    this.path = path;
    this.segmentSize = segmentSize;
    this.#unitLength = unitLength;
  }

  /** First offset of the segment that holds an offset. */
  startOf(offset: number): number {
    return offset - (offset % this.segmentSize);
  }

  /** One past the last offset of the segment that holds an offset: the start of the next. */
  endOf(offset: number): number {
    return this.startOf(offset) + this.segmentSize;
  }

  isStart(offset: number): boolean {
    return offset % this.segmentSize === 0;
  }

  /** Path of the segment that holds an offset. */
  pathOf(offset: number): string {
    return join(this.path, segmentFileName(this.startOf(offset) * this.#unitLength));
  }

  /** The segment that holds an offset; opens nothing yet. */
  at(storage: Storage, offset: number, access: "read" | "write"): MappedFile {
    const [fromOffset, size] = [this.startOf(offset) * this.#unitLength, this.segmentSize * this.#unitLength];
    return new MappedFile(storage, this.path, fromOffset, size, access);
  }
}
