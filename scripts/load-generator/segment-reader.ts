import { closeSync, openSync, readSync } from "node:fs";
import { SegmentDirectory } from "@millrace/mapped-file";

const WINDOW_LENGTH = 8 * 1024 * 1024;

/** Bytes of a commit log by physical offset, through a window that moves forward; never past a segment's end. */
export class SegmentReader {
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Bytes of the window that are filled. */
  length = 0;
  readonly #directory: SegmentDirectory;
  readonly #recordMax: number;
  /** Physical offset of the window's first byte. */
  #offset = 0;
  #segmentStart = -1;
  #fd = -1;

  /** @param recordMax length that a record has at most */
  constructor(directory: string, segmentSize: number, recordMax: number) {
    this.#directory = new SegmentDirectory(directory, segmentSize);
    this.#recordMax = recordMax;
    this.bytes = Buffer.alloc(Math.max(WINDOW_LENGTH, recordMax));
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
  }

  /** Position in `bytes` of this offset, with everything after it that a record there can hold. Throws what the file system throws. */
  seek(offset: number): number {
    const start = this.#directory.startOf(offset);
    const needed = Math.min(offset + this.#recordMax, this.#directory.endOf(offset));
    if (start !== this.#segmentStart || offset < this.#offset || needed > this.#offset + this.length) this.#fill(start, offset);
    return offset - this.#offset;
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
    this.#segmentStart = -1;
  }

  #fill(start: number, offset: number): void {
    if (start !== this.#segmentStart) {
      this.close();
      this.#fd = openSync(this.#directory.pathOf(start), "r");
      this.#segmentStart = start;
    }
    this.#offset = offset;
    this.length = 0;
    const wanted = Math.min(this.bytes.length, this.#directory.endOf(start) - offset);
    while (this.length < wanted) {
      const read = readSync(this.#fd, this.bytes, this.length, wanted - this.length, offset - start + this.length);
      if (read === 0) break;
      this.length += read;
    }
  }
}
