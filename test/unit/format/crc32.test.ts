import { crc32 as zlibCrc32 } from "node:zlib";
import { crc32 } from "@millrace/format";
import test from "ava";

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
