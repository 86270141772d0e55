import {
  BLANK_MAGIC,
  BLANK_RECORD_LENGTH,
  isMessageMagic,
  isTopicDirectoryLegal,
  MAGIC_OFFSET,
  MESSAGE_BASE_LENGTH,
  MessageChecker,
  MessageVerdict,
  messageVerdictName,
} from "@millrace/format";
import { isZero } from "@millrace/mapped-file";
import { FILLER_TOPIC } from "./filler-record.js";

/** Bytes of a segment that are no good record, between two that are. Positions in the segment. */
export interface BadRange {
  readonly start: number;
  /** Of the next good record; the segment's size when none follows. */
  readonly end: number;
  /** What stands at the start: a name of `MessageVerdict`, or `ILLEGAL_TOPIC`. */
  readonly found: string;
}

export interface SalvagedSegment {
  /** One past the last good record; the segment's size when it ends with a blank one. */
  readonly end: number;
  readonly messages: number;
  readonly bad: readonly BadRange[];
  /** Of the last good record, in milliseconds; 0 without one. */
  readonly storeTimestamp: number;
  /** Good records that an earlier salvage has put into bad places. */
  readonly fillers: number;
  /** One past the last byte that is not zero. */
  readonly dataEnd: number;
}

const ILLEGAL_TOPIC = "ILLEGAL_TOPIC";

/**
 * Finds every good record of a segment, whatever lies between them: after a bad place it goes on at the next byte where a record
 * begins that names this place and has the right CRCs. Bad bytes after the last good record are a range of their own.
 *
 * @param filler the least length of a bad range that another record follows; a shorter one takes that record, or a blank one, with it
 */
export function scanForGood(bytes: Uint8Array, fromOffset: number, filler: number): SalvagedSegment {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const checker = new MessageChecker();
  const bad: BadRange[] = [];
  let [position, end, messages, fillers, storeTimestamp] = [0, 0, 0, 0, 0];
  let range: { start: number; found: string } | undefined;
  while (position < bytes.length) {
    const verdict = checker.check(view, bytes, position, bytes.length, fromOffset + position, true);
    const isGood = verdict > 0 && isTopicDirectoryLegal(topicOf(bytes, checker));
    const isEnd = isGood || verdict === MessageVerdict.BLANK;
    if (isEnd && (range === undefined || verdict === MessageVerdict.BLANK || position - range.start >= filler)) {
      if (range !== undefined) bad.push({ ...range, end: position - range.start >= filler ? position : bytes.length });
      range = undefined;
      if (verdict === MessageVerdict.BLANK)
        return { end: bytes.length, messages, bad, storeTimestamp, fillers, dataEnd: bytes.length };
      messages++;
      if (topicOf(bytes, checker) === FILLER_TOPIC) fillers++;
      storeTimestamp = checker.storeTimestamp;
      position += verdict;
      end = position;
      continue;
    }
    if (range === undefined && verdict === MessageVerdict.EMPTY && isZero(bytes.subarray(position))) break;
    range ??= { start: position, found: verdict > 0 ? ILLEGAL_TOPIC : messageVerdictName(verdict) };
    position = nextCandidate(view, position + 1);
  }
  if (range !== undefined) bad.push({ ...range, end: bytes.length });
  const dataEnd = bytes.findLastIndex((byte) => byte !== 0) + 1;
  return { end, messages, bad, storeTimestamp, fillers, dataEnd };
}

/** Where a record, or a blank one, may begin, by its magic; the end of the bytes when none does. */
function nextCandidate(view: DataView, from: number): number {
  const last = view.byteLength - BLANK_RECORD_LENGTH;
  for (let at = from; at <= last; at++) {
    const magic = view.getInt32(at + MAGIC_OFFSET);
    if (isMessageMagic(magic) ? at + MESSAGE_BASE_LENGTH <= view.byteLength : magic === BLANK_MAGIC) return at;
  }
  return view.byteLength;
}

function topicOf(bytes: Uint8Array, { topicPosition, topicLength }: MessageChecker): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + topicPosition, topicLength).toString();
}
