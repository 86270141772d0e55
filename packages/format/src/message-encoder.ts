import { setInt64 } from "./big-endian.js";
import { crc32 } from "./crc32.js";
import {
  BODY_CRC_OFFSET,
  BODY_LENGTH_OFFSET,
  BODY_OFFSET,
  BORN_HOST_OFFSET,
  BORN_TIMESTAMP_OFFSET,
  CRC_MASK,
  FLAG_OFFSET,
  IPV4_HOST_LENGTH,
  MAGIC_OFFSET,
  MESSAGE_BASE_LENGTH,
  MESSAGE_MAGIC_V1,
  MESSAGE_MAGIC_V2,
  NAME_VALUE_SEPARATOR,
  PHYSICAL_OFFSET_OFFSET,
  PREPARED_TRANSACTION_OFFSET_OFFSET,
  PROPERTY_CRC_DIGITS,
  PROPERTY_CRC_DIGITS_OFFSET,
  PROPERTY_CRC_LENGTH,
  PROPERTY_CRC_NAME,
  PROPERTY_SEPARATOR,
  QUEUE_ID_OFFSET,
  QUEUE_OFFSET_OFFSET,
  RECONSUME_TIMES_OFFSET,
  STORE_TIMESTAMP_OFFSET,
  SYS_FLAG_BORN_HOST_V6,
  SYS_FLAG_OFFSET,
  SYS_FLAG_STORE_HOST_V6,
  TOTAL_SIZE_OFFSET,
} from "./message-descriptor.js";

/**
 * A record's content, everything already bytes. One object serves a whole producer: the encoder reads it and keeps nothing.
 * (RocketMQ: `MessageExtBrokerInner` as `MessageExtEncoder` sees it.)
 */
export interface MessageFields {
  topic: Uint8Array;
  queueId: number;
  flag: number;
  /** Transaction type and compression bits; the two host bits are set by the encoder from the hosts' lengths. */
  sysFlag: number;
  /** Milliseconds. */
  bornTimestamp: number;
  /** 4 or 16 address bytes and a 32-bit port. */
  bornHost: Uint8Array;
  storeHost: Uint8Array;
  reconsumeTimes: number;
  preparedTransactionOffset: number;
  body: Uint8Array;
  /** The encoded property string; only the first `propertiesLength` bytes count. Without the CRC property. */
  properties: Uint8Array;
  propertiesLength: number;
}

/** V2 exactly when the topic needs two bytes for its length (RocketMQ: `autoMessageVersionOnTopicLen`). */
function isLongTopic(topic: Uint8Array): boolean {
  return topic.length > 127;
}

/** Property bytes of the record: with the CRC property, and the separator it needs before it. */
export function storedPropertiesLength(message: MessageFields, appendPropertyCrc: boolean): number {
  const length = message.propertiesLength;
  if (!appendPropertyCrc) return length;
  const open = length > 0 && message.properties[length - 1] !== PROPERTY_SEPARATOR;
  return length + (open ? 1 : 0) + PROPERTY_CRC_LENGTH;
}

/** Position of the body inside the record. */
export function bodyOffsetOf(message: MessageFields): number {
  return BODY_OFFSET + message.bornHost.length + message.storeHost.length - 2 * IPV4_HOST_LENGTH;
}

export function encodedLength(message: MessageFields, storedProperties: number): number {
  return (
    MESSAGE_BASE_LENGTH +
    (isLongTopic(message.topic) ? 1 : 0) +
    (message.bornHost.length + message.storeHost.length - 2 * IPV4_HOST_LENGTH) +
    message.body.length +
    message.topic.length +
    storedProperties
  );
}

function copy(target: Uint8Array, position: number, source: Uint8Array, length: number): void {
  for (let i = 0; i < length; i++) target[position + i] = source[i] as number;
}

/** Below this many bytes a loop is faster than TypedArray.set. */
const LOOP_COPY_LIMIT = 32;

function copyAll(target: Uint8Array, position: number, source: Uint8Array): void {
  if (source.length < LOOP_COPY_LIMIT) copy(target, position, source, source.length);
  else target.set(source, position);
}

const CRC_NAME_BYTES = new TextEncoder().encode(PROPERTY_CRC_NAME);

/**
 * Writes everything that the producer knows; what only the appender knows (body CRC, queue offset, physical offset, store timestamp,
 * the digits of the property CRC) is left zero for {@link MessageSealer}. Specification of the encode kernel, and the maker of its
 * templates. `length` and `storedProperties` come from
 * {@link encodedLength} and {@link storedPropertiesLength}; the CRC property is there when they differ from the message's own.
 */
export function encodeMessage(
  view: DataView,
  bytes: Uint8Array,
  position: number,
  message: MessageFields,
  length: number,
  storedProperties: number,
): void {
  const { topic, body, bornHost, storeHost } = message;
  const long = isLongTopic(topic);
  const bornExtra = bornHost.length - IPV4_HOST_LENGTH;
  const extra = bornExtra + storeHost.length - IPV4_HOST_LENGTH;
  let sysFlag = message.sysFlag & ~(SYS_FLAG_BORN_HOST_V6 | SYS_FLAG_STORE_HOST_V6);
  if (bornExtra !== 0) sysFlag |= SYS_FLAG_BORN_HOST_V6;
  if (extra !== bornExtra) sysFlag |= SYS_FLAG_STORE_HOST_V6;
  view.setInt32(position + TOTAL_SIZE_OFFSET, length);
  view.setInt32(position + MAGIC_OFFSET, long ? MESSAGE_MAGIC_V2 : MESSAGE_MAGIC_V1);
  view.setInt32(position + BODY_CRC_OFFSET, 0);
  view.setInt32(position + QUEUE_ID_OFFSET, message.queueId);
  view.setInt32(position + FLAG_OFFSET, message.flag);
  setInt64(view, position + QUEUE_OFFSET_OFFSET, 0);
  setInt64(view, position + PHYSICAL_OFFSET_OFFSET, 0);
  view.setInt32(position + SYS_FLAG_OFFSET, sysFlag);
  setInt64(view, position + BORN_TIMESTAMP_OFFSET, message.bornTimestamp);
  copyAll(bytes, position + BORN_HOST_OFFSET, bornHost);
  let at = position + bornExtra + STORE_TIMESTAMP_OFFSET;
  setInt64(view, at, 0);
  copyAll(bytes, at + 8, storeHost);
  at = position + extra;
  view.setInt32(at + RECONSUME_TIMES_OFFSET, message.reconsumeTimes);
  setInt64(view, at + PREPARED_TRANSACTION_OFFSET_OFFSET, message.preparedTransactionOffset);
  view.setInt32(at + BODY_LENGTH_OFFSET, body.length);
  at += BODY_OFFSET;
  copyAll(bytes, at, body);
  at += body.length;
  if (long) {
    view.setInt16(at, topic.length);
    at += 2;
  } else {
    bytes[at++] = topic.length;
  }
  copyAll(bytes, at, topic);
  at += topic.length;
  view.setInt16(at, storedProperties);
  at += 2;
  encodeProperties(bytes, at, message, storedProperties);
}

function encodeProperties(bytes: Uint8Array, position: number, message: MessageFields, storedProperties: number): void {
  const length = message.propertiesLength;
  copy(bytes, position, message.properties, length);
  if (storedProperties === length) return;
  let at = position + length;
  const crcAt = position + storedProperties - PROPERTY_CRC_LENGTH;
  if (at !== crcAt) bytes[at++] = PROPERTY_SEPARATOR;
  copy(bytes, at, CRC_NAME_BYTES, CRC_NAME_BYTES.length);
  at += CRC_NAME_BYTES.length;
  bytes[at++] = NAME_VALUE_SEPARATOR;
  for (let i = 0; i < PROPERTY_CRC_DIGITS; i++) bytes[at + i] = 0;
  bytes[at + PROPERTY_CRC_DIGITS] = PROPERTY_SEPARATOR;
}

/**
 * The appender's half of the encoder: the four fields that only it knows, and the CRCs. On the hot path kernels do the same
 * (`packages/kernels/assembly`), and the tests hold them against this, which is their specification.
 * (RocketMQ: `CommitLog.DefaultAppendMessageCallback.doAppend`, `AppendMessageCallback` under putMessageLock.)
 */
export class MessageSealer {
  /**
   * @param position where the record starts in `bytes`
   * @param bodyOffset position of the body inside the record
   */
  seal(
    view: DataView,
    bytes: Uint8Array,
    position: number,
    length: number,
    bodyOffset: number,
    queueOffset: number,
    physicalOffset: number,
    storeTimestamp: number,
    appendPropertyCrc: boolean,
  ): void {
    const bodyAt = position + bodyOffset;
    const bodyLength = view.getInt32(bodyAt - 4);
    const bodyCrc = bodyLength === 0 ? 0 : crc32(bytes.subarray(bodyAt, bodyAt + bodyLength));
    view.setInt32(position + BODY_CRC_OFFSET, bodyCrc & CRC_MASK);
    setInt64(view, position + QUEUE_OFFSET_OFFSET, queueOffset);
    setInt64(view, position + PHYSICAL_OFFSET_OFFSET, physicalOffset);
    const bornV6 = (view.getInt32(position + SYS_FLAG_OFFSET) & SYS_FLAG_BORN_HOST_V6) !== 0;
    setInt64(view, position + STORE_TIMESTAMP_OFFSET + (bornV6 ? 12 : 0), storeTimestamp);
    if (!appendPropertyCrc) return;
    const end = position + length - PROPERTY_CRC_LENGTH;
    writeCrcDigits(bytes, end + PROPERTY_CRC_DIGITS_OFFSET, crc32(bytes.subarray(position, end)) & CRC_MASK);
  }
}

/** Ten decimal digits, least significant first. @forTests */
export function writeCrcDigits(bytes: Uint8Array, position: number, crc: number): void {
  for (let i = 0; i < PROPERTY_CRC_DIGITS; i++) {
    const rest = (crc / 10) | 0;
    bytes[position + i] = 0x30 + (crc - rest * 10);
    crc = rest;
  }
}
