import { decodeHost } from "./host.js";
import {
  BODY_CRC_OFFSET,
  BODY_LENGTH_OFFSET,
  BODY_OFFSET,
  BORN_HOST_OFFSET,
  BORN_TIMESTAMP_OFFSET,
  FLAG_OFFSET,
  MAGIC_OFFSET,
  NAME_VALUE_SEPARATOR,
  PHYSICAL_OFFSET_OFFSET,
  PREPARED_TRANSACTION_OFFSET_OFFSET,
  PROPERTIES_LENGTH_BYTES,
  PROPERTY_SEPARATOR,
  QUEUE_ID_OFFSET,
  QUEUE_OFFSET_OFFSET,
  RECONSUME_TIMES_OFFSET,
  STORE_HOST_OFFSET,
  STORE_TIMESTAMP_OFFSET,
  SYS_FLAG_OFFSET,
  TOTAL_SIZE_OFFSET,
} from "./message-descriptor.js";
import { RecordCursor } from "./record-cursor.js";

/** One field of a record, for people: which bytes it is, and what they say. */
export interface RecordField {
  readonly name: string;
  /** Position of the first byte in the record, and one past the last. */
  readonly start: number;
  readonly end: number;
  /** Bytes where it is the body. */
  readonly value: number | string | Uint8Array;
}

type Start = readonly [name: string, start: number, value: RecordField["value"]];

/** The fields of a good record, in stored order; together they are all its bytes. Properties are fields of their own. */
export function recordFields(record: Uint8Array): RecordField[] {
  const cursor = new RecordCursor();
  cursor.moveTo(record, 0);
  cursor.readLengths(record.length);
  const starts = [...fixedFields(cursor), ...variableFields(cursor)];
  return starts.map(([name, start, value], index) => ({ name, start, end: starts[index + 1]?.[1] ?? record.length, value }));
}

function fixedFields(cursor: RecordCursor): Start[] {
  const extraOfHosts = cursor.bodyPosition - BODY_OFFSET;
  const storeTimestampAt = BORN_HOST_OFFSET + cursor.bornHost.length;
  const storeHostAt = storeTimestampAt + STORE_HOST_OFFSET - STORE_TIMESTAMP_OFFSET;
  return [
    ["total size", TOTAL_SIZE_OFFSET, cursor.totalSize],
    ["magic", MAGIC_OFFSET, cursor.magic],
    ["body CRC", BODY_CRC_OFFSET, cursor.bodyCrc],
    ["queue id", QUEUE_ID_OFFSET, cursor.queueId],
    ["flag", FLAG_OFFSET, cursor.flag],
    ["queue offset", QUEUE_OFFSET_OFFSET, cursor.queueOffset],
    ["physical offset", PHYSICAL_OFFSET_OFFSET, cursor.physicalOffset],
    ["sys flag", SYS_FLAG_OFFSET, cursor.sysFlag],
    ["born timestamp", BORN_TIMESTAMP_OFFSET, cursor.bornTimestamp],
    ["born host", BORN_HOST_OFFSET, hostText(cursor.bornHost)],
    ["store timestamp", storeTimestampAt, cursor.storeTimestamp],
    ["store host", storeHostAt, hostText(cursor.storeHost)],
    ["reconsume times", RECONSUME_TIMES_OFFSET + extraOfHosts, cursor.reconsumeTimes],
    ["prepared transaction offset", PREPARED_TRANSACTION_OFFSET_OFFSET + extraOfHosts, cursor.preparedTransactionOffset],
    ["body length", BODY_LENGTH_OFFSET + extraOfHosts, cursor.bodyLength],
  ];
}

function variableFields({
  bytes,
  bodyPosition,
  bodyLength,
  topicPosition,
  topicLength,
  propertiesPosition,
}: RecordCursor): Start[] {
  const bodyEnd = bodyPosition + bodyLength;
  return [
    ["body", bodyPosition, bytes.subarray(bodyPosition, bodyEnd)],
    ["topic length", bodyEnd, topicLength],
    ["topic", topicPosition, textOf(bytes, topicPosition, topicPosition + topicLength)],
    ["properties length", propertiesPosition - PROPERTIES_LENGTH_BYTES, bytes.length - propertiesPosition],
    ...propertyFields(bytes, propertiesPosition),
  ];
}

function propertyFields(bytes: Uint8Array, from: number): Start[] {
  const fields: Start[] = [];
  for (let start = from; start < bytes.length; ) {
    const separator = bytes.indexOf(PROPERTY_SEPARATOR, start);
    const end = separator < 0 ? bytes.length : separator;
    const nameEnd = bytes.subarray(0, end).indexOf(NAME_VALUE_SEPARATOR, start);
    const name = textOf(bytes, start, nameEnd < 0 ? end : nameEnd);
    fields.push([`property ${name}`, start, nameEnd < 0 ? "" : textOf(bytes, nameEnd + 1, end)]);
    start = end + 1;
  }
  return fields;
}

function hostText(bytes: Uint8Array): string {
  const { address, port } = decodeHost(bytes);
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return new TextDecoder().decode(bytes.subarray(start, end));
}
