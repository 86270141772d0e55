import { decodeMessageBatch, encodeMessageBatch, writeBlankRecord } from "@millrace/format";
import test from "ava";
import { viewOf } from "../../support/sample-message.js";

const ENTRIES = [
  { flag: -7, body: Buffer.from("one"), properties: Buffer.from("a\x01b\x02") },
  { flag: 0, body: Buffer.alloc(0), properties: Buffer.alloc(0) },
  { flag: 3, body: Buffer.alloc(1000, 1), properties: Buffer.alloc(32767, "p") },
];

test("a batch has the layout that clients send, and comes back", (t) => {
  const bytes = Buffer.from(encodeMessageBatch(ENTRIES));
  t.is(bytes.toString("hex", 0, 29), "0000001d0000000000000000fffffff9000000036f6e65000461016202");
  const found = decodeMessageBatch(bytes).map(({ flag, body, properties }) => ({
    flag,
    body: Buffer.from(body),
    properties: Buffer.from(properties),
  }));
  t.deepEqual(found, ENTRIES);
  t.deepEqual(decodeMessageBatch(new Uint8Array(0)), []);
});

test("a batch with a length that does not fit is refused", (t) => {
  const change = (at: number, value: number): Uint8Array => {
    const bytes = Buffer.from(encodeMessageBatch(ENTRIES.slice(0, 1)));
    bytes.writeInt32BE(value, at);
    return bytes;
  };
  for (const total of [-0x80000000, -1, 0, 21, 28, 30, 0x7fffffff]) {
    t.throws(() => decodeMessageBatch(change(0, total)), { code: "ERR_BATCH_ILLEGAL", message: /position=0$/ }, `total=${total}`);
  }
  for (const body of [-0x80000000, -1, 2, 4, 0x7fffffff]) {
    t.throws(() => decodeMessageBatch(change(16, body)), { code: "ERR_BATCH_ILLEGAL" }, `body=${body}`);
  }
  const cut = encodeMessageBatch(ENTRIES).subarray(0, -1);
  t.throws(() => decodeMessageBatch(cut), { code: "ERR_BATCH_ILLEGAL", message: /position=51$/ });
});

test("properties too long for their length field are refused", (t) => {
  const entry = { flag: 0, body: Buffer.alloc(0), properties: Buffer.alloc(32768) };
  t.throws(() => encodeMessageBatch([entry]), { code: "ERR_PROPERTIES_TOO_LARGE", message: /length=32768$/ });
});

test("no blank record is written where there is no room for one", (t) => {
  const bytes = Buffer.alloc(8);
  t.throws(() => writeBlankRecord(viewOf(bytes), 0, 7), { code: "ERR_BLANK_TOO_SHORT", message: /length=7$/ });
  t.true(bytes.equals(Buffer.alloc(8)));
});
