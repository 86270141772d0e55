import { type InspectOptionsStylized, inspect } from "node:util";
import {
  decodeHost,
  decodeProperties,
  encodeMessageId,
  findProperty,
  type Host,
  int32At,
  int64At,
  KEY_SEPARATOR,
  PHYSICAL_OFFSET_OFFSET,
  PROPERTY_CRC_NAME,
  PROPERTY_DELAY_TIME_LEVEL,
  PROPERTY_KEYS,
  PROPERTY_TAGS,
  PROPERTY_UNIQ_CLIENT_MESSAGE_ID_KEYIDX,
  PROPERTY_WAIT_STORE_MSG_OK,
  propertyEnd,
  QUEUE_ID_OFFSET,
  QUEUE_OFFSET_OFFSET,
  RecordCursor,
} from "@millrace/format";
import type { MessageJson, PlainMessage } from "./plain-message.js";

const TAGS = Buffer.from(PROPERTY_TAGS);
const KEYS = Buffer.from(PROPERTY_KEYS);
const UNIQ_KEY = Buffer.from(PROPERTY_UNIQ_CLIENT_MESSAGE_ID_KEYIDX);
const DELAY = Buffer.from(PROPERTY_DELAY_TIME_LEVEL);
const WAIT = Buffer.from(PROPERTY_WAIT_STORE_MSG_OK);
const NO_BYTES = Buffer.alloc(0);
/** Moved to the record for each question; nothing of it lasts. */
const record = new RecordCursor();

/**
 * One record of the log, read in place: nothing is decoded before it is asked for, and nothing is kept. (RocketMQ: `MessageExt`.)
 *
 * `console.log` and `JSON.stringify` show the message; {@link toObject} gives what `structuredClone` and `postMessage` take.
 *
 * The views of a {@link GetMessageResult} lie in the store's own memory. They are valid until its `release()`; {@link copy} makes
 * one to keep. When a lease was ended by force, or the store has been closed, everything is empty or 0: `size` tells. **Do not
 * store into `body` of such a view**: all who read the message in this process would see it, until the store is opened again. The log
 * itself stays as it is.
 */
export class MessageView {
  readonly #bytes: Buffer;
  readonly #position: number;
  readonly #size: number;

  /** Views come from the store. A good record of `size` bytes at `position`: magic and size have been looked at. */
  constructor(bytes: Buffer, position: number, size: number) {
    this.#bytes = bytes;
    this.#position = position;
    this.#size = size;
  }

  /** Length of the whole record in bytes; 0 when its memory is gone. */
  get size(): number {
    return this.#bytes.length === 0 ? 0 : this.#size;
  }

  /** The whole record as it lies in the log: a view of its bytes, not a copy. */
  get record(): Buffer {
    return this.#bytes.subarray(this.#position, this.#position + this.size);
  }

  /** As it was put; a delayed or prepared message has the topic in which it waits. */
  get topic(): string {
    this.#readLengths();
    return this.#text(record.topicPosition, record.topicPosition + record.topicLength);
  }

  /** 0 to 2^31 - 1. */
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
    if (this.size === 0) return "";
    const { storeHost, physicalOffset } = this.#record();
    return encodeMessageId(storeHost, physicalOffset);
  }

  /** The 32 bits that its producer gave it. */
  get flag(): number {
    return this.#record().flag;
  }

  /** Transaction type, compression and address bits. */
  get sysFlag(): number {
    return this.#record().sysFlag;
  }

  /** `SYS_FLAG_PREPARED` 4, `SYS_FLAG_COMMIT` 8, `SYS_FLAG_ROLLBACK` 12, or 0. */
  get transactionType(): number {
    return this.#record().transactionType;
  }

  /** Milliseconds. */
  get bornTimestamp(): number {
    return this.#record().bornTimestamp;
  }

  /** Address "" and port 0 when the memory is gone. */
  get bornHost(): Host {
    return this.size === 0 ? { address: "", port: 0 } : decodeHost(this.#record().bornHost);
  }

  /** Milliseconds. */
  get storeTimestamp(): number {
    return this.#record().storeTimestamp;
  }

  /** With which its message id begins: the option `storeHost` of the store that took it. */
  get storeHost(): Host {
    return this.size === 0 ? { address: "", port: 0 } : decodeHost(this.#record().storeHost);
  }

  /** How often it was consumed in vain, as its producer says. */
  get reconsumeTimes(): number {
    return this.#record().reconsumeTimes;
  }

  /** Of a committed message: the offset of its half message; otherwise 0. */
  get preparedTransactionOffset(): number {
    return this.#record().preparedTransactionOffset;
  }

  /** A view of the record's bytes, not a copy. */
  get body(): Buffer {
    record.moveTo(this.#bytes, this.#position);
    record.readBodyLength(this.#size);
    const { bodyPosition, bodyLength } = record;
    return bodyLength === 0 ? NO_BYTES : this.#bytes.subarray(bodyPosition, bodyPosition + bodyLength);
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

  /** Property `TAGS`. */
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

  /** Property `WAIT`: whether its put waited for the disk. */
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

  /** Whether the message has exactly one of these tags; decodes nothing. */
  hasTag(tags: readonly string[]): boolean {
    const at = findProperty(this.#bytes, this.#propertiesAt(), this.#end, TAGS);
    if (at < 0) return false;
    const tagEnd = propertyEnd(this.#bytes, at, this.#end);
    for (const tag of tags) if (isText(tag, this.#bytes, at, tagEnd)) return true;
    return false;
  }

  #record(): RecordCursor {
    record.moveTo(this.#bytes, this.#position);
    return record;
  }

  #readLengths(): void {
    record.moveTo(this.#bytes, this.#position);
    record.readLengths(this.#size);
  }

  get #end(): number {
    return this.#position + this.#size;
  }

  /** Where the property string begins, up to the record's end. */
  #propertiesAt(): number {
    this.#readLengths();
    return record.propertiesPosition;
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
