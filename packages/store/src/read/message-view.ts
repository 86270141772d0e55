import { type InspectOptionsStylized, inspect } from "node:util";
import {
  BODY_LENGTH_OFFSET,
  BODY_OFFSET,
  BORN_HOST_OFFSET,
  BORN_TIMESTAMP_OFFSET,
  decodeHost,
  decodeProperties,
  encodeMessageId,
  FLAG_OFFSET,
  type Host,
  IPV4_HOST_LENGTH,
  IPV6_EXTRA_LENGTH,
  IPV6_HOST_LENGTH,
  int16At,
  int32At,
  int64At,
  KEY_SEPARATOR,
  MAGIC_OFFSET,
  MESSAGE_MAGIC_V2,
  PHYSICAL_OFFSET_OFFSET,
  PREPARED_TRANSACTION_OFFSET_OFFSET,
  PROPERTIES_LENGTH_BYTES,
  PROPERTY_CRC_NAME,
  PROPERTY_DELAY_TIME_LEVEL,
  PROPERTY_KEYS,
  PROPERTY_TAGS,
  PROPERTY_UNIQ_CLIENT_MESSAGE_ID_KEYIDX,
  PROPERTY_WAIT_STORE_MSG_OK,
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
} from "@millrace/format";
import type { MessageJson, PlainMessage } from "./plain-message.js";
import { findProperty, propertyEnd } from "./property-finder.js";

const TAGS = Buffer.from(PROPERTY_TAGS);
const KEYS = Buffer.from(PROPERTY_KEYS);
const UNIQ_KEY = Buffer.from(PROPERTY_UNIQ_CLIENT_MESSAGE_ID_KEYIDX);
const DELAY = Buffer.from(PROPERTY_DELAY_TIME_LEVEL);
const WAIT = Buffer.from(PROPERTY_WAIT_STORE_MSG_OK);
const NO_BYTES = Buffer.alloc(0);

/**
 * One record of the log, read in place: nothing is decoded before it is asked for, and nothing is kept. (RocketMQ: `MessageExt`.)
 *
 * `console.log` and `JSON.stringify` show the message; {@link toObject} gives what `structuredClone` and `postMessage` take.
 *
 * The views of a {@link GetMessageResult} lie in the store's own memory. They are valid until its `release()`; {@link copy} makes one to keep.
 * When a lease was ended by force, or the store has been closed, everything is empty or 0: `size` tells. **Do not store into `body` of such a view**:
 * the memory is read-only, and the processor ends the process.
 */
export class MessageView {
  readonly #bytes: Buffer;
  readonly #position: number;
  readonly #size: number;

  /** @internal A good record of `size` bytes at `position`: magic and size have been looked at. */
  constructor(bytes: Buffer, position: number, size: number) {
    this.#bytes = bytes;
    this.#position = position;
    this.#size = size;
  }

  /** Length of the whole record in bytes; 0 when its memory is gone. */
  get size(): number {
    return this.#bytes.length === 0 ? 0 : this.#size;
  }

  get topic(): string {
    const at = this.#topicAt();
    return this.#text(at, at + this.#topicLength());
  }

  get queueId(): number {
    return int32At(this.#bytes, this.#position + QUEUE_ID_OFFSET);
  }

  /** 0 in prepared and rollback messages. */
  get queueOffset(): number {
    return int64At(this.#bytes, this.#position + QUEUE_OFFSET_OFFSET);
  }

  /** Absolute offset of the record in the log, in bytes. */
  get physicalOffset(): number {
    return int64At(this.#bytes, this.#position + PHYSICAL_OFFSET_OFFSET);
  }

  /** Store host and physical offset in hex, 32 or 56 characters; not stored. */
  get msgId(): string {
    return this.size === 0
      ? ""
      : encodeMessageId(this.#hostBytes(this.#storeHostAt(), SYS_FLAG_STORE_HOST_V6), this.physicalOffset);
  }

  get flag(): number {
    return int32At(this.#bytes, this.#position + FLAG_OFFSET);
  }

  get sysFlag(): number {
    return int32At(this.#bytes, this.#position + SYS_FLAG_OFFSET);
  }

  /** `SYS_FLAG_PREPARED` 4, `SYS_FLAG_COMMIT` 8, `SYS_FLAG_ROLLBACK` 12, or 0. */
  get transactionType(): number {
    return this.sysFlag & SYS_FLAG_TRANSACTION_MASK;
  }

  /** Milliseconds. */
  get bornTimestamp(): number {
    return int64At(this.#bytes, this.#position + BORN_TIMESTAMP_OFFSET);
  }

  /** Address "" and port 0 when the memory is gone. */
  get bornHost(): Host {
    return this.#host(this.#position + BORN_HOST_OFFSET, SYS_FLAG_BORN_HOST_V6);
  }

  /** Milliseconds. */
  get storeTimestamp(): number {
    return int64At(this.#bytes, this.#afterBornHost() + STORE_TIMESTAMP_OFFSET);
  }

  get storeHost(): Host {
    return this.#host(this.#storeHostAt(), SYS_FLAG_STORE_HOST_V6);
  }

  get reconsumeTimes(): number {
    return int32At(this.#bytes, this.#afterHosts() + RECONSUME_TIMES_OFFSET);
  }

  get preparedTransactionOffset(): number {
    return int64At(this.#bytes, this.#afterHosts() + PREPARED_TRANSACTION_OFFSET_OFFSET);
  }

  /** A view of the record's bytes, not a copy. */
  get body(): Buffer {
    const bytes = this.#bytes;
    const at = this.#afterHosts() + BODY_OFFSET;
    const length = int32At(bytes, at - BODY_OFFSET + BODY_LENGTH_OFFSET);
    if (length <= 0 || at + length > this.#end) return NO_BYTES;
    return bytes.subarray(at, at + length);
  }

  /** A new map, in stored order. Without the store's own `__CRC32#`: put again, the message gets its own. */
  get properties(): Map<string, string> {
    const start = this.#propertiesAt();
    if (start === this.#end) return new Map();
    const properties = decodeProperties(this.#bytes.subarray(start, this.#end));
    properties.delete(PROPERTY_CRC_NAME);
    return properties;
  }

  /** One property, without making a map of all. */
  property(name: string): string | undefined {
    return name === PROPERTY_CRC_NAME || name === "" ? undefined : this.#property(Buffer.from(name));
  }

  get tags(): string | undefined {
    return this.#property(TAGS);
  }

  /** Empty without keys. */
  get keys(): string[] {
    return (this.#property(KEYS) ?? "").split(KEY_SEPARATOR).filter((key) => key !== "");
  }

  /** The client's own id of the message, UNIQ_KEY. */
  get uniqKey(): string | undefined {
    return this.#property(UNIQ_KEY);
  }

  /** As the producer gave it; 0 without one. */
  get delayTimeLevel(): number {
    const level = Number(this.#property(DELAY) ?? 0);
    return Number.isInteger(level) ? level : 0;
  }

  get waitStoreMsgOK(): boolean {
    return this.#property(WAIT) !== "false";
  }

  /** The same record in memory of its own, to be kept for as long as it is wanted. */
  copy(): MessageView {
    const { size } = this;
    const own = Buffer.allocUnsafe(size);
    if (size > 0) this.#bytes.copy(own, 0, this.#position, this.#position + size);
    return new MessageView(own, 0, size);
  }

  /**
   * The message as plain data, decoded and copied: for `structuredClone`, another thread, or keeping. A clone of the view itself is empty.
   */
  toObject(): PlainMessage {
    return this.#plain(new Uint8Array(this.body));
  }

  /** For `JSON.stringify`; `Buffer.from(json.body, "base64")` is the body again. */
  toJSON(): MessageJson {
    return this.#plain(this.body.toString("base64"));
  }

  /** For `console.log`. */
  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    if (depth < 0) return options.stylize("[MessageView]", "special");
    return `MessageView ${inspect(this.#plain(this.body), options)}`;
  }

  #plain<B>(body: B): Omit<PlainMessage, "body"> & { readonly body: B } {
    const { topic, queueId, queueOffset, physicalOffset, msgId, tags, keys, flag, sysFlag } = this;
    const { bornTimestamp, bornHost, storeTimestamp, storeHost, reconsumeTimes, preparedTransactionOffset } = this;
    const properties = Object.fromEntries(this.properties);
    const first = { topic, queueId, queueOffset, physicalOffset, msgId, tags, keys, properties, body, flag, sysFlag };
    return { ...first, bornTimestamp, bornHost, storeTimestamp, storeHost, reconsumeTimes, preparedTransactionOffset };
  }

  /** @internal The same record in `target`, which has room for `size` bytes at `position`. */
  copyInto(target: Buffer, position: number): MessageView {
    const { size } = this;
    if (size > 0) this.#bytes.copy(target, position, this.#position, this.#position + size);
    return new MessageView(target, position, size);
  }

  /** @internal Whether TAGS is exactly one of these. */
  hasTag(tags: readonly string[]): boolean {
    const at = findProperty(this.#bytes, this.#propertiesAt(), this.#end, TAGS);
    if (at < 0) return false;
    const tagEnd = propertyEnd(this.#bytes, at, this.#end);
    for (const tag of tags) if (isText(tag, this.#bytes, at, tagEnd)) return true;
    return false;
  }

  #afterBornHost(): number {
    return this.#position + ((this.sysFlag & SYS_FLAG_BORN_HOST_V6) === 0 ? 0 : IPV6_EXTRA_LENGTH);
  }

  #afterHosts(): number {
    return this.#afterBornHost() + ((this.sysFlag & SYS_FLAG_STORE_HOST_V6) === 0 ? 0 : IPV6_EXTRA_LENGTH);
  }

  #storeHostAt(): number {
    return this.#afterBornHost() + STORE_HOST_OFFSET;
  }

  #hostBytes(at: number, v6Flag: number): Uint8Array {
    const length = (this.sysFlag & v6Flag) === 0 ? IPV4_HOST_LENGTH : IPV6_HOST_LENGTH;
    return this.#bytes.subarray(at, at + length);
  }

  #host(at: number, v6Flag: number): Host {
    return this.size === 0 ? { address: "", port: 0 } : decodeHost(this.#hostBytes(at, v6Flag));
  }

  #isV2(): boolean {
    return int32At(this.#bytes, this.#position + MAGIC_OFFSET) === MESSAGE_MAGIC_V2;
  }

  #topicAt(): number {
    const at = this.#afterHosts();
    const bodyLength = int32At(this.#bytes, at + BODY_LENGTH_OFFSET);
    return at + BODY_OFFSET + bodyLength + (this.#isV2() ? TOPIC_LENGTH_BYTES_V2 : TOPIC_LENGTH_BYTES_V1);
  }

  #topicLength(): number {
    const at = this.#topicAt();
    return this.#isV2() ? int16At(this.#bytes, at - TOPIC_LENGTH_BYTES_V2) : (this.#bytes[at - TOPIC_LENGTH_BYTES_V1] ?? 0);
  }

  get #end(): number {
    return this.#position + this.#size;
  }

  /** Where the property string begins, up to the record's end; there when the lengths before it do not add up to the record's size. */
  #propertiesAt(): number {
    const lengthAt = this.#topicAt() + this.#topicLength();
    const start = lengthAt + PROPERTIES_LENGTH_BYTES;
    const isWhole = start > this.#position && start + int16At(this.#bytes, lengthAt) === this.#end;
    return isWhole ? start : this.#end;
  }

  #property(name: Uint8Array): string | undefined {
    const at = findProperty(this.#bytes, this.#propertiesAt(), this.#end, name);
    return at < 0 ? undefined : this.#text(at, propertyEnd(this.#bytes, at, this.#end));
  }

  #text(start: number, end: number): string {
    const isInside = this.#bytes.length > 0 && start >= this.#position && end >= start && end <= this.#end;
    return isInside ? this.#bytes.toString("utf8", start, end) : "";
  }
}

/** Whether the bytes are this text in UTF-8. */
function isText(text: string, bytes: Buffer, start: number, end: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return bytes.toString("utf8", start, end) === text;
    if (start + i >= end || bytes[start + i] !== unit) return false;
  }
  return start + text.length === end;
}
