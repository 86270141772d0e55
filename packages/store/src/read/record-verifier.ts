import {
  int32At,
  int64At,
  isMessageMagic,
  MAGIC_OFFSET,
  MESSAGE_BASE_LENGTH,
  MessageChecker,
  type MessageVerdictName,
  messageVerdictName,
  PHYSICAL_OFFSET_OFFSET,
  TOTAL_SIZE_OFFSET,
} from "@millrace/format";
import type { ReadSegment } from "./read-segment.js";
import { type CorruptPlace, RecordCorruptError } from "./record-corrupt-error.js";

/** A power of two that no record is shorter than: two of them never begin in one cell. */
const CELL_SHIFT = 31 - Math.clz32(MESSAGE_BASE_LENGTH);
const BITS_SHIFT = 3;
/** Segments whose records are remembered; those of others are checked again. At 1 GiB a segment it is 2 MiB for each. */
const REMEMBERED_SEGMENTS = 64;
/** Corrupt records remembered of a segment; what is corrupt beyond is found again, and reported again. */
const REMEMBERED_CORRUPT = 1024;

/** What is known of the records of one segment. */
class SegmentRecords {
  /** A bit for each cell that a good record begins in: 1/512 of the segment. */
  readonly good: Uint8Array;
  readonly corrupt = new Map<number, RecordCorruptError>();

  constructor(length: number) {
    this.good = new Uint8Array((length >> (CELL_SHIFT + BITS_SHIFT)) + 1);
  }
}

/**
 * Checks the CRC of each record when it is handed out for the first time since its segment was mapped, and remembers the good ones. What
 * this process has appended is believed for as long as the log ends in its segment: it is in the page cache as it was written. Main thread.
 */
export class RecordVerifier {
  /** Corrupt records found since the store was opened. */
  corruptRecords = 0;
  /** Told once of each corrupt record. */
  onCorrupt: (place: CorruptPlace) => void = () => {};
  /** Where the log ended when the store was opened. */
  readonly #openedAt: number;
  readonly #checker = new MessageChecker();
  /** Oldest first. */
  readonly #records = new Map<ReadSegment, SegmentRecords>();
  #lastSegment: ReadSegment | undefined;
  #lastRecords: SegmentRecords | undefined;

  constructor(openedAt: number) {
    this.#openedAt = openedAt;
  }

  /**
   * Undefined for a good record.
   *
   * @param size what somebody has found it to be
   * @param maxOffset end of the log, as it may be shown
   */
  errorOf(segment: ReadSegment, offset: number, size: number, maxOffset: number): RecordCorruptError | undefined {
    if (offset >= this.#openedAt && maxOffset < segment.endOffset) return undefined;
    const records = segment === this.#lastSegment ? (this.#lastRecords as SegmentRecords) : this.#recordsOf(segment);
    const position = offset - segment.fromOffset;
    const cell = position >> CELL_SHIFT;
    const byte = cell >> BITS_SHIFT;
    const bit = 1 << (cell & ((1 << BITS_SHIFT) - 1));
    if (((records.good[byte] as number) & bit) !== 0) return undefined;
    const known = records.corrupt.get(offset);
    if (known !== undefined) return known;
    const limit = Math.min(maxOffset, segment.endOffset) - segment.fromOffset;
    const verdict = this.#checker.check(segment.view, segment.bytes, position, limit, offset, true);
    if (verdict !== size) return this.#corrupt(records, { physicalOffset: offset, size, reason: reasonOf(verdict) });
    (records.good[byte] as number) |= bit;
    return undefined;
  }

  /**
   * The error of a record whose head is damaged, and which therefore is not found to be one; undefined when none begins there. Of magic,
   * physical offset and size two have to be right.
   *
   * @param size what somebody has found the record to be, if anybody has
   */
  errorOfHead(segment: ReadSegment, offset: number, size: number | undefined, maxOffset: number): RecordCorruptError | undefined {
    const { bytes, fromOffset } = segment;
    const position = offset - fromOffset;
    if (position + MESSAGE_BASE_LENGTH > bytes.length) return undefined;
    const total = int32At(bytes, position + TOTAL_SIZE_OFFSET);
    const isMagic = isMessageMagic(int32At(bytes, position + MAGIC_OFFSET));
    const isHere = int64At(bytes, position + PHYSICAL_OFFSET_OFFSET) === offset;
    const isSize = size === undefined ? total >= MESSAGE_BASE_LENGTH && isRecordAt(segment, offset + total) : total === size;
    if (Number(isMagic) + Number(isHere) + Number(isSize) < 2) return undefined;
    return this.errorOf(segment, offset, size ?? total, maxOffset);
  }

  #recordsOf(segment: ReadSegment): SegmentRecords {
    let records = this.#records.get(segment);
    if (records === undefined) {
      for (const oldest of this.#records.keys()) {
        if (this.#records.size < REMEMBERED_SEGMENTS) break;
        this.#records.delete(oldest);
      }
      records = new SegmentRecords(segment.bytes.length);
      this.#records.set(segment, records);
    }
    this.#lastSegment = segment;
    this.#lastRecords = records;
    return records;
  }

  #corrupt(records: SegmentRecords, place: CorruptPlace): RecordCorruptError {
    const error = new RecordCorruptError(place);
    if (records.corrupt.size < REMEMBERED_CORRUPT) records.corrupt.set(place.physicalOffset, error);
    this.corruptRecords++;
    this.onCorrupt(place);
    return error;
  }
}

/** A record of another size than it was said to have has lost its layout. */
function reasonOf(verdict: number): MessageVerdictName {
  return verdict > 0 ? "BAD_LAYOUT" : messageVerdictName(verdict);
}

function isRecordAt({ bytes, fromOffset }: ReadSegment, offset: number): boolean {
  const position = offset - fromOffset;
  if (position + MESSAGE_BASE_LENGTH > bytes.length) return false;
  return isMessageMagic(int32At(bytes, position + MAGIC_OFFSET)) && int64At(bytes, position + PHYSICAL_OFFSET_OFFSET) === offset;
}
