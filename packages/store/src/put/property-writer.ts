import {
  javaHashMapOrder,
  KEY_SEPARATOR,
  MillraceError,
  NAME_VALUE_SEPARATOR,
  PROPERTIES_MAX_LENGTH,
  PROPERTY_CRC_NAME,
  PROPERTY_DELAY_TIME_LEVEL,
  PROPERTY_KEYS,
  PROPERTY_REAL_QUEUE_ID,
  PROPERTY_REAL_TOPIC,
  PROPERTY_SEPARATOR,
  PROPERTY_TAGS,
  PROPERTY_WAIT_STORE_MSG_OK,
  shownValue,
} from "@millrace/format";
import type { Message } from "./message.js";

/** One string of at most 32,767 UTF-16 units more than fits, at most three bytes each. */
export const PROPERTY_SCRATCH_LENGTH = PROPERTIES_MAX_LENGTH * 4 + 8;
/** Longer strings are faster through TextEncoder. */
const LOOP_LIMIT = 64;
const LONE_SURROGATE = /\p{Surrogate}/u;
/** Then they are forgotten: whoever chooses names at random does not keep those out that come again and again. */
const ORDERS_KEPT = 1024;
/** Of all names together, in UTF-16 units: names come from outside. */
const LONGEST_KEPT = 1024;
/** In no legal name. */
const NAME_SEPARATOR = "\u0001";
const FIELD_PROPERTIES = new Set([
  PROPERTY_KEYS,
  PROPERTY_TAGS,
  PROPERTY_WAIT_STORE_MSG_OK,
  PROPERTY_DELAY_TIME_LEVEL,
  PROPERTY_CRC_NAME,
]);

export interface DelayedProperties {
  readonly level: number;
  /** Where a message in the schedule topic belongs; prepared and rollback messages stay where they are. */
  readonly real: { readonly topic: string; readonly queueId: number } | undefined;
}

/**
 * Bytes that the properties of a delayed message grow by when it is delivered, perhaps below 0: DELAY goes, WAIT becomes false.
 *
 * @param waitStoreMsgOK as it was given
 */
export function deliveryGrowth(level: number, waitStoreMsgOK: boolean | undefined): number {
  const waitLength = waitStoreMsgOK === undefined ? 0 : pairLength(PROPERTY_WAIT_STORE_MSG_OK, String(waitStoreMsgOK));
  return pairLength(PROPERTY_WAIT_STORE_MSG_OK, "false") - waitLength - pairLength(PROPERTY_DELAY_TIME_LEVEL, String(level));
}

/** Of ASCII, with its two separators. */
function pairLength(name: string, value: string): number {
  return name.length + value.length + 2;
}

/**
 * Writes a message's property string into `bytes`, in the order in which a Java client's HashMap would give the pairs out.
 * One scratch buffer, no allocation for messages that have tags and keys only. Main thread.
 */
export class PropertyWriter {
  readonly bytes: Uint8Array;
  readonly #encoder = new TextEncoder();
  /** By the names as they were put, with separators between them. Only of names that have been written, which are legal. */
  readonly #orders = new Map<string, readonly string[]>();
  #at = 0;

  /** @param bytes {@link PROPERTY_SCRATCH_LENGTH} of them */
  constructor(bytes: Uint8Array = new Uint8Array(PROPERTY_SCRATCH_LENGTH)) {
    this.bytes = bytes;
  }

  /** Length of the property string, or -1 when it is over 32,767 bytes. Throws ERR_PROPERTY_ILLEGAL. */
  write(message: Message, delayed: DelayedProperties | undefined): number {
    this.#at = 0;
    if (message.properties !== undefined || delayed !== undefined) return this.#writeAll(message, delayed);
    const { keys, tags, waitStoreMsgOK } = message;
    // The order of these three in a HashMap; see propertyOrder's test.
    if (keys !== undefined) this.#pair(PROPERTY_KEYS, joinKeys(keys));
    if (waitStoreMsgOK !== undefined) this.#pair(PROPERTY_WAIT_STORE_MSG_OK, checkWait(waitStoreMsgOK));
    if (tags !== undefined) this.#pair(PROPERTY_TAGS, tags);
    return this.#at > PROPERTIES_MAX_LENGTH ? -1 : this.#at;
  }

  #writeAll(message: Message, delayed: DelayedProperties | undefined): number {
    const pairs = new Map<string, string>();
    const { keys, tags, waitStoreMsgOK, properties } = message;
    if (tags !== undefined) pairs.set(PROPERTY_TAGS, tags);
    if (keys !== undefined) pairs.set(PROPERTY_KEYS, joinKeys(keys));
    if (waitStoreMsgOK !== undefined) pairs.set(PROPERTY_WAIT_STORE_MSG_OK, checkWait(waitStoreMsgOK));
    if (delayed !== undefined) {
      pairs.set(PROPERTY_DELAY_TIME_LEVEL, String(delayed.level));
    }
    if (properties !== undefined) this.#addOwn(pairs, properties);
    // The store comes after the client's setters.
    if (delayed?.real !== undefined) {
      pairs.set(PROPERTY_REAL_TOPIC, delayed.real.topic);
      pairs.set(PROPERTY_REAL_QUEUE_ID, String(delayed.real.queueId));
    }
    const names = [...pairs.keys()];
    const key = names.join(NAME_SEPARATOR);
    const kept = this.#orders.get(key);
    // Of as many legal names no other ones have this key; of another number illegal ones may.
    const order = kept?.length === names.length ? kept : javaHashMapOrder(names);
    for (const name of order) {
      this.#pair(name, pairs.get(name) as string);
      if (this.#at > PROPERTIES_MAX_LENGTH) return -1;
    }
    if (order !== kept) this.#keep(key, order);
    return this.#at;
  }

  #addOwn(pairs: Map<string, string>, properties: Readonly<Record<string, string>>): void {
    checkProperties(properties);
    for (const name of Object.keys(properties)) {
      if (FIELD_PROPERTIES.has(name)) throw illegal("a field of the message sets this property", "name", name);
      pairs.set(name, properties[name] as string);
    }
  }

  #keep(key: string, order: readonly string[]): void {
    if (key.length > LONGEST_KEPT) return;
    if (this.#orders.size >= ORDERS_KEPT) this.#orders.clear();
    this.#orders.set(key, order);
  }

  #pair(name: string, value: string): void {
    this.#text(name, name);
    this.bytes[this.#at++] = NAME_VALUE_SEPARATOR;
    this.#text(value, name);
    this.bytes[this.#at++] = PROPERTY_SEPARATOR;
  }

  #text(text: string, name: string): void {
    if (typeof text !== "string" || text === "") throw illegal("property names and values are non-empty strings", "name", name);
    const length = text.length;
    if (length > LOOP_LIMIT) return this.#longText(text, name);
    const bytes = this.bytes;
    const at = this.#at;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return this.#longText(text, name);
      if (unit === NAME_VALUE_SEPARATOR || unit === PROPERTY_SEPARATOR)
        throw illegal("a property holds 0x01 or 0x02", "name", name);
      bytes[at + i] = unit;
    }
    this.#at = at + length;
  }

  #longText(text: string, name: string): void {
    if (text.includes("\u0001") || text.includes("\u0002")) throw illegal("a property holds 0x01 or 0x02", "name", name);
    if (LONE_SURROGATE.test(text)) throw illegal("a property holds half a surrogate pair", "name", name);
    if (text.length > PROPERTIES_MAX_LENGTH) this.#at = PROPERTIES_MAX_LENGTH + 1;
    else if (this.#at <= PROPERTIES_MAX_LENGTH) this.#at += this.#encoder.encodeInto(text, this.bytes.subarray(this.#at)).written;
  }
}

/**
 * A Map, an array and the like have no keys of their own that are names, and would be dropped. (They are not taken either: one way to give
 * properties.)
 *
 * @throws MillraceError `ERR_PROPERTY_ILLEGAL`
 */
export function checkProperties(properties: unknown): void {
  if (typeof properties !== "object" || properties === null)
    throw illegal("properties are an object of strings", "properties", properties);
  if (Symbol.iterator in properties) {
    const name = Object.prototype.toString.call(properties).slice(8, -1);
    throw illegal("properties are a plain object of strings, as Object.fromEntries makes it", "properties", name);
  }
}

function illegal(reason: string, name: string, value: unknown): MillraceError {
  return new MillraceError("ERR_PROPERTY_ILLEGAL", `${reason}: ${name}=${shownValue(value)}`, { status: "MESSAGE_ILLEGAL" });
}

function joinKeys(keys: string | readonly string[]): string {
  if (typeof keys === "string") return keys;
  if (!Array.isArray(keys)) throw illegal("keys are a string or strings", "keys", keys);
  for (const key of keys) {
    if (typeof key !== "string" || key === "" || key.includes(KEY_SEPARATOR))
      throw illegal("a key is a non-empty string without spaces", "key", key);
  }
  return keys.join(KEY_SEPARATOR);
}

function checkWait(wait: boolean): string {
  if (typeof wait !== "boolean") throw illegal("waitStoreMsgOK is a boolean", "waitStoreMsgOK", wait);
  return wait ? "true" : "false";
}
