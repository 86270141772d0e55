import { getInt64 } from "./big-endian.js";
import { javaStringHash } from "./java-hash.js";
import {
  NAME_VALUE_SEPARATOR,
  PHYSICAL_OFFSET_OFFSET,
  PROPERTY_SEPARATOR,
  QUEUE_ID_OFFSET,
  QUEUE_OFFSET_OFFSET,
} from "./message-descriptor.js";
import { decodeProperties } from "./message-properties.js";
import {
  PROPERTY_DELAY_TIME_LEVEL,
  PROPERTY_KEYS,
  PROPERTY_TAGS,
  PROPERTY_UNIQ_CLIENT_MESSAGE_ID_KEYIDX,
} from "./message-property-names.js";
import { isNameAt } from "./property-finder.js";
import { RecordCursor } from "./record-cursor.js";

const TAGS = Buffer.from(PROPERTY_TAGS);
const KEYS = Buffer.from(PROPERTY_KEYS);
const UNIQ_KEY = Buffer.from(PROPERTY_UNIQ_CLIENT_MESSAGE_ID_KEYIDX);
const DELAY = Buffer.from(PROPERTY_DELAY_TIME_LEVEL);

/**
 * One record of the log as the dispatchers see it: one object, read from the mapped segment without making strings, used for one record
 * after the other. (RocketMQ: `DispatchRequest`, `CommitLog.checkMessageAndReturnSize(readBody = false)`.)
 *
 * The `…Position` fields point into `bytes`; a length of -1 says that there is no such property.
 */
export class DispatchRequest {
  bytes: Uint8Array = new Uint8Array(0);
  /** Absolute offset of the record in the log, in bytes. */
  commitLogOffset = 0;
  msgSize = 0;
  queueId = 0;
  /** 0 for prepared and rollback. */
  consumeQueueOffset = 0;
  tagsPosition = 0;
  tagsLength = -1;
  keysPosition = 0;
  keysLength = -1;
  uniqKeyPosition = 0;
  uniqKeyLength = -1;
  delayPosition = 0;
  delayLength = -1;
  /** Over the same memory as `bytes`: through it the three numbers that each record is asked for are read faster. */
  #view = new DataView(this.bytes.buffer);
  readonly #record = new RecordCursor();

  get sysFlag(): number {
    return this.#record.sysFlag;
  }

  /** `SYS_FLAG_PREPARED`, `SYS_FLAG_COMMIT`, `SYS_FLAG_ROLLBACK` or 0. */
  get transactionType(): number {
    return this.#record.transactionType;
  }

  get topicPosition(): number {
    return this.#record.topicPosition;
  }

  get topicLength(): number {
    return this.#record.topicLength;
  }

  get propertiesPosition(): number {
    return this.#record.propertiesPosition;
  }

  get propertiesLength(): number {
    return this.#record.propertiesLength;
  }

  /** Milliseconds; 0 before the first record. */
  get storeTimestamp(): number {
    return this.#record.storeTimestamp;
  }

  get preparedTransactionOffset(): number {
    return this.#record.preparedTransactionOffset;
  }

  get topic(): string {
    return this.#text(this.topicPosition, this.topicLength);
  }

  /** Keys separated by spaces, as stored. */
  get keys(): string | undefined {
    return this.keysLength < 0 ? undefined : this.#text(this.keysPosition, this.keysLength);
  }

  get uniqKey(): string | undefined {
    return this.uniqKeyLength < 0 ? undefined : this.#text(this.uniqKeyPosition, this.uniqKeyLength);
  }

  get properties(): Map<string, string> {
    return decodeProperties(this.bytes.subarray(this.propertiesPosition, this.propertiesPosition + this.propertiesLength));
  }

  /** Java hash of the tags; 0 without tags. What a ConsumeQueue holds, but for delayed messages. */
  get tagsCode(): number {
    return hashOf(0, this.bytes, this.tagsPosition, this.tagsLength);
  }

  /** DELAY as a number; 0 without it. */
  get delayTimeLevel(): number {
    if (this.delayLength < 0) return 0;
    const level = Number(this.#text(this.delayPosition, this.delayLength));
    return Number.isInteger(level) ? level : 0;
  }

  /**
   * Takes in the record of `size` bytes at `position`, at least as long as the shortest record, which recovery has checked or this
   * store has written. False when the fields do not fill `size` bytes: then it is no record.
   */
  read(bytes: Uint8Array, position: number, size: number): boolean {
    const record = this.#record;
    if (this.bytes !== bytes) {
      this.bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    record.moveTo(bytes, position, this.#view);
    this.msgSize = size;
    this.commitLogOffset = getInt64(this.#view, position + PHYSICAL_OFFSET_OFFSET);
    this.queueId = this.#view.getInt32(position + QUEUE_ID_OFFSET);
    this.consumeQueueOffset = getInt64(this.#view, position + QUEUE_OFFSET_OFFSET);
    const isRecord = record.readLengths(size);
    this.#findProperties(record.propertiesPosition, position + size);
    return isRecord;
  }

  /** A later property of the same name replaces an earlier one, as in Java's map; one without a value counts for nothing. */
  #findProperties(position: number, end: number): void {
    const { bytes } = this;
    this.tagsLength = this.keysLength = this.uniqKeyLength = this.delayLength = -1;
    for (let at = position; at < end; ) {
      const name = at;
      while (at < end && bytes[at] !== NAME_VALUE_SEPARATOR && bytes[at] !== PROPERTY_SEPARATOR) at++;
      const value = at + 1;
      while (at < end && bytes[at] !== PROPERTY_SEPARATOR) at++;
      if (at > value) this.#take(name, value - 1 - name, value, at - value);
      at++;
    }
  }

  #take(name: number, nameLength: number, value: number, valueLength: number): void {
    const { bytes } = this;
    switch (nameLength) {
      case TAGS.length: // and KEYS
        if (isNameAt(TAGS, bytes, name)) {
          this.tagsPosition = value;
          this.tagsLength = valueLength;
        } else if (isNameAt(KEYS, bytes, name)) {
          this.keysPosition = value;
          this.keysLength = valueLength;
        }
        return;
      case DELAY.length:
        if (!isNameAt(DELAY, bytes, name)) return;
        this.delayPosition = value;
        this.delayLength = valueLength;
        return;
      case UNIQ_KEY.length:
        if (!isNameAt(UNIQ_KEY, bytes, name)) return;
        this.uniqKeyPosition = value;
        this.uniqKeyLength = valueLength;
        return;
      default:
    }
  }

  #text(position: number, length: number): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + position, length).toString();
  }
}

/** Goes on with a Java string hash over UTF-8 bytes; a length below 0 is an empty text. */
export function hashOf(hash: number, bytes: Uint8Array, position: number, length: number): number {
  let h = hash;
  for (let i = position; i < position + length; i++) {
    const byte = bytes[i] as number;
    if (byte >= 0x80) return hashOfText(hash, bytes, position, length);
    h = (Math.imul(h, 31) + byte) | 0;
  }
  return h;
}

function hashOfText(hash: number, bytes: Uint8Array, position: number, length: number): number {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + position, length).toString();
  let power = 1;
  for (let i = 0; i < text.length; i++) power = Math.imul(power, 31);
  return (Math.imul(hash, power) + javaStringHash(text)) | 0;
}
