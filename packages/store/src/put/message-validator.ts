import {
  BLANK_RECORD_LENGTH,
  checkNotReserved,
  DelayLevels,
  encodedLength,
  encodeHost,
  type Host,
  type MessageFields,
  MillraceError,
  PROPERTIES_MAX_LENGTH,
  PROPERTY_INNER_NUM,
  RECORD_OVERHEAD_LIMIT,
  SCHEDULE_TOPIC,
  SYS_FLAG_INNER_BATCH,
  SYS_FLAG_PREPARED,
  SYS_FLAG_ROLLBACK,
  SYS_FLAG_TRANSACTION_MASK,
  shownValue,
  storedPropertiesLength,
} from "@millrace/format";
import { isBytes, millisecondsOf } from "../config/any-realm.js";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { Message } from "./message.js";
import { type DelayedProperties, deliveryGrowth, PropertyWriter } from "./property-writer.js";
import { type RefusedPutResult, refused } from "./put-message-result.js";
import { NO_SLOT, type PutTopics, type Topic } from "./topic-table.js";

const HOSTS_KEPT = 4096;
const DEFAULT_BORN_HOST: Host = { address: "127.0.0.1", port: 0 };
const EMPTY = new Uint8Array(0);

/**
 * Where a message comes from that is put: from the store's user; from the store itself, for which no topic is reserved; from the store and
 * out of the log, where it lay already: how large it may be was judged when it was put there, by the `maxMessageSize` of then.
 */
export type MessageOrigin = "user" | "store" | "log";

/**
 * Checks a message in RocketMQ's order and turns it into {@link MessageFields}, one object used over and over: `fields`, `length` and the
 * rest describe the message validated last. Main thread.
 *
 * What RocketMQ answers with a status is returned as a refusal; what its types rule out is thrown as a {@link MillraceError}.
 */
export class MessageValidator {
  readonly fields: MessageFields;
  /** Record length, and the property bytes in it. */
  length = 0;
  storedProperties = 0;
  topic: Topic;
  /** {@link NO_SLOT}: the queue has none yet. */
  queueSlot = NO_SLOT;
  /** Prepared and rollback: queue offset 0, not advanced. */
  noQueueOffset = false;
  waitStoreMsgOK = true;

  readonly #topics: PutTopics;
  readonly #config: MessageStoreConfig;
  readonly #properties: PropertyWriter;
  readonly #hosts = new Map<string, Uint8Array>();
  readonly #bornHost = encodeHost(DEFAULT_BORN_HOST);
  readonly #storeHost: Uint8Array;
  readonly #delayLevels: DelayLevels;
  /** A record must fit a segment with a blank record after it. */
  readonly #segmentLimit: number;
  readonly #recordLimit: number;

  /** @param scratch where a message's properties are written: `fields.properties` */
  constructor(config: MessageStoreConfig, topics: PutTopics, scratch: Uint8Array) {
    this.#config = config;
    this.#properties = new PropertyWriter(scratch);
    this.#topics = topics;
    this.#storeHost = encodeHost(config.storeHost);
    this.#delayLevels = DelayLevels.parse(config.messageDelayLevel);
    this.#segmentLimit = config.mappedFileSizeCommitLog - BLANK_RECORD_LENGTH;
    this.#recordLimit = Math.min(config.maxMessageSize + RECORD_OVERHEAD_LIMIT, 0x7fffffff);
    this.topic = { name: "", bytes: EMPTY, ordinal: 0, slots: new Map(), isReserved: false };
    this.fields = {
      topic: EMPTY,
      queueId: 0,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 0,
      bornHost: this.#bornHost,
      storeHost: this.#storeHost,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: EMPTY,
      properties: this.#properties.bytes,
      propertiesLength: 0,
    };
  }

  get defaultStoreHost(): Uint8Array {
    return this.#storeHost;
  }

  /** undefined when the message may go into the log, and out of it again if it is delayed. Nothing is registered for it yet. */
  validate(message: Message, nowMs: number, origin: MessageOrigin = "user"): RefusedPutResult | undefined {
    if (typeof message !== "object" || message === null) throw illegal("a message is an object", "message", message);
    const fields = this.fields;
    const { body } = message;
    if (!isBytes(body)) throw illegalBody(body);
    checkSpelling(message);
    this.topic = this.#topics.topic(message.topic);
    if (this.topic.isReserved && origin === "user") checkNotReserved(message.topic);
    this.queueSlot = this.#topics.checkSlot(this.topic, message.queueId);
    fields.queueId = message.queueId;
    fields.body = body;
    fields.flag = message.flag === undefined ? 0 : checkInt32("flag", message.flag);
    fields.sysFlag = message.sysFlag === undefined ? 0 : checkInt32("sysFlag", message.sysFlag);
    fields.bornTimestamp = message.bornTimestamp === undefined ? nowMs : checkTime("bornTimestamp", message.bornTimestamp);
    fields.reconsumeTimes = message.reconsumeTimes === undefined ? 0 : checkInt32("reconsumeTimes", message.reconsumeTimes);
    fields.preparedTransactionOffset =
      message.preparedTransactionOffset === undefined
        ? 0
        : checkSafe("preparedTransactionOffset", message.preparedTransactionOffset);
    fields.bornHost = message.bornHost === undefined ? this.#bornHost : this.#host(message.bornHost);
    fields.storeHost = message.storeHost === undefined ? this.#storeHost : this.#host(message.storeHost);
    const transaction = fields.sysFlag & SYS_FLAG_TRANSACTION_MASK;
    this.noQueueOffset = transaction === SYS_FLAG_PREPARED || transaction === SYS_FLAG_ROLLBACK;
    this.waitStoreMsgOK = message.waitStoreMsgOK !== false;
    const ownTopic = this.topic;
    const delayed = message.delayTimeLevel === undefined ? undefined : this.#delay(message, message.delayTimeLevel);
    fields.topic = this.topic.bytes;
    fields.propertiesLength = this.#properties.write(message, delayed);
    const refusal = this.#limits(message, origin);
    if (refusal !== undefined || delayed?.real === undefined) return refusal;
    return this.#deliveryLimits(ownTopic, delayed.level, message.waitStoreMsgOK);
  }

  /** RocketMQ 4.9's delay transformation: the message goes to the schedule topic, its own topic and queue into properties. */
  #delay(message: Message, level: number): DelayedProperties | undefined {
    if (!Number.isInteger(level) || level < 0) throw illegal("a delay level is an integer from 0", "delayTimeLevel", level);
    if (level === 0) return undefined;
    if (this.noQueueOffset) return { level, real: undefined };
    const clamped = this.#delayLevels.clamp(level);
    this.topic = this.#topics.topic(SCHEDULE_TOPIC);
    this.fields.queueId = clamped - 1;
    this.queueSlot = this.#topics.checkSlot(this.topic, clamped - 1);
    return { level: clamped, real: { topic: message.topic, queueId: message.queueId } };
  }

  #limits(message: Message, origin: MessageOrigin): RefusedPutResult | undefined {
    const { fields } = this;
    if ((fields.sysFlag & SYS_FLAG_INNER_BATCH) !== 0 || message.properties?.[PROPERTY_INNER_NUM] !== undefined) {
      return refused("MESSAGE_ILLEGAL", "ERR_INNER_BATCH", `inner batches need a BatchCQ topic: topic=${message.topic}`);
    }
    if (fields.propertiesLength >= 0) this.storedProperties = storedPropertiesLength(fields, this.#config.enabledAppendPropCRC);
    if (fields.propertiesLength < 0 || this.storedProperties > PROPERTIES_MAX_LENGTH) {
      return refused(
        "PROPERTIES_SIZE_EXCEEDED",
        "ERR_PROPERTIES_TOO_LARGE",
        `the properties are too long: limit=${PROPERTIES_MAX_LENGTH}`,
      );
    }
    const bodyLength = fields.body.length;
    const { maxMessageSize } = this.#config;
    if (bodyLength > maxMessageSize && origin !== "log") {
      return refused(
        "MESSAGE_ILLEGAL",
        "ERR_BODY_TOO_LARGE",
        `the body is too large: bodyLength=${bodyLength} maxMessageSize=${maxMessageSize}`,
      );
    }
    this.length = encodedLength(fields, this.storedProperties);
    return this.fits(this.length, origin);
  }

  /** What has been delayed is never refused when it is due: as it will be delivered it fits too. */
  #deliveryLimits(topic: Topic, level: number, waitStoreMsgOK: boolean | undefined): RefusedPutResult | undefined {
    const properties = this.storedProperties + deliveryGrowth(level, waitStoreMsgOK);
    if (properties > PROPERTIES_MAX_LENGTH) {
      const reason = `the properties are too long when the message is delivered: length=${properties} limit=${PROPERTIES_MAX_LENGTH}`;
      return refused("PROPERTIES_SIZE_EXCEEDED", "ERR_PROPERTIES_TOO_LARGE", reason);
    }
    const { fields } = this;
    fields.topic = topic.bytes;
    const length = encodedLength(fields, properties);
    fields.topic = this.topic.bytes;
    return this.fits(length);
  }

  /** Whether `length` bytes of one put fit the limits of a record and of a segment; out of the log, of the ring and of a segment. */
  fits(length: number, origin: MessageOrigin = "user"): RefusedPutResult | undefined {
    const limit = Math.min(origin === "log" ? this.#config.putRingSize : this.#recordLimit, this.#segmentLimit);
    if (length <= limit) return undefined;
    const option = origin === "log" ? "putRingSize" : "maxMessageSize";
    const reason = `too long for mappedFileSizeCommitLog or ${option}: length=${length} limit=${limit}`;
    return refused("MESSAGE_ILLEGAL", "ERR_RECORD_TOO_LARGE", reason);
  }

  #host(host: Host): Uint8Array {
    if (typeof host?.address !== "string" || typeof host.port !== "number") return encodeHost(host); // which throws
    const key = `${host.address} ${host.port}`;
    let bytes = this.#hosts.get(key);
    if (bytes === undefined) {
      bytes = encodeHost(host);
      if (this.#hosts.size < HOSTS_KEPT) this.#hosts.set(key, bytes);
    }
    return bytes;
  }
}

interface MisspeltMessage {
  readonly tag?: unknown;
  readonly key?: unknown;
  readonly delayLevel?: unknown;
  readonly queue?: unknown;
}

/**
 * What is often written for the name of a field, and would silently not count; to look at every key would cost too much. Each is looked for
 * only where the field itself is missing: 0 to 2 ns a message, some 30 where a program's messages have more than four shapes.
 */
function checkSpelling(message: Message & MisspeltMessage): void {
  if (message.tags === undefined && message.tag !== undefined) throw misspelt("tag", "tags");
  if (message.keys === undefined && message.key !== undefined) throw misspelt("key", "keys");
  if (message.delayTimeLevel === undefined && message.delayLevel !== undefined) throw misspelt("delayLevel", "delayTimeLevel");
  if (message.queueId === undefined && message.queue !== undefined) throw misspelt("queue", "queueId");
}

function misspelt(name: string, field: string): MillraceError {
  const message = `a message has no such field; did you mean ${field}?: name=${name}`;
  return new MillraceError("ERR_MESSAGE_ILLEGAL", message, { status: "MESSAGE_ILLEGAL" });
}

function illegal(reason: string, name: string, value: unknown): MillraceError {
  return new MillraceError("ERR_MESSAGE_ILLEGAL", `${reason}: ${name}=${shownValue(value)}`, { status: "MESSAGE_ILLEGAL" });
}

function illegalBody(body: unknown): MillraceError {
  const remedy = typeof body === "string" ? "; Buffer.from(text) makes one of a string" : "";
  return illegal(`a body is a Uint8Array${remedy}`, "body", body);
}

/** Flags are 32 bits, signed or unsigned as the caller likes. */
function checkInt32(name: string, value: number): number {
  if (!Number.isInteger(value) || value < -0x80000000 || value > 0xffffffff) throw illegal("32 bits are needed", name, value);
  return value | 0;
}

function checkTime(name: string, time: number | Date): number {
  const milliseconds = millisecondsOf(time);
  if (!Number.isSafeInteger(milliseconds)) throw illegal("milliseconds or a valid Date are needed", name, time);
  return milliseconds;
}

function checkSafe(name: string, value: number): number {
  if (!Number.isSafeInteger(value)) throw illegal("a safe integer is needed", name, value);
  return value;
}
