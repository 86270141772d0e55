import {
  BODY_LENGTH_OFFSET,
  BODY_OFFSET,
  BORN_TIMESTAMP_OFFSET,
  FLAG_OFFSET,
  PREPARED_TRANSACTION_OFFSET_OFFSET,
  PROPERTIES_LENGTH_BYTES,
  PROPERTY_CRC_LENGTH,
  PROPERTY_SEPARATOR,
  QUEUE_ID_OFFSET,
  RECONSUME_TIMES_OFFSET,
  SYS_FLAG_OFFSET,
  TOTAL_SIZE_OFFSET,
} from "../../format/src/message-descriptor";
import { set16, set32, set64 } from "./big-endian";

/**
 * Writes all of a record but its body, which the caller copies to `bodyOffset`. (The readable specification is `encodeMessage` of
 * `@millrace/format`.)
 *
 * @param template an empty message to the same topic with the same hosts, without properties: `bodyOffset` bytes, the topic with its length
 * (`topicLength` bytes in all), an empty property string's length, the CRC property if there is one
 * @param storedProperties what the record's properties have: `propertiesLength` bytes of the message's own from `properties` on, and with
 * the CRC property its bytes and perhaps a separator before it
 */
export function encode(
  template: usize,
  bodyOffset: u32,
  topicLength: u32,
  at: usize,
  length: u32,
  bodyLength: u32,
  properties: usize,
  propertiesLength: u32,
  storedProperties: u32,
  queueId: u32,
  flag: u32,
  sysFlag: u32,
  bornTimestamp: f64,
  reconsumeTimes: u32,
  preparedTransactionOffset: f64,
): void {
  copy(at, template, bodyOffset);
  set32(at + TOTAL_SIZE_OFFSET, length);
  set32(at + QUEUE_ID_OFFSET, queueId);
  set32(at + FLAG_OFFSET, flag);
  set32(at + SYS_FLAG_OFFSET, sysFlag);
  set64(at + BORN_TIMESTAMP_OFFSET, bornTimestamp);
  const behindHosts = at + bodyOffset - BODY_OFFSET;
  set32(behindHosts + RECONSUME_TIMES_OFFSET, reconsumeTimes);
  set64(behindHosts + PREPARED_TRANSACTION_OFFSET_OFFSET, preparedTransactionOffset);
  set32(behindHosts + BODY_LENGTH_OFFSET, bodyLength);
  let to = at + bodyOffset + bodyLength;
  let from = template + bodyOffset;
  copy(to, from, topicLength);
  to += topicLength;
  from += topicLength + PROPERTIES_LENGTH_BYTES;
  set16(to, storedProperties);
  to += PROPERTIES_LENGTH_BYTES;
  copy(to, properties, propertiesLength);
  if (storedProperties === propertiesLength) return;
  to += propertiesLength;
  if (storedProperties !== propertiesLength + PROPERTY_CRC_LENGTH) store<u8>(to++, PROPERTY_SEPARATOR);
  copy(to, from, PROPERTY_CRC_LENGTH);
}

/** For the short: `memory.copy` is a call. */
function copy(to: usize, from: usize, length: u32): void {
  if (length > 256) {
    memory.copy(to, from, length);
    return;
  }
  const end = to + length;
  for (; to + 8 <= end; to += 8, from += 8) store<u64>(to, load<u64>(from));
  for (; to < end; to++, from++) store<u8>(to, load<u8>(from));
}
