import { getInt64 } from "./big-endian.js";
import {
  BLANK_MAGIC,
  BLANK_RECORD_LENGTH,
  MAGIC_OFFSET,
  MESSAGE_BASE_LENGTH,
  PHYSICAL_OFFSET_OFFSET,
} from "./message-descriptor.js";
import { isMessageMagic } from "./record-cursor.js";

/** Of a record, up to behind its physical offset. */
const HEAD_LENGTH = PHYSICAL_OFFSET_OFFSET + 8;

/**
 * Position of the first record, or blank record, behind a record that is not good: the next place that a record names as its own. None of
 * the bad record's lengths is believed. -1 when there is none.
 *
 * @param view the segment, or a part of it that begins at or before the bad record
 * @param position of the bad record
 * @param physicalOffset of the bad record
 * @param segmentEnd where the segment ends, in positions of `view`; it may lie beyond it
 */
export function findNextRecord(view: DataView, position: number, physicalOffset: number, segmentEnd: number): number {
  const last = view.byteLength - BLANK_RECORD_LENGTH;
  for (let at = position + MESSAGE_BASE_LENGTH; at <= last; at++) {
    const magic = view.getInt32(at + MAGIC_OFFSET);
    if (magic === BLANK_MAGIC && view.getInt32(at) === segmentEnd - at) return at;
    if (!isMessageMagic(magic) || at + HEAD_LENGTH > view.byteLength) continue;
    if (getInt64(view, at + PHYSICAL_OFFSET_OFFSET) === physicalOffset + at - position) return at;
  }
  return -1;
}
