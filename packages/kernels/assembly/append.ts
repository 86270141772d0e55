import {
  BLANK_RECORD_LENGTH,
  BODY_CRC_OFFSET,
  CRC_MASK,
  IPV6_EXTRA_LENGTH,
  PHYSICAL_OFFSET_OFFSET,
  PROPERTY_CRC_DIGITS_OFFSET,
  PROPERTY_CRC_LENGTH,
  QUEUE_OFFSET_OFFSET,
  STORE_TIMESTAMP_OFFSET,
  SYS_FLAG_BORN_HOST_V6,
  SYS_FLAG_OFFSET,
  TOTAL_SIZE_OFFSET,
} from "../../format/src/message-descriptor";
import { HINT_LENGTH } from "../../shared-memory/src/dispatch-hint-descriptor";
import {
  FRAME_BODY_OFFSET_WORD,
  FRAME_FLAG_BODY_CRC,
  FRAME_FLAG_NO_QUEUE_OFFSET,
  FRAME_FLAGS_WORD,
  FRAME_LENGTH,
  FRAME_MESSAGES_WORD,
  FRAME_POSITION_WORD,
  FRAME_QUEUE_SLOT_WORD,
  FRAME_RECORD_LENGTH_WORD,
  RESULT_LENGTH,
  RESULT_PHYSICAL_OFFSET_DOUBLE,
  RESULT_QUEUE_OFFSET_DOUBLE,
  RESULT_STATUS_WORD,
  RESULT_STORE_TIMESTAMP_DOUBLE,
} from "../../shared-memory/src/put-ring-descriptor";
import {
  APPENDED_BYTES_ADDRESS,
  APPENDED_FLAGS_ALL_ADDRESS,
  APPENDED_FLAGS_ANY_ADDRESS,
  APPENDED_HINTS_ADDRESS,
  APPENDED_MESSAGES_ADDRESS,
  LONG_BODY,
} from "../src/kernel-memory-descriptor";
import { get32, set32, set64 } from "./big-endian";
import { combine, crc32 } from "./crc32";
import { leaveHint } from "./hint";

/** CRC of a long body, where the host has a faster way than tables. */
declare function longBodyCrc(at: usize, length: u32): u32;

const WORD: u32 = 4;
const DOUBLE: u32 = 8;

/**
 * Appends frames: copies their records out of the ring to `target`, side by side, gives them queue offset, physical offset and store time,
 * seals them, and writes the results. The ring is only read. Ends before the first frame that does not fit `room` with a blank record
 * after it, or `targetLength`; after the one that reaches `groupBytes`; or after `count`. Returns how many it has taken; what it has done
 * besides is at `APPENDED_…`. (The readable specification is `MessageSealer` of `@millrace/format`.)
 *
 * @param frames, results where the arrays begin; `mask` is one less than their length
 * @param first sequence of the first frame modulo their count
 * @param offset physical offset of the first record
 * @param hints where the ring of hints begins; `hintMask` is one less than its length, `firstHint` where the first goes; `hintRoom` how
 * many may be left: records beyond that have none
 */
export function append(
  frames: usize,
  results: usize,
  mask: u32,
  first: u32,
  count: u32,
  ring: usize,
  queueOffsets: usize,
  putMessages: usize,
  putBytes: usize,
  target: usize,
  targetLength: u32,
  room: f64,
  groupBytes: u32,
  offset: f64,
  storeTimestamp: f64,
  sealsProperties: bool,
  hints: usize,
  hintMask: u32,
  firstHint: u32,
  hintRoom: u32,
): u32 {
  let at = target;
  let hinted: u32 = 0;
  let messages: u32 = 0;
  let any: u32 = 0;
  let all: u32 = ~0;
  let taken: u32 = 0;
  const targetEnd = target + targetLength;
  const groupEnd = target + groupBytes;
  const roomEnd = room - (BLANK_RECORD_LENGTH as f64);
  for (; taken < count && at < groupEnd; taken++) {
    const index = (first + taken) & mask;
    const frame = frames + index * FRAME_LENGTH;
    const length = load<u32>(frame + FRAME_RECORD_LENGTH_WORD * WORD);
    const end = at + length;
    if (end > targetEnd || ((end - target) as u32 as f64) > roomEnd) break;
    const flags = load<u32>(frame + FRAME_FLAGS_WORD * WORD);
    any |= flags;
    all &= flags;
    const frameMessages = load<u32>(frame + FRAME_MESSAGES_WORD * WORD);
    messages += frameMessages;
    memory.copy(at, ring + load<u32>(frame + FRAME_POSITION_WORD * WORD), length);
    const bodyOffset = load<u32>(frame + FRAME_BODY_OFFSET_WORD * WORD);
    const queueSlot = load<u32>(frame + FRAME_QUEUE_SLOT_WORD * WORD);
    const cell = queueSlot * DOUBLE;
    store<f64>(putMessages + cell, load<f64>(putMessages + cell) + (frameMessages as f64));
    store<f64>(putBytes + cell, load<f64>(putBytes + cell) + (length as f64));
    const queue = queueOffsets + cell;
    const counts = (flags & FRAME_FLAG_NO_QUEUE_OFFSET) === 0;
    const firstQueueOffset = counts ? load<f64>(queue) : 0.0;
    const result = results + index * RESULT_LENGTH;
    store<f64>(result + RESULT_PHYSICAL_OFFSET_DOUBLE * DOUBLE, offset);
    store<f64>(result + RESULT_QUEUE_OFFSET_DOUBLE * DOUBLE, firstQueueOffset);
    store<f64>(result + RESULT_STORE_TIMESTAMP_DOUBLE * DOUBLE, storeTimestamp);
    store<u32>(result + RESULT_STATUS_WORD * WORD, 0);
    let queueOffset = firstQueueOffset;
    for (; at < end; queueOffset += 1.0) {
      const recordLength = get32(at + TOTAL_SIZE_OFFSET);
      seal(at, recordLength, bodyOffset, queueOffset, offset, storeTimestamp, sealsProperties, (flags & FRAME_FLAG_BODY_CRC) !== 0);
      if (hinted < hintRoom) {
        const hint = hints + ((firstHint + hinted++) & hintMask) * HINT_LENGTH;
        leaveHint(hint, at, recordLength, bodyOffset, queueSlot, queueOffset, offset, storeTimestamp);
      }
      at += recordLength;
      offset += recordLength as f64;
    }
    if (counts) store<f64>(queue, queueOffset);
  }
  store<u32>(APPENDED_BYTES_ADDRESS, (at - target) as u32);
  store<u32>(APPENDED_MESSAGES_ADDRESS, messages);
  store<u32>(APPENDED_FLAGS_ANY_ADDRESS, any);
  store<u32>(APPENDED_FLAGS_ALL_ADDRESS, all);
  store<u32>(APPENDED_HINTS_ADDRESS, hinted);
  return taken;
}

/** One record; `knowsBodyCrc`: the producer has left its body's CRC, all 32 bits, in the place of the body CRC. */
function seal(
  at: usize,
  length: u32,
  bodyOffset: u32,
  queueOffset: f64,
  physicalOffset: f64,
  storeTimestamp: f64,
  sealsProperties: bool,
  knowsBodyCrc: bool,
): void {
  const bodyAt = at + bodyOffset;
  const bodyLength = get32(bodyAt - WORD);
  let bodyCrc: u32;
  if (knowsBodyCrc) bodyCrc = get32(at + BODY_CRC_OFFSET);
  else bodyCrc = bodyLength < (LONG_BODY as u32) ? crc32(bodyAt, bodyLength, 0) : longBodyCrc(bodyAt, bodyLength);
  const hostLength: u32 = (get32(at + SYS_FLAG_OFFSET) & SYS_FLAG_BORN_HOST_V6) !== 0 ? IPV6_EXTRA_LENGTH : 0;
  set32(at + BODY_CRC_OFFSET, bodyCrc & CRC_MASK);
  set64(at + QUEUE_OFFSET_OFFSET, queueOffset);
  set64(at + PHYSICAL_OFFSET_OFFSET, physicalOffset);
  set64(at + STORE_TIMESTAMP_OFFSET + hostLength, storeTimestamp);
  if (!sealsProperties) return;
  const bodyEnd = bodyAt + bodyLength;
  const end = at + length - PROPERTY_CRC_LENGTH;
  const upToBody = combine(crc32(at, bodyOffset, 0), bodyCrc, bodyAt, bodyLength);
  setDigits(end + PROPERTY_CRC_DIGITS_OFFSET, crc32(bodyEnd, (end - bodyEnd) as u32, upToBody) & CRC_MASK);
}

/** Ten decimal digits, the least significant first; both halves at once. */
function setDigits(at: usize, value: u32): void {
  let high = value / 100000;
  let low = value - high * 100000;
  for (let i: usize = 0; i < 5; i++) {
    const lowRest = low / 10;
    const highRest = high / 10;
    store<u8>(at + i, 0x30 + (low - lowRest * 10));
    store<u8>(at + i, 0x30 + (high - highRest * 10), 5);
    low = lowRest;
    high = highRest;
  }
}
