import { MillraceError } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import { openIfThere } from "@millrace/mapped-file";
import { ReadSegment } from "./read-segment.js";

/** Of the mappings that are given back when there are too many: so the search for the oldest is not made for each. */
const EVICTED_SHARE = 8;

/**
 * The files that are mapped for reading, bounded in number: the least recently used that nobody holds are unmapped first. A segment
 * that was unmapped is mapped again by its owner. File descriptors are not kept. Main thread.
 */
export class ReadSegmentTable {
  readonly #storage: Storage;
  readonly #segmentSize: number;
  readonly #limit: number;
  readonly #access: "read" | "view";
  readonly #segments = new Set<ReadSegment>();
  #clock = 0;
  #isClosed = false;

  /** @param access `view` where the bytes are handed out */
  constructor(storage: Storage, segmentSize: number, limit: number, access: "read" | "view" = "read") {
    this.#storage = storage;
    this.#access = access;
    this.#segmentSize = segmentSize;
    this.#limit = limit;
  }

  get size(): number {
    return this.#segments.size;
  }

  [Symbol.iterator](): IterableIterator<ReadSegment> {
    return this.#segments.values();
  }

  /**
   * Undefined when the file is gone, and after {@link close}.
   *
   * @throws MillraceError `ERR_SEGMENT_SIZE`: pages behind the end of a short file would kill the process
   */
  map(path: string, fromOffset: number): ReadSegment | undefined {
    if (this.#isClosed) return undefined;
    if (this.#segments.size >= this.#limit) this.#evict();
    const file = openIfThere(this.#storage, path);
    if (file === undefined) return undefined;
    try {
      const length = file.size();
      if (length !== this.#segmentSize) {
        const values = `path=${path} length=${length} expected=${this.#segmentSize}`;
        const message = `a file has changed its length while the store was open: ${values}`;
        throw new MillraceError("ERR_SEGMENT_SIZE", message);
      }
      const segment = new ReadSegment(file.map(this.#access), fromOffset);
      this.#segments.add(segment);
      this.touch(segment);
      return segment;
    } finally {
      file.close();
    }
  }

  touch(segment: ReadSegment): void {
    segment.usedAt = ++this.#clock;
  }

  /** Unmapped now, or with its last lease; until then it stays in the table. */
  shutdown(segment: ReadSegment): void {
    segment.shutdown();
    if (!segment.isMapped) this.#segments.delete(segment);
  }

  releaseByForce(segment: ReadSegment): void {
    segment.releaseByForce();
    this.#segments.delete(segment);
  }

  /** Unmaps everything, whoever holds it; nothing is mapped any more. */
  close(): void {
    this.#isClosed = true;
    for (const segment of this.#segments) this.releaseByForce(segment);
  }

  #evict(): void {
    for (const segment of this.#segments) if (!segment.isMapped) this.#segments.delete(segment);
    const idle = [...this.#segments].filter((segment) => segment.holders === 0).sort((a, b) => a.usedAt - b.usedAt);
    const surplus = this.#segments.size - this.#limit + Math.ceil(this.#limit / EVICTED_SHARE);
    for (const segment of idle.slice(0, Math.max(0, surplus))) this.shutdown(segment);
  }
}
