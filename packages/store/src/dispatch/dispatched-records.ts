import {
  BLANK_MAGIC,
  BLANK_RECORD_LENGTH,
  DispatchRequest,
  findNextRecord,
  int32At,
  isMessageMagic,
  MAGIC_OFFSET,
  MESSAGE_BASE_LENGTH,
  MessageChecker,
  TOTAL_SIZE_OFFSET,
} from "@millrace/format";
import { type MappedFile, SegmentDirectory, type Storage } from "@millrace/mapped-file";

/** Records that have been dispatched already, read again. Dispatch thread, off the hot path. */
export class DispatchedRecords {
  readonly request = new DispatchRequest();
  readonly #storage: Storage;
  readonly #segments: SegmentDirectory;
  readonly #checker = new MessageChecker();
  #view: DataView = new DataView(new ArrayBuffer(0));
  #segment: MappedFile | undefined;

  constructor(storage: Storage, directory: string, segmentSize: number) {
    this.#storage = storage;
    this.#segments = new SegmentDirectory(directory, segmentSize);
  }

  /** Whether a record begins there, and ends before `end`; then it is the {@link request}. */
  read(offset: number, end: number): boolean {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset + MESSAGE_BASE_LENGTH > end) return false;
    const segment = this.#segmentOf(offset);
    if (segment === undefined) return false;
    const { bytes, fromOffset, size: segmentSize } = segment;
    const position = offset - fromOffset;
    const size = int32At(bytes, position + TOTAL_SIZE_OFFSET);
    if (!isMessageMagic(int32At(bytes, position + MAGIC_OFFSET)) || size < MESSAGE_BASE_LENGTH) return false;
    if (size > segmentSize - position || offset + size > end) return false;
    return this.request.read(bytes, position, size) && this.request.commitLogOffset === offset;
  }

  /** Whether the record that {@link read} has found is as it was written: its CRC too. */
  isAsWritten(offset: number): boolean {
    const segment = this.#segmentOf(offset);
    if (segment === undefined) return false;
    const { bytes, fromOffset } = segment;
    return this.#checker.check(this.#viewOf(bytes), bytes, offset - fromOffset, bytes.length, offset, true) > 0;
  }

  /** Where the next record begins after {@link read}, or after bytes in which none could be read; otherwise where the next segment does. */
  after(offset: number, isRead: boolean): number {
    const segmentEnd = this.#segments.endOf(offset);
    const segment = this.#segmentOf(offset);
    if (segment === undefined) return segmentEnd;
    const { bytes, fromOffset, size } = segment;
    if (!isRead) {
      const position = findNextRecord(this.#viewOf(bytes), offset - fromOffset, offset, size);
      return position < 0 || int32At(bytes, position + MAGIC_OFFSET) === BLANK_MAGIC ? segmentEnd : fromOffset + position;
    }
    const next = offset + this.request.msgSize;
    if (segmentEnd - next < BLANK_RECORD_LENGTH) return segmentEnd;
    return int32At(bytes, next - fromOffset + MAGIC_OFFSET) === BLANK_MAGIC ? segmentEnd : next;
  }

  #viewOf(bytes: Uint8Array): DataView {
    if (this.#view.buffer !== bytes.buffer) this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return this.#view;
  }

  startOfSegment(offset: number): number {
    return this.#segments.startOf(offset);
  }

  close(): void {
    this.#segment?.close();
    this.#segment = undefined;
  }

  /** Undefined where its file has gone: retention was quicker, or somebody else has deleted it. Then nobody has its records. */
  #segmentOf(offset: number): MappedFile | undefined {
    const current = this.#segment;
    if (current !== undefined && offset >= current.fromOffset && offset < current.endOffset) return current;
    this.close();
    const segment = this.#segments.at(this.#storage, offset, "read");
    try {
      void segment.file; // opens it
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    this.#segment = segment;
    return segment;
  }
}
