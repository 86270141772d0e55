import { crc32 as zlibCrc32 } from "node:zlib";
import { bodyOffsetOf, crc32, encodedLength, encodeMessage, MessageSealer, storedPropertiesLength } from "@millrace/format";
import test from "ava";
import { Crc32Combiner } from "#format/crc32.js";
import { sampleMessage, viewOf } from "../../support/sample-message.js";

function bytesOf(length: number, factor: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * factor + (i >>> 8)) & 0xff);
}

test("CRCs are those of zlib at every length around the switch of implementation, with and without seed", (t) => {
  for (const length of [0, 1, 15, 16, 17, 383, 384, 385, 1000, 70_000]) {
    const bytes = bytesOf(length, 31);
    t.is(crc32(bytes), zlibCrc32(bytes) | 0, `length=${length}`);
    t.is(crc32(bytes, -5), zlibCrc32(bytes, -5 >>> 0) | 0, `seeded length=${length}`);
  }
  t.is(crc32(Buffer.from("123456789")) >>> 0, 0xcbf43926);
});

test("a CRC combined from two parts is the CRC of the whole, for many lengths", (t) => {
  const combiner = new Crc32Combiner();
  const first = bytesOf(77, 13);
  const lengths = [...Array.from({ length: 130 }, (_, i) => i + 1), 255, 256, 1023, 1024, 4096, 65_535, 65_536, 1 << 20];
  for (const length of lengths) {
    t.is(combiner.shiftTable(length), undefined, "a length seen once gets no table");
    const table = combiner.shiftTable(length);
    if (table === undefined) return t.fail(`length=${length}`);
    const second = bytesOf(length, 7);
    t.is(combiner.combine(crc32(first), crc32(second), table), crc32(second, crc32(first)), `length=${length}`);
    t.is(combiner.shiftTable(length), table, "and keeps it");
  }
});

test("a sealer that combines CRCs writes what one that reads twice writes", (t) => {
  const sealer = new MessageSealer();
  for (const bodyLength of [511, 512, 513, 4096]) {
    const message = sampleMessage({ body: bytesOf(bodyLength, 11) });
    const stored = storedPropertiesLength(message, true);
    const length = encodedLength(message, stored);
    const records = [0, 1, 2].map(() => {
      const bytes = Buffer.alloc(length);
      encodeMessage(viewOf(bytes), bytes, 0, message, length, stored);
      sealer.seal(viewOf(bytes), bytes, 0, length, bodyOffsetOf(message), 1, 2, 3, true);
      return bytes.toString("hex");
    });
    t.is(new Set(records).size, 1, `bodyLength=${bodyLength}`);
  }
});
