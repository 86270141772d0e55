import { type MappedFile, SegmentDirectory, type Storage } from "@millrace/mapped-file";
import type { MessageStoreConfig } from "../config/message-store-config.js";

/**
 * The log as one slave is sent it: bytes of its segments, through the channel. The segment that is being sent is open, and that is its
 * lease: retention may take its name, but its bytes stay until the next one is entered.
 */
export class LogBytes {
  readonly #storage: Storage;
  readonly #segments: SegmentDirectory;
  #segment: MappedFile | undefined;

  constructor(storage: Storage, config: MessageStoreConfig) {
    this.#storage = storage;
    this.#segments = new SegmentDirectory(config.storePathCommitLog, config.mappedFileSizeCommitLog);
  }

  /**
   * Fills `target` from `offset` on, as far as the segment and the log go. Returns how many bytes.
   *
   * @param end one past the last byte that may be sent
   * @throws the system's error; ENOENT when retention has taken the segment
   */
  read(offset: number, end: number, target: Uint8Array): number {
    const length = Math.min(target.length, end - offset, this.#segments.endOf(offset) - offset);
    if (length <= 0) return 0;
    const segment = this.#segmentOf(offset);
    return segment.file.read(target.subarray(0, length), offset - segment.fromOffset);
  }

  close(): void {
    this.#segment?.close();
    this.#segment = undefined;
  }

  #segmentOf(offset: number): MappedFile {
    const current = this.#segment;
    if (current !== undefined && offset >= current.fromOffset && offset < current.endOffset) return current;
    current?.close();
    this.#segment = this.#segments.at(this.#storage, offset, "read");
    return this.#segment;
  }
}
