import { indexKeyHash, javaHashMapOrder, tagsCode, writeBlankRecord } from "@millrace/format";
import test from "ava";
import { javaStringHash } from "#format/java-hash.js";
import { readCrcDigits } from "#format/message-checker.js";
import { MESSAGE_MAGIC_V1, MESSAGE_MAGIC_V2 } from "#format/message-descriptor.js";
import { writeCrcDigits } from "#format/message-encoder.js";
import type { FixtureMessage } from "../support/fixture-message.js";
import { fixtureMessages, writeFixtureMessage } from "../support/fixture-message.js";
import { decodeMessage } from "../support/message-decoder.js";

const V4_HEAD = "daa320a73610a686000000000102030400000000000000000000000000000000000000000000018bcfe568000a010203000011d7";
const V4_TIME = "000001a1fa3dd99d";
const V4_TAIL = "7f00000100002a9f0000000500000000000000000000000568656c6c6f06546f7069634100";
const V4_PROPERTIES = "4b455953014b31204b3202544147530154616741";

const V6_HEAD =
  "00000090daa320a719554ca700000000010203040000000000000001000000000000007a000000300000018bcfe56800" +
  "20010db8000000000000000000000001000011d7";
const V6_TAIL =
  "0000000000000000000000000000000100002a9f0000000500000000000000000000000668656c6c6f3606546f7069634100" +
  "114b455953014b3102544147530154616741";

function source(version: "4.9" | "5.3", name: string, i = 0): FixtureMessage {
  return fixtureMessages(version).get(name)?.[i] as FixtureMessage;
}

function encodeHex(version: "4.9" | "5.3", name: string, physicalOffset: number, queueOffset: number, time: string): string {
  const bytes = Buffer.alloc(4096);
  const place = { queueOffset, physicalOffset, storeTimestamp: Number.parseInt(time, 16) };
  const length = writeFixtureMessage(bytes, 0, source(version, name), { version, appendPropertyCrc: false }, place);
  return bytes.toString("hex", 0, length);
}

test("a V1 record with IPv4 hosts is the one that 4.9.8 writes", (t) => {
  const hex = `0000007a${V4_HEAD}${V4_TIME}${V4_TAIL}14${V4_PROPERTIES}`;
  t.is(encodeHex("4.9", "v4", 0, 0, V4_TIME), hex);
  const found = decodeMessage(Buffer.from(hex, "hex"));
  t.is(found.size, 122);
  t.is(found.magic, MESSAGE_MAGIC_V1);
  t.is(found.topic, "TopicA");
  t.is(found.storeTimestamp, Number.parseInt(V4_TIME, 16));
  t.deepEqual(
    [...found.properties],
    [
      ["KEYS", "K1 K2"],
      ["TAGS", "TagA"],
    ],
  );
});

test("a V1 record with IPv4 hosts is the one that 5.3.3 writes: one separator longer", (t) => {
  const hex = `0000007b${V4_HEAD}${V4_TIME}${V4_TAIL}15${V4_PROPERTIES}02`;
  t.is(encodeHex("5.3", "v4", 0, 0, V4_TIME), hex);
  t.is(decodeMessage(Buffer.from(hex, "hex")).size, 123);
});

test("a record with IPv6 hosts is the one that 4.9.8 writes", (t) => {
  const hex = `${V6_HEAD}000001a1fa3dd9c8${V6_TAIL}`;
  t.is(encodeHex("4.9", "v6both", 122, 1, "000001a1fa3dd9c8"), hex);
  const found = decodeMessage(Buffer.from(hex, "hex"));
  t.is(found.msgId, "0000000000000000000000000000000100002A9F000000000000007A");
  t.deepEqual(found.bornHost, { address: "2001:db8::1", port: 4567 });
  t.deepEqual(found.storeHost, { address: "::1", port: 10911 });
});

test("prepared, commit and rollback records start as 4.9.8 writes them", (t) => {
  const prepared = encodeHex("4.9", "prepared", 0x17e, 0, V4_TIME);
  t.true(prepared.startsWith("0000006edaa320a755812d60"));
  t.true(prepared.includes("0000000000000000000000000000017e00000004"));
  t.true(encodeHex("4.9", "commit", 0x1ec, 2, V4_TIME).includes("000000000000004d"));
  t.is(decodeMessage(Buffer.from(encodeHex("4.9", "rollback", 0x25c, 0, V4_TIME), "hex")).transactionType, 0x0c);
});

test("the first record of the batch carries the batch's property last, in both versions", (t) => {
  const pairs = "4b455953016b657930025741495401747275650254414753015430026270016276";
  t.true(encodeHex("4.9", "batch", 0, 0, V4_TIME).endsWith(`0021${pairs}`));
  t.true(encodeHex("4.9", "batch", 0, 0, V4_TIME).startsWith("00000084"));
  t.true(encodeHex("5.3", "batch", 0, 0, V4_TIME).endsWith(`0022${pairs}02`));
  t.true(encodeHex("5.3", "batch", 0, 0, V4_TIME).startsWith("00000085"));
});

test("a topic of 128 bytes takes a V2 record", (t) => {
  const hex = encodeHex("5.3", "topic128", 0, 0, V4_TIME);
  t.is(hex.length / 2, 221);
  t.true(hex.startsWith("000000dddaa320ab"));
  t.true(hex.includes(`780080${"74".repeat(128)}0000`));
  t.is(decodeMessage(Buffer.from(hex, "hex")).magic, MESSAGE_MAGIC_V2);
});

test("a blank record after 1857 bytes of a 4096-byte segment", (t) => {
  const bytes = Buffer.alloc(4096);
  writeBlankRecord(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 1857, 4096 - 1857);
  t.is(bytes.toString("hex", 1857, 1867), "000008bfcbd431940000");
});

test("the digits of a property CRC stand least significant first", (t) => {
  const digits = Buffer.alloc(10);
  writeCrcDigits(digits, 0, 92157161);
  t.is(digits.toString(), "1617512900");
  t.is(readCrcDigits(digits, 0), 92157161);
});

test("tags and index keys hash as in Java", (t) => {
  t.is(tagsCode("TagA"), 2598919);
  t.is(tagsCode(undefined), 0);
  t.is(javaStringHash("TopicA#K1"), -1903241641);
  t.is(indexKeyHash("TopicA#K1"), 1903241641);
  t.is(indexKeyHash("TopicA#K1") % 100, 41);
  t.is(indexKeyHash("TopicA#K2") % 100, 40);
  t.is(indexKeyHash("TopicB#key0"), 670487329);
  t.is(indexKeyHash("TopicB#key0") % 100, 29);
});

test("properties of a delayed message come in the order of Java's HashMap", (t) => {
  const expected = ["REAL_TOPIC", "DELAY", "TAGS", "REAL_QID"];
  t.deepEqual(javaHashMapOrder(["TAGS", "DELAY", "REAL_TOPIC", "REAL_QID"]), expected);
  t.deepEqual(javaHashMapOrder(["REAL_QID", "REAL_TOPIC", "DELAY", "TAGS"]), expected);
});
