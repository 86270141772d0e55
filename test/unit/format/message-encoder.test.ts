import type { MessageFields } from "@millrace/format";
import { decodeHost, decodeProperties, encodeHost, getInt64, PROPERTY_CRC_NAME, setInt64 } from "@millrace/format";
import test from "ava";
import { MESSAGE_MAGIC_V1, MESSAGE_MAGIC_V2 } from "#format/message-descriptor.js";
import { decodeMessage } from "../../support/message-decoder.js";
import { encodeProperties } from "../../support/property-string.js";
import { SAMPLE_QUEUE_OFFSET, SAMPLE_STORE_TIMESTAMP, sampleMessage, sealedRecord, viewOf } from "../../support/sample-message.js";

const HOSTS = [encodeHost({ address: "10.1.2.3", port: 65535 }), encodeHost({ address: "2001:db8::1", port: 0 })];
const TOPICS = [Buffer.from("T"), Buffer.alloc(127, "t"), Buffer.alloc(128, "t")];
const BODIES = [Buffer.alloc(0), Buffer.from("hello"), Buffer.alloc(3000, "z")];
const PAIRS = [
  ["KEYS", "K1"],
  ["ключ", "значение"],
] as const;
const PROPERTIES = [Buffer.alloc(0), encodeProperties(PAIRS, true), encodeProperties(PAIRS, false)];

function combinations(): MessageFields[] {
  return HOSTS.flatMap((bornHost) =>
    HOSTS.flatMap((storeHost) =>
      TOPICS.flatMap((topic) =>
        BODIES.flatMap((body) =>
          PROPERTIES.map((properties) =>
            sampleMessage({ bornHost, storeHost, topic, body, properties, propertiesLength: properties.length }),
          ),
        ),
      ),
    ),
  );
}

for (const appendPropertyCrc of [false, true]) {
  test(`every mix of hosts, topic, body and properties comes back, property CRC ${appendPropertyCrc ? "on" : "off"}`, (t) => {
    for (const message of combinations()) {
      const bytes = sealedRecord(message, appendPropertyCrc);
      const found = decodeMessage(bytes);
      t.is(found.size, bytes.length);
      t.is(found.magic, message.topic.length > 127 ? MESSAGE_MAGIC_V2 : MESSAGE_MAGIC_V1);
      t.deepEqual(found.bornHost, decodeHost(message.bornHost));
      t.deepEqual(found.storeHost, decodeHost(message.storeHost));
      t.is(found.topic, Buffer.from(message.topic).toString());
      t.true(Buffer.from(found.body).equals(message.body));
      t.is(found.queueId, message.queueId);
      t.is(found.flag, message.flag);
      t.is(found.bornTimestamp, message.bornTimestamp);
      t.is(found.reconsumeTimes, message.reconsumeTimes);
      t.is(found.preparedTransactionOffset, message.preparedTransactionOffset);
      t.is(found.queueOffset, SAMPLE_QUEUE_OFFSET);
      t.is(found.storeTimestamp, SAMPLE_STORE_TIMESTAMP);
      t.is(found.properties.delete(PROPERTY_CRC_NAME), appendPropertyCrc);
      t.deepEqual(found.properties, decodeProperties(message.properties));
    }
  });
}

test("one sealer gives the same CRCs whether it reads a body once or twice", (t) => {
  const body = Buffer.alloc(1024, 7);
  const first = sealedRecord(sampleMessage({ body }), true);
  for (let i = 0; i < 3; i++) t.true(sealedRecord(sampleMessage({ body }), true).equals(first));
  t.is(decodeMessage(first).body.length, 1024);
});

test("a record is found at any position, and what follows it does not matter", (t) => {
  const record = sealedRecord(sampleMessage(), true);
  const bytes = Buffer.concat([Buffer.alloc(9, 1), record, Buffer.alloc(9, 2)]);
  t.is(decodeMessage(bytes, 9).size, record.length);
  t.throws(() => decodeMessage(bytes, 8), { message: /verdict=BAD_MAGIC position=8$/ });
  t.throws(() => decodeMessage(bytes.subarray(0, -10), 9), { message: /verdict=TRUNCATED/ });
  t.throws(() => decodeMessage(Buffer.alloc(100)), { message: /verdict=EMPTY/ });
});

test("64-bit numbers come back over the whole range of safe integers", (t) => {
  const bytes = Buffer.alloc(8);
  for (const value of [0, 1, -1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, -(2 ** 32), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    setInt64(viewOf(bytes), 0, value);
    t.is(bytes.readBigInt64BE(0), BigInt(value));
    t.is(getInt64(viewOf(bytes), 0), value);
  }
});
