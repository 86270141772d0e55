import { BLANK_MAGIC, BLANK_RECORD_LENGTH, findNextRecord, int32At, MAGIC_OFFSET, MessageChecker } from "@millrace/format";
import type { MappedFile } from "@millrace/mapped-file";

/** A place of a segment. */
export interface SegmentRecord {
  /** In the segment, as its end. */
  readonly position: number;
  readonly end: number;
  /** Not when it is corrupt, and another record follows it. */
  readonly isGood: boolean;
}

/** The records of a segment, in order, up to the end of the log or to a corrupt one that none follows. */
export function* segmentRecords(
  { bytes, size, fromOffset }: MappedFile,
  logEnd: number,
): Generator<SegmentRecord, void, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const checker = new MessageChecker();
  const limit = Math.min(size, logEnd - fromOffset);
  let position = 0;
  while (limit - position >= BLANK_RECORD_LENGTH && int32At(bytes, position + MAGIC_OFFSET) !== BLANK_MAGIC) {
    const length = checker.check(view, bytes, position, size, fromOffset + position, true);
    const end = length > 0 ? position + length : findNextRecord(view, position, fromOffset + position, size);
    if (end < 0) return;
    yield { position, end, isGood: length > 0 };
    position = end;
  }
}
