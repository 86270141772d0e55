/**
 * The property string: name 0x01 value 0x02, and so on. RocketMQ 5 writes a 0x02 after the last pair too, 4.9 does not; both read both.
 * (RocketMQ: `MessageDecoder.string2messageProperties`.)
 */

import { javaStringHash } from "./java-hash.js";
import { NAME_VALUE_SEPARATOR, PROPERTY_SEPARATOR } from "./message-descriptor.js";
import { decodeUtf8 } from "./utf8.js";

const NAME_END = String.fromCharCode(NAME_VALUE_SEPARATOR);
const PAIR_END = String.fromCharCode(PROPERTY_SEPARATOR);
/** One character of name, the separator, one of value. */
const PAIR_MIN_LENGTH = 3;

/**
 * Pairs with an empty name or value, or without a 0x01, are passed over; of equal names the last wins, at the place of the first.
 *
 * @forTests
 */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  let start = 0;
  while (start < text.length) {
    const separator = text.indexOf(PAIR_END, start);
    const end = separator < 0 ? text.length : separator;
    if (end - start >= PAIR_MIN_LENGTH) {
      const nameEnd = text.indexOf(NAME_END, start);
      if (nameEnd > start && nameEnd < end - 1) properties.set(text.slice(start, nameEnd), text.slice(nameEnd + 1, end));
    }
    start = end + 1;
  }
  return properties;
}

/** {@link parseProperties} of UTF-8 bytes. */
export function decodeProperties(bytes: Uint8Array): Map<string, string> {
  return bytes.length === 0 ? new Map() : parseProperties(decodeUtf8(bytes));
}

/** Of maps that Java's setters fill. */
const JAVA_HASH_MAP_CAPACITY = 16;
/**
 * The order in which a `java.util.HashMap` gives out names that were put in this order: by bucket, in a bucket as put. True as long as no
 * bucket holds more than eight names (there Java grows early or builds a tree).
 *
 * @param initialCapacity a power of two
 */
export function javaHashMapOrder(names: Iterable<string>, initialCapacity: number = JAVA_HASH_MAP_CAPACITY): string[] {
  const unique = [...new Set(names)];
  let capacity = initialCapacity;
  while (unique.length > capacity * 0.75) capacity *= 2;
  const mask = capacity - 1;
  return unique
    .map((name) => ({ name, bucket: bucketHash(name) & mask }))
    .sort((a, b) => a.bucket - b.bucket)
    .map(({ name }) => name);
}

function bucketHash(name: string): number {
  const hash = javaStringHash(name);
  return hash ^ (hash >>> 16);
}
