import type { MessageFields } from "@millrace/format";
import {
  MessageChecker,
  MessageVerdict,
  messageVerdictName,
  SYS_FLAG_BORN_HOST_V6,
  SYS_FLAG_PREPARED,
  writeBlankRecord,
} from "@millrace/format";
import test from "ava";
import { ANY_PHYSICAL_OFFSET } from "#format/message-checker.js";
import {
  BODY_CRC_OFFSET,
  BODY_LENGTH_OFFSET,
  BODY_OFFSET,
  MAGIC_OFFSET,
  PHYSICAL_OFFSET_OFFSET,
  QUEUE_ID_OFFSET,
  QUEUE_OFFSET_OFFSET,
  STORE_TIMESTAMP_OFFSET,
  SYS_FLAG_OFFSET,
} from "#format/message-descriptor.js";
import { encodeProperties } from "../../support/property-string.js";
import {
  SAMPLE_PHYSICAL_OFFSET,
  SAMPLE_QUEUE_OFFSET,
  SAMPLE_STORE_TIMESTAMP,
  sampleMessage,
  sealedRecord,
  viewOf,
} from "../../support/sample-message.js";

function verdict(bytes: Uint8Array, limit = bytes.length, checkCrc = true): string {
  const size = new MessageChecker().check(viewOf(bytes), bytes, 0, limit, SAMPLE_PHYSICAL_OFFSET, checkCrc);
  return size > 0 ? "GOOD" : messageVerdictName(size);
}

/** The verdict on a sample record after `change`. */
function verdictAfter(change: (view: DataView, bytes: Buffer) => void, message?: MessageFields, propertyCrc = false): string {
  const bytes = sealedRecord(message ?? sampleMessage(), propertyCrc);
  change(viewOf(bytes), bytes);
  return verdict(bytes);
}

test("a good record's fields and positions are readable after the check", (t) => {
  const before = 13;
  const bytes = sealedRecord(sampleMessage({ sysFlag: SYS_FLAG_PREPARED }), true, before);
  const checker = new MessageChecker();
  const size = checker.check(viewOf(bytes), bytes, before, bytes.length, SAMPLE_PHYSICAL_OFFSET, true);
  t.is(size, bytes.length - before);
  t.is(checker.queueId, 3);
  t.is(checker.queueOffset, SAMPLE_QUEUE_OFFSET);
  t.is(checker.physicalOffset, SAMPLE_PHYSICAL_OFFSET);
  t.is(checker.storeTimestamp, SAMPLE_STORE_TIMESTAMP);
  t.is(checker.transactionType, SYS_FLAG_PREPARED);
  t.is(bytes.toString("utf8", checker.bodyPosition, checker.bodyPosition + checker.bodyLength), "hello");
  t.is(bytes.toString("utf8", checker.topicPosition, checker.topicPosition + checker.topicLength), "TopicA");
  t.is(checker.propertiesPosition + checker.propertiesLength, bytes.length);
});

test("a blank record that fills the rest is BLANK, any other BAD_BLANK", (t) => {
  const bytes = Buffer.alloc(64);
  writeBlankRecord(viewOf(bytes), 0, 64);
  const checker = new MessageChecker();
  t.is(checker.check(viewOf(bytes), bytes, 0, 64, 0, true), MessageVerdict.BLANK);
  t.is(checker.blankLength, 64);
  for (const length of [63, 65, 0, -1]) {
    viewOf(bytes).setInt32(0, length);
    t.is(verdict(bytes), "BAD_BLANK", `length=${length}`);
  }
});

test("a record that the limit or the bytes cut is TRUNCATED at every length", (t) => {
  const bytes = sealedRecord(sampleMessage(), true);
  for (let length = 0; length < bytes.length; length++) {
    t.is(verdict(bytes, length), "TRUNCATED", `limit=${length}`);
    t.is(verdict(bytes.subarray(0, length), bytes.length), "TRUNCATED", `bytes=${length}`);
  }
  t.is(verdict(bytes), "GOOD");
});

test("zeros are EMPTY, zero magic under a size is not", (t) => {
  t.is(verdict(Buffer.alloc(64)), "EMPTY");
  t.is(
    verdictAfter((view) => view.setInt32(MAGIC_OFFSET, 0)),
    "BAD_MAGIC",
  );
});

test("an unknown magic is BAD_MAGIC", (t) => {
  t.is(
    verdictAfter((view) => view.setInt32(MAGIC_OFFSET, 0x12345678)),
    "BAD_MAGIC",
  );
});

test("sizes that leave no room for the fixed fields are BAD_LAYOUT", (t) => {
  for (const size of [-0x80000000, -1, 0, 8, 90])
    t.is(
      verdictAfter((view) => view.setInt32(0, size)),
      "BAD_LAYOUT",
      `size=${size}`,
    );
  const minimal = { topic: Buffer.alloc(0), body: Buffer.alloc(0), properties: Buffer.alloc(0), propertiesLength: 0 };
  t.is(
    verdictAfter(() => undefined, sampleMessage(minimal)),
    "GOOD",
  );
  t.is(
    verdictAfter((view) => view.setInt32(SYS_FLAG_OFFSET, SYS_FLAG_BORN_HOST_V6), sampleMessage(minimal)),
    "BAD_LAYOUT",
  );
});

test("body, topic and property lengths that do not add up are BAD_LAYOUT", (t) => {
  const topicLengthAt = BODY_OFFSET + 5;
  const propertiesLengthAt = topicLengthAt + 1 + 6;
  for (const length of [-0x80000000, -1, 4, 6, 1000, 0x7fffffff]) {
    t.is(
      verdictAfter((view) => view.setInt32(BODY_LENGTH_OFFSET, length)),
      "BAD_LAYOUT",
      `body=${length}`,
    );
  }
  for (const length of [-128, -1, 5, 7, 127]) {
    t.is(
      verdictAfter((view) => view.setInt8(topicLengthAt, length)),
      "BAD_LAYOUT",
      `topic=${length}`,
    );
  }
  for (const length of [-32768, -1, 0, 32767]) {
    t.is(
      verdictAfter((view) => view.setInt16(propertiesLengthAt, length)),
      "BAD_LAYOUT",
      `properties=${length}`,
    );
    const long = sampleMessage({ topic: Buffer.alloc(200, "t") });
    t.is(
      verdictAfter((view) => view.setInt16(topicLengthAt, length), long),
      "BAD_LAYOUT",
      `V2 topic=${length}`,
    );
  }
});

test("a negative queue id and 64-bit numbers beyond 2^53 are BAD_FIELD", (t) => {
  t.is(
    verdictAfter((view) => view.setInt32(QUEUE_ID_OFFSET, -1)),
    "BAD_FIELD",
  );
  t.is(
    verdictAfter((view) => view.setInt32(QUEUE_OFFSET_OFFSET, -1)),
    "BAD_FIELD",
  );
  t.is(
    verdictAfter((view) => view.setInt32(QUEUE_OFFSET_OFFSET, 0x200000)),
    "BAD_FIELD",
  );
  t.is(
    verdictAfter((view) => view.setInt32(PHYSICAL_OFFSET_OFFSET, 0x200000)),
    "BAD_FIELD",
  );
  t.is(
    verdictAfter((view) => view.setInt32(STORE_TIMESTAMP_OFFSET, 0x7fffffff)),
    "BAD_FIELD",
  );
});

test("a record written for another place is WRONG_PHYSICAL_OFFSET, unless any will do", (t) => {
  const bytes = sealedRecord(sampleMessage(), true);
  const checker = new MessageChecker();
  t.is(checker.check(viewOf(bytes), bytes, 0, bytes.length, 0, true), MessageVerdict.WRONG_PHYSICAL_OFFSET);
  t.is(checker.check(viewOf(bytes), bytes, 0, bytes.length, ANY_PHYSICAL_OFFSET, true), bytes.length);
});

test("a changed body is BAD_BODY_CRC without a property CRC and BAD_PROPERTY_CRC with one", (t) => {
  const flipBody = (_: DataView, bytes: Buffer): void => void bytes.writeUInt8(0x21, BODY_OFFSET);
  t.is(verdictAfter(flipBody), "BAD_BODY_CRC");
  t.is(
    verdictAfter((view) => view.setInt32(BODY_CRC_OFFSET, 1)),
    "BAD_BODY_CRC",
  );
  t.is(verdictAfter(flipBody, sampleMessage(), true), "BAD_PROPERTY_CRC");
});

test("no CRC is looked at unless asked for", (t) => {
  const bytes = sealedRecord(sampleMessage(), true);
  bytes.writeUInt8(0x21, BODY_OFFSET);
  t.is(verdict(bytes, bytes.length, false), "GOOD");
});

test("the body CRC of an empty body is not compared, as in RocketMQ", (t) => {
  t.is(
    verdictAfter((view) => view.setInt32(BODY_CRC_OFFSET, 1), sampleMessage({ body: Buffer.alloc(0) })),
    "GOOD",
  );
});

test("a property CRC is verified whatever the name and digits suffer", (t) => {
  const length = sealedRecord(sampleMessage(), true).length;
  const nameAt = length - 20;
  t.is(
    verdictAfter((_, bytes) => void bytes.write("__CRC33#", nameAt), sampleMessage(), true),
    "BAD_PROPERTY_CRC",
  );
  t.is(
    verdictAfter((_, bytes) => void bytes.writeUInt8(0x20, nameAt + 8), sampleMessage(), true),
    "BAD_PROPERTY_CRC",
  );
  t.is(
    verdictAfter((_, bytes) => void bytes.write("x", nameAt + 9), sampleMessage(), true),
    "BAD_PROPERTY_CRC",
  );
  t.is(
    verdictAfter((_, bytes) => void bytes.write("9", length - 2), sampleMessage(), true),
    "BAD_PROPERTY_CRC",
  );
});

test("a user's property that looks almost like a CRC is none", (t) => {
  const properties = encodeProperties([["__CRC33#", "1234567890"]], true);
  t.is(
    verdictAfter(() => undefined, sampleMessage({ properties, propertiesLength: properties.length })),
    "GOOD",
  );
});

test("what a user writes is never taken for a CRC: a body's end before short properties, the end of a property's name", (t) => {
  const short = encodeProperties([["a", "b"]], true);
  const looksLikeCrc = {
    topic: Buffer.from("T"),
    body: Buffer.from("__CRC32#\u0001123"),
    properties: short,
    propertiesLength: short.length,
  };
  const longName = encodeProperties([["a__CRC32#", "1234567890"]], true);
  for (const fields of [looksLikeCrc, { properties: longName, propertiesLength: longName.length }]) {
    t.is(
      verdictAfter(() => undefined, sampleMessage(fields)),
      "GOOD",
    );
    t.is(
      verdictAfter(() => undefined, sampleMessage(fields), true),
      "GOOD",
    );
  }
});

test("a changed separator before a CRC property does not make it part of a longer name", (t) => {
  for (const separator of [0, 3, 0x41, 0xff]) {
    t.is(
      verdictAfter((_, bytes) => void bytes.writeUInt8(separator, bytes.length - 21), sampleMessage(), true),
      "BAD_PROPERTY_CRC",
    );
  }
});

test("only codes of verdicts have names", (t) => {
  t.is(messageVerdictName(MessageVerdict.BLANK), "BLANK");
  t.throws(() => messageVerdictName(-99), { instanceOf: RangeError, message: /code=-99$/ });
});
