import type { MessageFields } from "@millrace/format";
import { bodyOffsetOf, encodedLength, encodeHost, encodeMessage, MessageSealer, storedPropertiesLength } from "@millrace/format";
import { encodeProperties } from "./property-string.js";

export const SAMPLE_PHYSICAL_OFFSET = 4096;
export const SAMPLE_QUEUE_OFFSET = 7;
export const SAMPLE_STORE_TIMESTAMP = 1_795_199_719_424;

export function sampleMessage(changes: Partial<MessageFields> = {}): MessageFields {
  const properties =
    changes.properties ??
    encodeProperties(
      [
        ["KEYS", "K1 K2"],
        ["TAGS", "TagA"],
      ],
      true,
    );
  return {
    topic: Buffer.from("TopicA"),
    queueId: 3,
    flag: -2,
    sysFlag: 0,
    bornTimestamp: 1_700_000_000_000,
    bornHost: encodeHost({ address: "10.1.2.3", port: 4567 }),
    storeHost: encodeHost({ address: "127.0.0.1", port: 10911 }),
    reconsumeTimes: 5,
    preparedTransactionOffset: 77,
    body: Buffer.from("hello"),
    properties,
    propertiesLength: properties.length,
    ...changes,
  };
}

/** The record alone, `before` bytes into its buffer, and nothing after it. */
export function sealedRecord(message: MessageFields, appendPropertyCrc: boolean, before = 0): Buffer {
  const stored = storedPropertiesLength(message, appendPropertyCrc);
  const length = encodedLength(message, stored);
  const bytes = Buffer.alloc(before + length);
  const view = viewOf(bytes);
  encodeMessage(view, bytes, before, message, length, stored);
  new MessageSealer().seal(
    view,
    bytes,
    before,
    length,
    bodyOffsetOf(message),
    SAMPLE_QUEUE_OFFSET,
    SAMPLE_PHYSICAL_OFFSET,
    SAMPLE_STORE_TIMESTAMP,
    appendPropertyCrc,
  );
  return bytes;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
