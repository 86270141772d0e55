import { indexKeyHash, tagsCode } from "@millrace/format";
import test from "ava";
import { javaStringHash } from "#format/java-hash.js";

test("a string hashes over its UTF-16 units, wrapping", (t) => {
  t.is(javaStringHash(""), 0);
  t.is(javaStringHash("a"), 97);
  t.is(javaStringHash("Aa"), javaStringHash("BB"));
  t.is(javaStringHash("🌊"), 0xd83c * 31 + 0xdf0a, "a surrogate pair is two units");
  t.is(javaStringHash("\ud83c"), 0xd83c, "a lone one counts too");
  t.is(javaStringHash("polygenelubricants"), -0x80000000);
});

test("tags hash with their sign, index keys without", (t) => {
  t.is(tagsCode("polygenelubricants"), -0x80000000);
  t.is(tagsCode(""), 0);
  t.is(indexKeyHash("polygenelubricants"), 0, "the one hash whose absolute value is negative in Java");
  t.is(indexKeyHash("TopicA#K1"), 1903241641);
});
