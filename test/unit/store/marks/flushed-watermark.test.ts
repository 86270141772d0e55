import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Fault, FaultOperation } from "@millrace/mapped-file";
import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { FlushedWatermark, readFlushedWatermark } from "#store/marks/flushed-watermark.js";
import { WATERMARK_SLOT_LENGTH, WATERMARK_SLOT_STRIDE } from "#store/marks/flushed-watermark-descriptor.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const storage = createStorage({ kind: "real" });
/** Of the life that makes the file it is not the first force. */
function unforced(path: string): Fault {
  return { operation: "force", path, after: 1, times: 1, code: "EIO" };
}

const OFFSETS = [100, 200, 2 ** 40, 2 ** 40, 2 ** 52];

test("without a file there is no watermark, and a new file says 0", (t) => {
  const path = join(temporaryDirectory(t), "millrace.watermark");
  t.is(readFlushedWatermark(storage, path), undefined);
  FlushedWatermark.open(storage, path).close();
  t.deepEqual(readFlushedWatermark(storage, path), { epoch: 0, flushedOffset: 0, time: 0 });
});

test("each write is read back, and goes on after a restart", (t) => {
  const path = join(temporaryDirectory(t), "millrace.watermark");
  for (const [index, flushedOffset] of OFFSETS.entries()) {
    const watermark = FlushedWatermark.open(storage, path);
    t.is(watermark.last.epoch, index);
    watermark.write(flushedOffset, 1_700_000_000_000 + index);
    watermark.close();
    t.deepEqual(readFlushedWatermark(storage, path), { epoch: index + 1, flushedOffset, time: 1_700_000_000_000 + index });
  }
});

test("the watermark never goes back", (t) => {
  const path = join(temporaryDirectory(t), "millrace.watermark");
  const watermark = FlushedWatermark.open(storage, path);
  watermark.write(10, 1);
  t.throws(() => watermark.write(9, 2), { code: "ERR_WATERMARK_BACKWARDS", message: /last=10$/ });
  watermark.close();
  t.is(readFlushedWatermark(storage, path)?.flushedOffset, 10);
});

test("a byte changed anywhere in the newest slot leaves the one before", (t) => {
  const path = join(temporaryDirectory(t), "millrace.watermark");
  const watermark = FlushedWatermark.open(storage, path);
  watermark.write(100, 1);
  watermark.write(200, 2);
  watermark.write(300, 3);
  watermark.close();
  const content = readFileSync(path);
  for (let at = 0; at < WATERMARK_SLOT_LENGTH; at++) {
    const damaged = Buffer.from(content);
    damaged[WATERMARK_SLOT_STRIDE + at] = (damaged[WATERMARK_SLOT_STRIDE + at] ?? 0) ^ 0x10;
    writeFileSync(path, damaged);
    t.is(readFlushedWatermark(storage, path)?.flushedOffset, 200, `byte ${at}`);
  }
});

test("the slot that a killed life wrote is durable before the other one is written: torn at once they would both be lost", (t) => {
  const path = join(temporaryDirectory(t), "millrace.watermark");
  FlushedWatermark.open(storage, path).close();
  const killed = FlushedWatermark.open(createStorage({ kind: "faulty", faults: [unforced(path)] }), path);
  t.throws(() => killed.write(100, 1), { code: "EIO" });
  killed.close();
  const next = createStorage({ kind: "faulty", faults: [{ operation: "force", path, after: 0, times: 1, code: "EIO" }] });
  t.throws(() => FlushedWatermark.open(next, path), { code: "EIO" });
  const watermark = FlushedWatermark.open(next, path);
  t.is(watermark.last.flushedOffset, 100);
  watermark.close();
});

test("a file without a good slot is an error, whatever its length", (t) => {
  const path = join(temporaryDirectory(t), "millrace.watermark");
  for (const length of [0, 10, WATERMARK_SLOT_STRIDE, 2 * WATERMARK_SLOT_STRIDE]) {
    writeFileSync(path, new Uint8Array(length));
    const expected = { code: "ERR_WATERMARK_CORRUPT", message: new RegExp(`length=${length}$`) };
    t.throws(() => readFlushedWatermark(storage, path), expected);
    t.throws(() => FlushedWatermark.open(storage, path), expected);
  }
});

test("a write torn at any byte, and then repeated, never costs the last good slot", (t) => {
  const path = join(temporaryDirectory(t), "millrace.watermark");
  for (let partialBytes = 0; partialBytes < WATERMARK_SLOT_LENGTH; partialBytes++) {
    storage.remove(path);
    // The first write makes the file.
    const faulty = createStorage({
      kind: "faulty",
      faults: [{ operation: "write", path, after: 2, times: 2, code: "EIO", partialBytes }],
    });
    const watermark = FlushedWatermark.open(faulty, path);
    watermark.write(100, 1);
    t.throws(() => watermark.write(200, 2), { code: "EIO" });
    t.throws(() => watermark.write(300, 3), { code: "EIO" });
    t.is(readFlushedWatermark(storage, path)?.flushedOffset, 100, `kept ${partialBytes}`);
    watermark.write(400, 4);
    t.is(readFlushedWatermark(storage, path)?.flushedOffset, 400);
    watermark.close();
  }
});

test("a crash while the file is made leaves none, or a good one", (t) => {
  for (const operation of ["open", "write", "force", "rename", "syncDirectory"] satisfies FaultOperation[]) {
    const directory = temporaryDirectory(t);
    const path = join(directory, "millrace.watermark");
    const faulty = createStorage({
      kind: "faulty",
      faults: [{ operation, path: directory, after: 0, code: "EIO", partialBytes: 7 }],
    });
    t.throws(() => FlushedWatermark.open(faulty, path), { code: "EIO" });
    t.is(readFlushedWatermark(storage, path)?.flushedOffset ?? 0, 0);
    FlushedWatermark.open(storage, path).close();
  }
});
