import {
  bodyOffsetOf,
  encodedLength,
  encodeHost,
  encodeMessage,
  type MessageFields,
  MessageSealer,
  storedPropertiesLength,
} from "@millrace/format";

/** Whoever wants to know what a salvaged log has lost consumes this topic, queue 0. */
export const FILLER_TOPIC = "MILLRACE_SALVAGE";
const NO_HOST = encodeHost({ address: "0.0.0.0", port: 0 });
const BLANK = 0x20;

function fieldsOf(bodyLength: number): MessageFields {
  return {
    topic: new TextEncoder().encode(FILLER_TOPIC),
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 0,
    bornHost: NO_HOST,
    storeHost: NO_HOST,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: new Uint8Array(bodyLength).fill(BLANK),
    properties: new Uint8Array(0),
    propertiesLength: 0,
  };
}

/** Of a filler without a body. */
export const FILLER_LEAST_LENGTH = encodedLength(fieldsOf(0), storedPropertiesLength(fieldsOf(0), true));

/** No filler is longer than a message may be by default, so that whoever consumes or follows the log takes it. */
const FILLER_MOST_LENGTH = 4 * 1024 * 1024;

/**
 * Records that take the place of bytes that are lost, so that all others keep their physical offsets: their ids, and what points
 * to them, stay good. Their bodies say what was lost.
 *
 * @param target exactly the place, at least {@link FILLER_LEAST_LENGTH} long
 * @param queueOffset of the first one
 * @returns how many they are
 */
export function writeFillerRecords(
  target: Uint8Array,
  physicalOffset: number,
  queueOffset: number,
  storeTimestamp: number,
  what: string,
): number {
  let count = 0;
  for (let start = 0; start < target.length; count++) {
    const rest = target.length - start;
    const isLast = rest <= FILLER_MOST_LENGTH;
    const length = isLast ? rest : Math.min(FILLER_MOST_LENGTH, rest - FILLER_LEAST_LENGTH);
    const place = target.subarray(start, start + length);
    writeFillerRecord(place, physicalOffset + start, queueOffset + count, storeTimestamp, what);
    start += length;
  }
  return count;
}

function writeFillerRecord(
  target: Uint8Array,
  physicalOffset: number,
  queueOffset: number,
  storeTimestamp: number,
  what: string,
): void {
  const fields = fieldsOf(target.length - FILLER_LEAST_LENGTH);
  new TextEncoder().encodeInto(what, fields.body);
  const stored = storedPropertiesLength(fields, true);
  const view = new DataView(target.buffer, target.byteOffset, target.length);
  encodeMessage(view, target, 0, fields, target.length, stored);
  new MessageSealer().seal(view, target, 0, target.length, bodyOffsetOf(fields), queueOffset, physicalOffset, storeTimestamp, true);
}
