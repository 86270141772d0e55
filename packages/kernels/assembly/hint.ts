import {
  BODY_LENGTH_OFFSET,
  BODY_OFFSET,
  MAGIC_OFFSET,
  MESSAGE_MAGIC_V2,
  NAME_VALUE_SEPARATOR,
  PROPERTIES_LENGTH_BYTES,
  PROPERTY_SEPARATOR,
  SYS_FLAG_OFFSET,
  SYS_FLAG_TRANSACTION_MASK,
  TOPIC_LENGTH_BYTES_V1,
  TOPIC_LENGTH_BYTES_V2,
} from "../../format/src/message-descriptor";
import {
  HINT_KEY_HASH_WORD,
  HINT_KEYS_MAX,
  HINT_KEYS_WORD,
  HINT_PHYSICAL_OFFSET_DOUBLE,
  HINT_QUEUE_OFFSET_DOUBLE,
  HINT_QUEUE_SLOT_WORD,
  HINT_READ_RECORD,
  HINT_SIZE_WORD,
  HINT_STORE_TIMESTAMP_DOUBLE,
  HINT_TAGS_CODE_WORD,
} from "../../shared-memory/src/dispatch-hint-descriptor";
import { get16, get32 } from "./big-endian";

const WORD: u32 = 4;
const DOUBLE: u32 = 8;
/** Names of properties, as they lie in memory. */
const TAGS: u32 = 0x53474154;
const KEYS: u32 = 0x5359454b;
const DELA: u32 = 0x414c4544;
const Y: u32 = 0x59;
const UNIQ: u32 = 0x51494e55;
const _KEY: u32 = 0x59454b5f;
const KEY_SEPARATOR: u32 = 0x20;
const INDEX_TOPIC_SEPARATOR: u32 = 0x23;

/** Every byte that was hashed, or'ed together: a Java hash is of characters. */
let hashedBytes: u32 = 0;

/**
 * What the dispatcher would find in the sealed record at `at`. A record of a transaction, with a delay, with more keys than a hint has room
 * for, or with characters beyond ASCII in what is hashed, it has to read itself. (The readable specification is `DispatchRequest` of
 * `@millrace/format`, with `unitTagsCode` and `indexKeyHash`.)
 */
export function leaveHint(
  hint: usize,
  at: usize,
  length: u32,
  bodyOffset: u32,
  queueSlot: u32,
  queueOffset: f64,
  physicalOffset: f64,
  storeTimestamp: f64,
): void {
  store<f64>(hint + HINT_PHYSICAL_OFFSET_DOUBLE * DOUBLE, physicalOffset);
  store<f64>(hint + HINT_QUEUE_OFFSET_DOUBLE * DOUBLE, queueOffset);
  store<f64>(hint + HINT_STORE_TIMESTAMP_DOUBLE * DOUBLE, storeTimestamp);
  store<u32>(hint + HINT_SIZE_WORD * WORD, length);
  store<u32>(hint + HINT_QUEUE_SLOT_WORD * WORD, queueSlot);
  store<i32>(hint + HINT_KEYS_WORD * WORD, HINT_READ_RECORD);
  if ((get32(at + SYS_FLAG_OFFSET) & SYS_FLAG_TRANSACTION_MASK) !== 0) return;
  const isV2 = (get32(at + MAGIC_OFFSET) as i32) === MESSAGE_MAGIC_V2;
  const topicLengthAt = at + bodyOffset + get32(at + bodyOffset - BODY_OFFSET + BODY_LENGTH_OFFSET);
  const topic = topicLengthAt + (isV2 ? TOPIC_LENGTH_BYTES_V2 : TOPIC_LENGTH_BYTES_V1);
  const topicLength: u32 = isV2 ? get16(topicLengthAt) : load<u8>(topicLengthAt);
  findProperties(hint, topic, topicLength, topic + topicLength + PROPERTIES_LENGTH_BYTES, at + length);
}

/** A later property of the same name replaces an earlier one; one without a value counts for nothing. */
function findProperties(hint: usize, topic: usize, topicLength: u32, properties: usize, end: usize): void {
  let tags: usize = 0;
  let tagsEnd: usize = 0;
  let keys: usize = 0;
  let keysEnd: usize = 0;
  let uniqueKey: usize = 0;
  let uniqueKeyEnd: usize = 0;
  for (let at = properties; at < end; at++) {
    const name = at;
    while (at < end && load<u8>(at) !== NAME_VALUE_SEPARATOR && load<u8>(at) !== PROPERTY_SEPARATOR) at++;
    const nameLength = (at - name) as u32;
    const value = at + 1;
    while (at < end && load<u8>(at) !== PROPERTY_SEPARATOR) at++;
    if (at <= value) continue;
    if (nameLength === 4) {
      if (load<u32>(name) === TAGS) {
        tags = value;
        tagsEnd = at;
      } else if (load<u32>(name) === KEYS) {
        keys = value;
        keysEnd = at;
      }
    } else if (nameLength === 5) {
      if (load<u32>(name) === DELA && load<u8>(name, 4) === Y) return;
    } else if (nameLength === 8 && load<u32>(name) === UNIQ && load<u32>(name, 4) === _KEY) {
      uniqueKey = value;
      uniqueKeyEnd = at;
    }
  }
  hashedBytes = 0;
  store<i32>(hint + HINT_TAGS_CODE_WORD * WORD, hash(0, tags, tagsEnd));
  let count: u32 = 0;
  if (keys < keysEnd || uniqueKey < uniqueKeyEnd) {
    const prefix = hash(0, topic, topic + topicLength) * 31 + INDEX_TOPIC_SEPARATOR;
    if (uniqueKey < uniqueKeyEnd) leaveKey(hint, count++, hash(prefix, uniqueKey, uniqueKeyEnd));
    for (let at = keys; at < keysEnd; at++) {
      const key = at;
      while (at < keysEnd && load<u8>(at) !== KEY_SEPARATOR) at++;
      if (at === key) continue;
      if (count === HINT_KEYS_MAX) return;
      leaveKey(hint, count++, hash(prefix, key, at));
    }
  }
  if (hashedBytes < 0x80) store<u32>(hint + HINT_KEYS_WORD * WORD, count);
}

/** Goes on with a Java string hash. */
function hash(before: i32, from: usize, to: usize): i32 {
  let value = before;
  for (let at = from; at < to; at++) {
    const byte: u32 = load<u8>(at);
    hashedBytes |= byte;
    value = value * 31 + byte;
  }
  return value;
}

/** As the index has it: not negative. */
function leaveKey(hint: usize, key: u32, value: i32): void {
  store<i32>(hint + (HINT_KEY_HASH_WORD + key) * WORD, value === i32.MIN_VALUE ? 0 : abs(value));
}
