import { parseSegmentFileName } from "@millrace/format";
import { SegmentDirectory, type Storage } from "@millrace/mapped-file";

/** Where the segments of a log that somebody else writes begin and end. */
export class FollowedLog {
  /** First byte of the first segment of the unbroken row that ends with the last one; it never goes back. */
  minOffset = 0;
  /** One past the last byte of the last segment, written or not. */
  endOfFiles = 0;
  readonly #storage: Storage;
  readonly #segments: SegmentDirectory;

  constructor(storage: Storage, directory: string, segmentSize: number) {
    this.#storage = storage;
    this.#segments = new SegmentDirectory(directory, segmentSize);
    this.refresh();
  }

  /** Segments that have their length and their place; a directory that is empty for a moment says nothing. */
  refresh(): void {
    const size = this.#segments.segmentSize;
    const starts = this.#storage
      .list(this.#segments.path)
      .flatMap((entry) => (entry.kind === "file" && entry.size === size ? [parseSegmentFileName(entry.name) ?? -1] : []))
      .filter((start) => start >= 0 && this.#segments.isStart(start))
      .sort((a, b) => b - a);
    const [last] = starts;
    if (last === undefined) return;
    let first = last;
    for (const start of starts) if (start === first - size) first = start;
    this.minOffset = Math.max(this.minOffset, first);
    this.endOfFiles = last + size;
  }
}
