import { decodeStoreCheckpoint, encodeStoreCheckpoint } from "@millrace/format";
import test from "ava";

const CHECKPOINT = {
  physicMsgTimestamp: 1_795_199_719_424,
  logicsMsgTimestamp: 2,
  indexMsgTimestamp: 3,
  masterFlushedOffset: Number.MAX_SAFE_INTEGER,
  confirmPhysicalOffset: 5,
};

test("a checkpoint is 4096 bytes: five numbers and zeros", (t) => {
  const bytes = Buffer.from(encodeStoreCheckpoint(CHECKPOINT));
  t.is(bytes.length, 4096);
  t.is(bytes.readBigInt64BE(0), 1_795_199_719_424n);
  t.is(bytes.readBigInt64BE(32), 5n);
  t.true(bytes.subarray(40).equals(Buffer.alloc(4056)));
  t.deepEqual(decodeStoreCheckpoint(bytes), CHECKPOINT);
});

test("a checkpoint of another length, or with a number that cannot be, is refused", (t) => {
  for (const length of [0, 40, 4095, 4097]) {
    t.throws(() => decodeStoreCheckpoint(Buffer.alloc(length)), { code: "ERR_CHECKPOINT_ILLEGAL", message: /length=\d+$/ });
  }
  for (const value of [-1n, 1n << 53n, -(1n << 63n)]) {
    const bytes = Buffer.from(encodeStoreCheckpoint(CHECKPOINT));
    bytes.writeBigInt64BE(value, 8);
    t.throws(() => decodeStoreCheckpoint(bytes), { code: "ERR_CHECKPOINT_ILLEGAL", message: /logicsMsgTimestamp=-?\d+$/ });
  }
});
