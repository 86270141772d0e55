import { SegmentDirectory, type Storage, type StorageFile } from "@millrace/mapped-file";

const WINDOW_LENGTH = 4 * 1024 * 1024;
const NOTHING = new Uint8Array(0);

/** Bytes of a log, read with calls and not through mappings: what a disk does not give is an error then, and not the end of the process. */
export class LogWindow {
  bytes: Uint8Array = NOTHING;
  view = new DataView(NOTHING.buffer);
  readonly #storage: Storage;
  readonly #segments: SegmentDirectory;
  #fromOffset = 0;
  #file: StorageFile | undefined;

  constructor(storage: Storage, directory: string, segmentSize: number) {
    this.#storage = storage;
    this.#segments = new SegmentDirectory(directory, segmentSize);
  }

  /** Bytes from an offset to the end of its segment. */
  roomAt(offset: number): number {
    return this.#segments.endOf(offset) - offset;
  }

  pathOf(offset: number): string {
    return this.#segments.pathOf(offset);
  }

  /** Position in {@link bytes} of an offset, with `length` bytes and more from there on, of one segment. Throws what the system says. */
  at(offset: number, length: number): number {
    const position = offset - this.#fromOffset;
    if (position >= 0 && position + length <= this.bytes.length) return position;
    const path = this.#segments.pathOf(offset);
    if (this.#file?.path !== path) {
      this.close();
      this.#file = this.#storage.open(path, "read");
    }
    const wanted = Math.min(this.roomAt(offset), Math.max(length, WINDOW_LENGTH));
    const bytes = new Uint8Array(wanted);
    const read = this.#file.read(bytes, offset - this.#segments.startOf(offset));
    if (read < length) throw Object.assign(new Error("a segment ends early"), { code: "ERR_SEGMENT_SIZE" });
    this.bytes = bytes.subarray(0, read);
    this.view = new DataView(bytes.buffer, 0, read);
    this.#fromOffset = offset;
    return 0;
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
    this.bytes = NOTHING;
  }
}
