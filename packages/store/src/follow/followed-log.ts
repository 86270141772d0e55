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
  readonly #onReplaced: (fromOffset: number) => void;
  /** First offset of each segment → which file it is. One that is mapped keeps its inode: no other file gets its number. */
  #files = new Map<number, number>();

  /** @param onReplaced notified of each segment whose file has gone, or is another one: by a cut, by a recovery, by retention */
  constructor(storage: Storage, directory: string, segmentSize: number, onReplaced: (fromOffset: number) => void) {
    this.#storage = storage;
    this.#onReplaced = onReplaced;
    this.#segments = new SegmentDirectory(directory, segmentSize);
    this.refresh();
  }

  /** Segments that have their length and their place; a directory that is empty for a moment says nothing. */
  refresh(): void {
    const size = this.#segments.segmentSize;
    const files = new Map<number, number>();
    for (const entry of this.#storage.list(this.#segments.path)) {
      const start = entry.kind === "file" && entry.size === size ? parseSegmentFileName(entry.name) : undefined;
      if (start !== undefined && this.#segments.isStart(start)) files.set(start, entry.inode);
    }
    const starts = [...files.keys()].sort((a, b) => b - a);
    const [last] = starts;
    if (last === undefined) return;
    for (const [start, inode] of this.#files) if (files.get(start) !== inode) this.#onReplaced(start);
    this.#files = files;
    let first = last;
    for (const start of starts) if (start === first - size) first = start;
    this.minOffset = Math.max(this.minOffset, first);
    this.endOfFiles = last + size;
  }
}
