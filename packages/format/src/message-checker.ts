import { QUEUE_OFFSET_LIMIT } from "./consume-queue-descriptor.js";
import { crc32 } from "./crc32.js";
import {
  BLANK_MAGIC,
  BLANK_RECORD_LENGTH,
  BODY_CRC_OFFSET,
  CRC_MASK,
  MAGIC_OFFSET,
  MESSAGE_BASE_LENGTH,
  NAME_VALUE_SEPARATOR,
  PROPERTY_CRC_DIGITS,
  PROPERTY_CRC_LENGTH,
  PROPERTY_CRC_NAME,
  PROPERTY_SEPARATOR,
  TOTAL_SIZE_OFFSET,
} from "./message-descriptor.js";
import { isMessageMagic, RecordCursor } from "./record-cursor.js";

/** What {@link MessageChecker.check} returns instead of a size. */
export const MessageVerdict = {
  /** A blank record that fills the rest of the segment. */
  BLANK: 0,
  /** The bytes end before the record does. */
  TRUNCATED: -1,
  /** Size and magic are zero: nothing was ever written here. */
  EMPTY: -2,
  BAD_MAGIC: -3,
  /** A blank record that ends anywhere but at the limit. */
  BAD_BLANK: -4,
  /** The lengths inside the record do not add up to its size. */
  BAD_LAYOUT: -5,
  /** Queue id or queue offset is negative, or an i64 is beyond 2^53. */
  BAD_FIELD: -6,
  /** Intact as far as seen, but written for another place: a stale record. */
  WRONG_PHYSICAL_OFFSET: -7,
  BAD_BODY_CRC: -8,
  BAD_PROPERTY_CRC: -9,
} as const;

export type MessageVerdictName = keyof typeof MessageVerdict;

const VERDICT_NAMES = new Map<number, MessageVerdictName>(
  Object.entries(MessageVerdict).map(([name, code]) => [code, name as MessageVerdictName]),
);

/** Name of a code below or equal to zero. */
export function messageVerdictName(code: number): MessageVerdictName {
  const name = VERDICT_NAMES.get(code);
  if (name === undefined) throw new RangeError(`not a verdict code=${code}`);
  return name;
}

/** Do not compare the physical offset. @forTests */
export const ANY_PHYSICAL_OFFSET = -1;

const CRC_NAME_VIEW = new DataView(new TextEncoder().encode(PROPERTY_CRC_NAME).buffer);
const CRC_NAME_FIRST = CRC_NAME_VIEW.getInt32(0);
const CRC_NAME_SECOND = CRC_NAME_VIEW.getInt32(4);
const CRC_DIGITS_AT = PROPERTY_CRC_NAME.length + 1;

/** So many wrong bits in name and separators still make a damaged CRC property, if its digits are right. */
const CRC_NAME_WRONG_BITS = 8;
const SEPARATOR = Uint8Array.of(PROPERTY_SEPARATOR);
const DIGIT_ZERO = 0x30;

/** CRC of `bytes` from `start` to `end`; signed 32-bit. */
export type RangeCrc = (bytes: Uint8Array, start: number, end: number) => number;

/**
 * Says whether the bytes at a place are one good record, for scans over whole segments.
 * (RocketMQ: `CommitLog.checkMessageAndReturnSize`, which trusts lengths and never compares the physical offset.)
 *
 * Nothing read from the bytes is used before it is checked. One object serves a whole scan: the fields hold what the last good
 * record said, and nothing is allocated per record but, by default, the view the CRC is computed over.
 */
export class MessageChecker {
  magic = 0;
  queueId = 0;
  sysFlag = 0;
  /** `SYS_FLAG_PREPARED`, `SYS_FLAG_COMMIT`, `SYS_FLAG_ROLLBACK` or 0. */
  transactionType = 0;
  queueOffset = 0;
  physicalOffset = 0;
  /** Milliseconds. */
  storeTimestamp = 0;
  /** All positions are in the bytes given, not in the record. */
  bodyPosition = 0;
  bodyLength = 0;
  topicPosition = 0;
  topicLength = 0;
  propertiesPosition = 0;
  propertiesLength = 0;
  /** Length of the blank record that {@link check} answered `BLANK` for. */
  blankLength = 0;
  readonly #record = new RecordCursor();
  readonly #crc: RangeCrc;

  /** @param crc who has the bytes where CRCs are cheaper says how they are computed there */
  constructor(crc: RangeCrc = crcOfRange) {
    this.#crc = crc;
  }

  /**
   * @param view the same memory as `bytes`
   * @param limit where the segment's bytes end, at most `bytes.length`
   * @param expectedPhysicalOffset what the record must carry, or {@link ANY_PHYSICAL_OFFSET}
   * @param checkCrc verify the property CRC where the record has one, otherwise the body CRC
   * @returns the record's size, or a {@link MessageVerdict} (zero or negative)
   */
  check(
    view: DataView,
    bytes: Uint8Array,
    position: number,
    limit: number,
    expectedPhysicalOffset: number,
    checkCrc: boolean,
  ): number {
    const room = Math.min(limit, bytes.length) - position;
    if (room < BLANK_RECORD_LENGTH) return MessageVerdict.TRUNCATED;
    const total = view.getInt32(position + TOTAL_SIZE_OFFSET);
    const magic = view.getInt32(position + MAGIC_OFFSET);
    if (!isMessageMagic(magic)) return this.#checkOtherMagic(total, magic, room);
    if (total < MESSAGE_BASE_LENGTH) return MessageVerdict.BAD_LAYOUT;
    if (total > room) return MessageVerdict.TRUNCATED;
    if (!this.#readLayout(view, bytes, position, total)) return MessageVerdict.BAD_LAYOUT;
    if (!this.#readFields()) return MessageVerdict.BAD_FIELD;
    if (expectedPhysicalOffset !== ANY_PHYSICAL_OFFSET && this.physicalOffset !== expectedPhysicalOffset) {
      return MessageVerdict.WRONG_PHYSICAL_OFFSET;
    }
    return checkCrc ? this.#checkCrc(view, bytes, position, total) : total;
  }

  #checkOtherMagic(total: number, magic: number, room: number): number {
    if (magic === BLANK_MAGIC) {
      if (total !== room) return MessageVerdict.BAD_BLANK;
      this.blankLength = total;
      return MessageVerdict.BLANK;
    }
    return magic === 0 && total === 0 ? MessageVerdict.EMPTY : MessageVerdict.BAD_MAGIC;
  }

  /** False when the lengths do not add up. */
  #readLayout(view: DataView, bytes: Uint8Array, position: number, total: number): boolean {
    const record = this.#record;
    record.moveTo(bytes, position, view);
    if (!record.readLengths(total)) return false;
    this.magic = record.magic;
    this.sysFlag = record.sysFlag;
    this.bodyPosition = record.bodyPosition;
    this.bodyLength = record.bodyLength;
    this.topicPosition = record.topicPosition;
    this.topicLength = record.topicLength;
    this.propertiesPosition = record.propertiesPosition;
    this.propertiesLength = record.propertiesLength;
    return true;
  }

  #readFields(): boolean {
    const record = this.#record;
    this.transactionType = record.transactionType;
    this.queueId = record.queueId;
    this.queueOffset = record.queueOffset;
    this.physicalOffset = record.physicalOffset;
    this.storeTimestamp = record.storeTimestamp;
    return (
      this.queueId >= 0 &&
      this.queueOffset >= 0 &&
      this.queueOffset < QUEUE_OFFSET_LIMIT &&
      this.physicalOffset >= 0 &&
      this.physicalOffset <= Number.MAX_SAFE_INTEGER &&
      Math.abs(this.storeTimestamp) <= Number.MAX_SAFE_INTEGER
    );
  }

  #checkCrc(view: DataView, bytes: Uint8Array, position: number, total: number): number {
    const crcAt = position + total - PROPERTY_CRC_LENGTH;
    // A body can look like the property, and reach to where it would stand when the properties are shorter.
    const wrongBits = this.propertiesLength < PROPERTY_CRC_LENGTH ? Infinity : wrongBitsOfCrcProperty(view, crcAt);
    if (wrongBits <= CRC_NAME_WRONG_BITS) {
      const crc = readCrcDigits(bytes, crcAt + CRC_DIGITS_AT);
      const matches = crc === (this.#crc(bytes, position, crcAt) & CRC_MASK);
      // Right digits after a name that is not quite right: the name is damaged. A property of a user never gets here.
      if (matches) return wrongBits === 0 ? total : MessageVerdict.BAD_PROPERTY_CRC;
      if (wrongBits === 0 && this.#isOwnName(bytes, position, crcAt, crc)) return MessageVerdict.BAD_PROPERTY_CRC;
    }
    if (this.bodyLength === 0) return total;
    const bodyCrc = this.#crc(bytes, this.bodyPosition, this.bodyPosition + this.bodyLength) & CRC_MASK;
    return bodyCrc === view.getInt32(position + BODY_CRC_OFFSET) ? total : MessageVerdict.BAD_BODY_CRC;
  }

  /**
   * Whether the name stands alone, and is not the end of a longer one of a user's. A separator before it that is damaged is a
   * separator.
   */
  #isOwnName(bytes: Uint8Array, position: number, crcAt: number, crc: number): boolean {
    if (crcAt === this.propertiesPosition || bytes[crcAt - 1] === PROPERTY_SEPARATOR) return true;
    return crc === (crc32(SEPARATOR, this.#crc(bytes, position, crcAt - 1)) & CRC_MASK);
  }
}

function crcOfRange(bytes: Uint8Array, start: number, end: number): number {
  return crc32(bytes.subarray(start, end));
}

/**
 * How many bits name and separators differ in from a CRC property's. The place is taken from the record's end alone: no
 * damaged length can hide it, since no two bytes of it read as the length of shorter properties.
 */
function wrongBitsOfCrcProperty(view: DataView, position: number): number {
  return (
    bitCount(view.getInt32(position) ^ CRC_NAME_FIRST) +
    bitCount(view.getInt32(position + 4) ^ CRC_NAME_SECOND) +
    bitCount(view.getUint8(position + PROPERTY_CRC_NAME.length) ^ NAME_VALUE_SEPARATOR) +
    bitCount(view.getUint8(position + PROPERTY_CRC_LENGTH - 1) ^ PROPERTY_SEPARATOR)
  );
}

function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The number that ten decimal digits, least significant first, stand for; -1 if one of them is not a digit. @forTests */
export function readCrcDigits(bytes: Uint8Array, position: number): number {
  let crc = 0;
  for (let i = PROPERTY_CRC_DIGITS - 1; i >= 0; i--) {
    const digit = (bytes[position + i] as number) - DIGIT_ZERO;
    if (digit < 0 || digit > 9) return -1;
    crc = crc * 10 + digit;
  }
  return crc;
}
