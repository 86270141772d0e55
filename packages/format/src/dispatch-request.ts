import { getInt64 } from "./big-endian.js";
import { javaStringHash } from "./java-hash.js";
import {
  BODY_LENGTH_OFFSET,
  BODY_OFFSET,
  IPV6_EXTRA_LENGTH,
  MAGIC_OFFSET,
  MESSAGE_BASE_LENGTH,
  MESSAGE_MAGIC_V2,
  NAME_VALUE_SEPARATOR,
  PHYSICAL_OFFSET_OFFSET,
  PREPARED_TRANSACTION_OFFSET_OFFSET,
  PROPERTIES_LENGTH_BYTES,
  PROPERTY_SEPARATOR,
  QUEUE_ID_OFFSET,
  QUEUE_OFFSET_OFFSET,
  STORE_TIMESTAMP_OFFSET,
  SYS_FLAG_BORN_HOST_V6,
  SYS_FLAG_OFFSET,
  SYS_FLAG_STORE_HOST_V6,
  SYS_FLAG_TRANSACTION_MASK,
  TOPIC_LENGTH_BYTES_V1,
  TOPIC_LENGTH_BYTES_V2,
} from "./message-descriptor.js";
import { decodeProperties } from "./message-properties.js";
import {
  PROPERTY_DELAY_TIME_LEVEL,
  PROPERTY_KEYS,
  PROPERTY_TAGS,
  PROPERTY_UNIQ_CLIENT_MESSAGE_ID_KEYIDX,
} from "./message-property-names.js";

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
  sysFlag = 0;
  /** `SYS_FLAG_PREPARED`, `SYS_FLAG_COMMIT`, `SYS_FLAG_ROLLBACK` or 0. */
  transactionType = 0;
  topicPosition = 0;
  topicLength = 0;
  propertiesPosition = 0;
  propertiesLength = 0;
  tagsPosition = 0;
  tagsLength = -1;
  keysPosition = 0;
  keysLength = -1;
  uniqKeyPosition = 0;
  uniqKeyLength = -1;
  delayPosition = 0;
  delayLength = -1;
  /** Over the same memory as `bytes`; made anew only when that changes. */
  #view = new DataView(this.bytes.buffer);
  /** Where the record would begin if its hosts before the field were IPv4. */
  #storeTimestampBase = 0;
  #afterHostsBase = 0;

  /** Milliseconds; 0 before the first record. */
  get storeTimestamp(): number {
    return this.bytes.length === 0 ? 0 : getInt64(this.#view, this.#storeTimestampBase + STORE_TIMESTAMP_OFFSET);
  }

  get preparedTransactionOffset(): number {
    return getInt64(this.#view, this.#afterHostsBase + PREPARED_TRANSACTION_OFFSET_OFFSET);
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
    if (this.bytes !== bytes) {
      this.bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    const view = this.#view;
    this.msgSize = size;
    this.commitLogOffset = getInt64(view, position + PHYSICAL_OFFSET_OFFSET);
    this.queueId = view.getInt32(position + QUEUE_ID_OFFSET);
    this.consumeQueueOffset = getInt64(view, position + QUEUE_OFFSET_OFFSET);
    const sysFlag = view.getInt32(position + SYS_FLAG_OFFSET);
    this.sysFlag = sysFlag;
    this.transactionType = sysFlag & SYS_FLAG_TRANSACTION_MASK;
    const afterBornHost = position + ((sysFlag & SYS_FLAG_BORN_HOST_V6) === 0 ? 0 : IPV6_EXTRA_LENGTH);
    const afterHosts = afterBornHost + ((sysFlag & SYS_FLAG_STORE_HOST_V6) === 0 ? 0 : IPV6_EXTRA_LENGTH);
    this.#storeTimestampBase = afterBornHost;
    this.#afterHostsBase = afterHosts;
    const end = position + size;
    if (afterHosts + MESSAGE_BASE_LENGTH - position > size) return false;
    const bodyLength = view.getInt32(afterHosts + BODY_LENGTH_OFFSET);
    let at = afterHosts + BODY_OFFSET + bodyLength;
    if (bodyLength < 0 || at >= end) return false;
    const isV2 = view.getInt32(position + MAGIC_OFFSET) === MESSAGE_MAGIC_V2;
    if (isV2 && at + TOPIC_LENGTH_BYTES_V2 > end) return false;
    this.topicLength = isV2 ? view.getInt16(at) : view.getInt8(at);
    this.topicPosition = at + (isV2 ? TOPIC_LENGTH_BYTES_V2 : TOPIC_LENGTH_BYTES_V1);
    at = this.topicPosition + this.topicLength;
    if (this.topicLength < 0 || at + PROPERTIES_LENGTH_BYTES > end) return false;
    this.propertiesLength = view.getInt16(at);
    this.propertiesPosition = at + PROPERTIES_LENGTH_BYTES;
    if (this.propertiesPosition + this.propertiesLength !== end) return false;
    this.#findProperties(end);
    return true;
  }

  /** A later property of the same name replaces an earlier one, as in Java's map; one without a value counts for nothing. */
  #findProperties(end: number): void {
    const { bytes } = this;
    this.tagsLength = this.keysLength = this.uniqKeyLength = this.delayLength = -1;
    for (let at = this.propertiesPosition; at < end; ) {
      const name = at;
      while (at < end && bytes[at] !== NAME_VALUE_SEPARATOR && bytes[at] !== PROPERTY_SEPARATOR) at++;
      const nameEnd = at;
      if (at < end && bytes[at] === NAME_VALUE_SEPARATOR) at++;
      const value = at;
      while (at < end && bytes[at] !== PROPERTY_SEPARATOR) at++;
      if (at > value) this.#take(name, nameEnd - name, value, at - value);
      at++;
    }
  }

  #take(name: number, nameLength: number, value: number, valueLength: number): void {
    const { bytes } = this;
    switch (nameLength) {
      case TAGS.length: // and KEYS
        if (isAt(TAGS, bytes, name)) {
          this.tagsPosition = value;
          this.tagsLength = valueLength;
        } else if (isAt(KEYS, bytes, name)) {
          this.keysPosition = value;
          this.keysLength = valueLength;
        }
        return;
      case DELAY.length:
        if (!isAt(DELAY, bytes, name)) return;
        this.delayPosition = value;
        this.delayLength = valueLength;
        return;
      case UNIQ_KEY.length:
        if (!isAt(UNIQ_KEY, bytes, name)) return;
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

function isAt(name: Uint8Array, bytes: Uint8Array, position: number): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[position + i] !== name[i]) return false;
  return true;
}
