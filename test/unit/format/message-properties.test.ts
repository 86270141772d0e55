import { decodeProperties, javaHashMapOrder } from "@millrace/format";
import test from "ava";
import { parseProperties } from "#format/message-properties.js";
import { encodeProperties, formatProperties, JAVA_PARSED_MAP_CAPACITY } from "../../support/property-string.js";

function parsed(text: string): [string, string][] {
  return [...parseProperties(text)];
}

test("pairs are read with and without a separator after the last", (t) => {
  t.deepEqual(parsed("a\x01b\x02c\x01d"), [
    ["a", "b"],
    ["c", "d"],
  ]);
  t.deepEqual(parsed("a\x01b\x02c\x01d\x02"), [
    ["a", "b"],
    ["c", "d"],
  ]);
  t.deepEqual(parsed(""), []);
});

test("empty names, empty values, and segments without a separator are passed over", (t) => {
  t.deepEqual(parsed("\x01b\x02a\x01\x02ab\x02abc\x02\x02\x01\x02x\x01y"), [["x", "y"]]);
  t.deepEqual(parsed("abc\x02d\x01e"), [["d", "e"]], "a later segment's separator does not count");
  t.deepEqual(parsed("\x01a\x01b"), []);
});

test("a value may hold the name separator, as in RocketMQ's parser", (t) => {
  t.deepEqual(parsed("a\x01b\x01c"), [["a", "b\x01c"]]);
});

test("of equal names the last value wins, at the first one's place", (t) => {
  t.deepEqual(parsed("a\x011\x02b\x012\x02a\x013"), [
    ["a", "3"],
    ["b", "2"],
  ]);
});

test("names that objects are born with are ordinary names", (t) => {
  t.deepEqual(parsed("__proto__\x01x\x02constructor\x01y"), [
    ["__proto__", "x"],
    ["constructor", "y"],
  ]);
});

test("a trailing separator is written as 5.x does or left out as 4.9 does; nothing stays nothing", (t) => {
  const pairs = [
    ["a", "b"],
    ["skipped", null],
    ["also", undefined],
    ["c", "d"],
  ] as const;
  t.is(formatProperties(pairs, true), "a\x01b\x02c\x01d\x02");
  t.is(formatProperties(pairs, false), "a\x01b\x02c\x01d");
  t.is(formatProperties([], true), "");
  t.is(formatProperties([], false), "");
});

test("text beyond ASCII, and a byte order mark, come back from UTF-8", (t) => {
  const pairs: [string, string][] = [
    ["\ufeffключ", "值🌊"],
    ["k", "\u0000"],
  ];
  t.deepEqual([...decodeProperties(encodeProperties(pairs, true))], pairs);
});

test("ill-formed UTF-8 is read as the replacement character", (t) => {
  t.deepEqual([...decodeProperties(Buffer.from([0x61, 0x01, 0xff]))], [["a", "\ufffd"]]);
});

test("separators inside, and empty names, are refused", (t) => {
  for (const pair of [
    ["a\x01", "b"],
    ["a", "b\x02"],
    ["a", "\x01"],
    ["\x02", "b"],
    ["", "b"],
  ] as const) {
    t.throws(() => formatProperties([pair], true), { code: "ERR_PROPERTY_ILLEGAL", message: /name="/ });
  }
});

test("Java's HashMap gives names out by bucket, then as they were put", (t) => {
  t.deepEqual(javaHashMapOrder(["WAIT", "TAGS", "KEYS"]), ["KEYS", "WAIT", "TAGS"]);
  t.deepEqual(javaHashMapOrder(["BB", "Aa"]), ["BB", "Aa"], "equal hashes");
  t.deepEqual(javaHashMapOrder(["Aa", "BB", "Aa"]), ["Aa", "BB"]);
});

test("the map grows when more than three quarters full, and a parser's map starts larger", (t) => {
  const letters = [..."abcdefghijkl"];
  t.deepEqual(javaHashMapOrder(["q", "a"]), ["q", "a"], "one bucket of 16");
  t.deepEqual(javaHashMapOrder(["q", "a"], JAVA_PARSED_MAP_CAPACITY), ["a", "q"]);
  t.deepEqual(javaHashMapOrder(["q", ...letters.slice(0, 11)]).slice(0, 2), ["q", "a"], "twelve names: 16 buckets");
  t.deepEqual(javaHashMapOrder(["q", ...letters]).slice(0, 2), ["a", "b"], "thirteen names: 32 buckets");
});
