import {
  BLANK_MAGIC,
  BLANK_RECORD_LENGTH,
  DispatchRequest,
  int32At,
  isMessageMagic,
  MAGIC_OFFSET,
  MESSAGE_BASE_LENGTH,
  TOTAL_SIZE_OFFSET,
} from "@millrace/format";
import { type MappedFile, SegmentDirectory, type Storage } from "@millrace/mapped-file";

/** Records that have been dispatched already, read again. Dispatch thread, off the hot path. */
export class DispatchedRecords {
  readonly request = new DispatchRequest();
  readonly #storage: Storage;
  readonly #segments: SegmentDirectory;
  #segment: MappedFile | undefined;

  constructor(storage: Storage, directory: string, segmentSize: number) {
    this.#storage = storage;
    this.#segments = new SegmentDirectory(directory, segmentSize);
  }

  /** Whether a record begins there, and ends before `end`; then it is the {@link request}. */
  read(offset: number, end: number): boolean {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset + MESSAGE_BASE_LENGTH > end) return false;
    const { bytes, fromOffset, size: segmentSize } = this.#segmentOf(offset);
    const position = offset - fromOffset;
    const size = int32At(bytes, position + TOTAL_SIZE_OFFSET);
    if (!isMessageMagic(int32At(bytes, position + MAGIC_OFFSET)) || size < MESSAGE_BASE_LENGTH) return false;
    if (size > segmentSize - position || offset + size > end) return false;
    return this.request.read(bytes, position, size) && this.request.commitLogOffset === offset;
  }

  /** Where the next record begins after {@link read}, or where the next segment does when none could be read. */
  after(offset: number, isRead: boolean): number {
    const segmentEnd = this.#segments.endOf(offset);
    if (!isRead) return segmentEnd;
    const next = offset + this.request.msgSize;
    if (segmentEnd - next < BLANK_RECORD_LENGTH) return segmentEnd;
    const { bytes, fromOffset } = this.#segmentOf(offset);
    return int32At(bytes, next - fromOffset + MAGIC_OFFSET) === BLANK_MAGIC ? segmentEnd : next;
  }

  startOfSegment(offset: number): number {
    return this.#segments.startOf(offset);
  }

  close(): void {
    this.#segment?.close();
    this.#segment = undefined;
  }

  #segmentOf(offset: number): MappedFile {
    const current = this.#segment;
    if (current !== undefined && offset >= current.fromOffset && offset < current.endOffset) return current;
    this.close();
    this.#segment = this.#segments.at(this.#storage, offset, "read");
    return this.#segment;
  }
}
