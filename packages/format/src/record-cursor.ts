import { int16At, int32At, int64At } from "./big-endian.js";
import {
  BODY_CRC_OFFSET,
  BODY_LENGTH_OFFSET,
  BODY_OFFSET,
  BORN_HOST_OFFSET,
  BORN_TIMESTAMP_OFFSET,
  FLAG_OFFSET,
  IPV4_HOST_LENGTH,
  IPV6_EXTRA_LENGTH,
  MAGIC_OFFSET,
  MESSAGE_BASE_LENGTH,
  MESSAGE_MAGIC_V1,
  MESSAGE_MAGIC_V2,
  PHYSICAL_OFFSET_OFFSET,
  PREPARED_TRANSACTION_OFFSET_OFFSET,
  PROPERTIES_LENGTH_BYTES,
  QUEUE_ID_OFFSET,
  QUEUE_OFFSET_OFFSET,
  RECONSUME_TIMES_OFFSET,
  STORE_HOST_OFFSET,
  STORE_TIMESTAMP_OFFSET,
  SYS_FLAG_BORN_HOST_V6,
  SYS_FLAG_OFFSET,
  SYS_FLAG_STORE_HOST_V6,
  SYS_FLAG_TRANSACTION_MASK,
  TOPIC_LENGTH_BYTES_V1,
  TOPIC_LENGTH_BYTES_V2,
  TOTAL_SIZE_OFFSET,
} from "./message-descriptor.js";

const NO_BYTES = new Uint8Array(0);
const INT32_LENGTH = Int32Array.BYTES_PER_ELEMENT;

/** Whether a record of a message begins with this; a blank one does not. */
export function isMessageMagic(magic: number): boolean {
  return magic === MESSAGE_MAGIC_V1 || magic === MESSAGE_MAGIC_V2;
}

/**
 * Whether a record of `size` bytes has a topic: the same walk as {@link RecordCursor.readLengths}, but only as far as the topic, and
 * with as few reads as can be. Every unit that is read asks it.
 *
 * @param view in which the whole record is there
 * @param topic over the topic's bytes, and nothing else
 */
export function hasTopic(view: DataView, position: number, size: number, topic: DataView): boolean {
  const sysFlag = view.getInt32(position + SYS_FLAG_OFFSET);
  let at = position + BODY_OFFSET;
  if ((sysFlag & SYS_FLAG_BORN_HOST_V6) !== 0) at += IPV6_EXTRA_LENGTH;
  if ((sysFlag & SYS_FLAG_STORE_HOST_V6) !== 0) at += IPV6_EXTRA_LENGTH;
  const isV2 = view.getInt32(position + MAGIC_OFFSET) === MESSAGE_MAGIC_V2;
  const topicLengthBytes = isV2 ? TOPIC_LENGTH_BYTES_V2 : TOPIC_LENGTH_BYTES_V1;
  const topicLength = topic.byteLength;
  const rest = position + size - at - topicLengthBytes - topicLength;
  if (rest < 0) return false;
  const bodyLength = view.getInt32(at + BODY_LENGTH_OFFSET - BODY_OFFSET);
  if (bodyLength < 0 || bodyLength > rest) return false;
  at += bodyLength;
  if ((isV2 ? view.getInt16(at) : view.getInt8(at)) !== topicLength) return false;
  at += topicLengthBytes;
  let i = 0;
  for (; i + INT32_LENGTH <= topicLength; i += INT32_LENGTH) if (view.getInt32(at + i) !== topic.getInt32(i)) return false;
  for (; i < topicLength; i++) if (view.getInt8(at + i) !== topic.getInt8(i)) return false;
  return true;
}

/**
 * Where the fields of one record lie, and what they hold: the only walk over {@link MESSAGE_BASE_LENGTH a record's layout}. One
 * object is moved from record to record. Bytes that are not there count as zero and nothing throws, also when a mapping is gone.
 *
 * Numbers are read when they are asked for; positions are in `bytes`.
 */
export class RecordCursor {
  bytes: Uint8Array = NO_BYTES;
  /** Where the record begins. */
  position = 0;
  sysFlag = 0;
  bodyPosition = 0;
  /** The lengths are {@link readLengths}'s: 0 from the first one on that does not fit. */
  bodyLength = 0;
  topicPosition = 0;
  topicLength = 0;
  propertiesPosition = 0;
  propertiesLength = 0;
  #view: DataView | undefined;
  /** Where the record would begin if the hosts before the field were IPv4. */
  #afterBornHost = 0;
  #afterHosts = 0;

  /**
   * Takes up the record that begins at a position, up to its body's length.
   *
   * @param view over the same bytes, where one is at hand and the whole record is there: reads through it are faster
   */
  moveTo(bytes: Uint8Array, position: number, view?: DataView): void {
    this.#view = view;
    const sysFlag = view === undefined ? int32At(bytes, position + SYS_FLAG_OFFSET) : view.getInt32(position + SYS_FLAG_OFFSET);
    const afterBornHost = position + ((sysFlag & SYS_FLAG_BORN_HOST_V6) === 0 ? 0 : IPV6_EXTRA_LENGTH);
    const afterHosts = afterBornHost + ((sysFlag & SYS_FLAG_STORE_HOST_V6) === 0 ? 0 : IPV6_EXTRA_LENGTH);
    this.bytes = bytes;
    this.position = position;
    this.sysFlag = sysFlag;
    this.#afterBornHost = afterBornHost;
    this.#afterHosts = afterHosts;
    this.bodyPosition = afterHosts + BODY_OFFSET;
  }

  /** Finds the body only. False when a record of `size` bytes has no room for it; it never points outside the record. */
  readBodyLength(size: number): boolean {
    const rest = this.#restForBody(size);
    const bodyLength = rest < 0 ? -1 : this.#int32(this.#afterHosts + BODY_LENGTH_OFFSET);
    const isInside = bodyLength >= 0 && bodyLength <= rest;
    this.bodyLength = isInside ? bodyLength : 0;
    return isInside;
  }

  /**
   * Finds body, topic and properties of a record of `size` bytes. False when their lengths do not add up to it; none points outside
   * the record.
   */
  readLengths(size: number): boolean {
    const { bytes, bodyPosition } = this;
    const end = this.position + size;
    this.topicLength = 0;
    this.propertiesLength = 0;
    this.topicPosition = end;
    this.propertiesPosition = end;
    if (!this.readBodyLength(size)) return false;
    const { bodyLength } = this;
    const isV2 = this.#isV2;
    const topicLengthBytes = isV2 ? TOPIC_LENGTH_BYTES_V2 : TOPIC_LENGTH_BYTES_V1;
    let rest = this.#restForBody(size) - bodyLength;
    const topicLengthAt = bodyPosition + bodyLength;
    const topicLength = isV2 ? this.#int16(topicLengthAt) : ((bytes[topicLengthAt] as number) << 24) >> 24;
    if (topicLength < 0 || topicLength > rest) return false;
    const topicPosition = topicLengthAt + topicLengthBytes;
    this.topicPosition = topicPosition;
    this.topicLength = topicLength;
    rest -= topicLength;
    const propertiesLengthAt = topicPosition + topicLength;
    if (this.#int16(propertiesLengthAt) !== rest) return false;
    this.propertiesPosition = propertiesLengthAt + PROPERTIES_LENGTH_BYTES;
    this.propertiesLength = rest;
    return true;
  }

  get #isV2(): boolean {
    return this.#int32(this.position + MAGIC_OFFSET) === MESSAGE_MAGIC_V2;
  }

  /** What body, topic and properties may take together. */
  #restForBody(size: number): number {
    const topicLengthBytes = this.#isV2 ? TOPIC_LENGTH_BYTES_V2 : TOPIC_LENGTH_BYTES_V1;
    return this.position + size - this.bodyPosition - topicLengthBytes - PROPERTIES_LENGTH_BYTES;
  }

  #int32(position: number): number {
    return this.#view === undefined ? int32At(this.bytes, position) : this.#view.getInt32(position);
  }

  #int16(position: number): number {
    return this.#view === undefined ? int16At(this.bytes, position) : this.#view.getInt16(position);
  }

  get totalSize(): number {
    return int32At(this.bytes, this.position + TOTAL_SIZE_OFFSET);
  }

  get magic(): number {
    return int32At(this.bytes, this.position + MAGIC_OFFSET);
  }

  get bodyCrc(): number {
    return int32At(this.bytes, this.position + BODY_CRC_OFFSET);
  }

  get queueId(): number {
    return int32At(this.bytes, this.position + QUEUE_ID_OFFSET);
  }

  get flag(): number {
    return int32At(this.bytes, this.position + FLAG_OFFSET);
  }

  get queueOffset(): number {
    return int64At(this.bytes, this.position + QUEUE_OFFSET_OFFSET);
  }

  get physicalOffset(): number {
    return int64At(this.bytes, this.position + PHYSICAL_OFFSET_OFFSET);
  }

  /** `SYS_FLAG_PREPARED`, `SYS_FLAG_COMMIT`, `SYS_FLAG_ROLLBACK` or 0. */
  get transactionType(): number {
    return this.sysFlag & SYS_FLAG_TRANSACTION_MASK;
  }

  /** Milliseconds. */
  get bornTimestamp(): number {
    return int64At(this.bytes, this.position + BORN_TIMESTAMP_OFFSET);
  }

  /** 8 or 20 bytes, a view. */
  get bornHost(): Uint8Array {
    const at = this.position + BORN_HOST_OFFSET;
    return this.bytes.subarray(at, this.#afterBornHost + BORN_HOST_OFFSET + IPV4_HOST_LENGTH);
  }

  /** Milliseconds. */
  get storeTimestamp(): number {
    return int64At(this.bytes, this.#afterBornHost + STORE_TIMESTAMP_OFFSET);
  }

  /** 8 or 20 bytes, a view. */
  get storeHost(): Uint8Array {
    const at = this.#afterBornHost + STORE_HOST_OFFSET;
    return this.bytes.subarray(at, this.#afterHosts + STORE_HOST_OFFSET + IPV4_HOST_LENGTH);
  }

  get reconsumeTimes(): number {
    return int32At(this.bytes, this.#afterHosts + RECONSUME_TIMES_OFFSET);
  }

  get preparedTransactionOffset(): number {
    return int64At(this.bytes, this.#afterHosts + PREPARED_TRANSACTION_OFFSET_OFFSET);
  }
}
