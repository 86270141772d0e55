import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeIndexHeader, indexFileLength, indexItemPosition, indexKeyHash, indexSlotPosition } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { IndexFile } from "#store/dispatch/index-file.js";
import { realStorage, SHAPE } from "../../../support/index-log.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const BEGIN = 1_700_000_000_000;
const NAME = "20261120183519054";
const LARGE = { maxHashSlotNum: 50_000, maxIndexNum: 200_000 };

function itemOf(content: Buffer, item: number): { hash: number; physicalOffset: number; timeDiff: number; previous: number } {
  const at = indexItemPosition(SHAPE.maxHashSlotNum, item);
  return {
    hash: content.readInt32BE(at),
    physicalOffset: Number(content.readBigInt64BE(at + 4)),
    timeDiff: content.readInt32BE(at + 12),
    previous: content.readInt32BE(at + 16),
  };
}

test("a file of 400 items takes 399 keys, and not one more", (t) => {
  const path = join(temporaryDirectory(t), NAME);
  const file = IndexFile.create(realStorage, path, SHAPE);
  for (let i = 0; i < 399; i++) t.true(file.putKey(indexKeyHash(`Topic#${i}`), i * 100, BEGIN + i));
  t.true(file.isFull);
  const full = readFileSync(path);
  t.false(file.putKey(indexKeyHash("Topic#400"), 40_000, BEGIN));
  t.true(readFileSync(path).equals(full));
  t.is(full.length, indexFileLength(SHAPE));
  t.deepEqual(decodeIndexHeader(full), file.header);
  t.is(file.header.indexCount, 400);
  file.close();
  file.close();
});

test("keys of one slot are chained from the newest to the oldest", (t) => {
  const path = join(temporaryDirectory(t), NAME);
  const file = IndexFile.create(realStorage, path, SHAPE);
  for (const [i, hash] of [41, 141, 7, 2 ** 31 - 59].entries()) file.putKey(hash, 2 ** 40 + i, BEGIN + i * 1000);
  const content = readFileSync(path);
  t.deepEqual(itemOf(content, 0), { hash: 0, physicalOffset: 0, timeDiff: 0, previous: 0 });
  t.deepEqual(itemOf(content, 1), { hash: 41, physicalOffset: 2 ** 40, timeDiff: 0, previous: 0 });
  t.deepEqual(itemOf(content, 2), { hash: 141, physicalOffset: 2 ** 40 + 1, timeDiff: 1, previous: 1 });
  t.deepEqual(itemOf(content, 4), { hash: 2 ** 31 - 59, physicalOffset: 2 ** 40 + 3, timeDiff: 3, previous: 0 });
  t.is(content.readInt32BE(indexSlotPosition(41)), 2);
  t.is(file.header.hashSlotCount, 3);
  file.close();
});

test("the time of a key is whole seconds, neither negative nor beyond an int", (t) => {
  const path = join(temporaryDirectory(t), NAME);
  const file = IndexFile.create(realStorage, path, SHAPE);
  for (const time of [BEGIN, BEGIN + 1999, BEGIN - 1, BEGIN + 2 ** 42]) file.putKey(1, 0, time);
  const content = readFileSync(path);
  t.deepEqual(
    [1, 2, 3, 4].map((item) => itemOf(content, item).timeDiff),
    [0, 1, 0, 2 ** 31 - 1],
  );
  t.is(decodeIndexHeader(content).beginTimestamp, BEGIN);
  file.close();
});

test("the first key of a rolled file has its time since the end of the file before", (t) => {
  const path = join(temporaryDirectory(t), NAME);
  const previous = {
    beginTimestamp: 1,
    endTimestamp: BEGIN,
    beginPhysicalOffset: 0,
    endPhysicalOffset: 777,
    hashSlotCount: 1,
    indexCount: 400,
  };
  const file = IndexFile.create(realStorage, path, SHAPE, previous);
  const empty = {
    beginTimestamp: BEGIN,
    endTimestamp: BEGIN,
    beginPhysicalOffset: 777,
    endPhysicalOffset: 777,
    hashSlotCount: 0,
    indexCount: 1,
  };
  t.deepEqual(decodeIndexHeader(readFileSync(path)), empty);
  file.close();
  const reopened = IndexFile.open(realStorage, path, SHAPE);
  reopened.putKey(5, 1000, BEGIN + 1500);
  reopened.putKey(6, 1100, BEGIN + 2400);
  const content = readFileSync(path);
  t.is(itemOf(content, 1).timeDiff, 1);
  t.is(itemOf(content, 2).timeDiff, 0);
  t.is(decodeIndexHeader(content).beginTimestamp, BEGIN + 1500);
  t.is(decodeIndexHeader(content).beginPhysicalOffset, 1000);
  reopened.close();
});

test("a slot that leads behind the last item begins a new chain", (t) => {
  const path = join(temporaryDirectory(t), NAME);
  IndexFile.create(realStorage, path, SHAPE).close();
  const content = readFileSync(path);
  content.writeInt32BE(9999, indexSlotPosition(41));
  content.writeInt32BE(-5, indexSlotPosition(42));
  writeFileSync(path, content);
  const file = IndexFile.open(realStorage, path, SHAPE);
  file.putKey(41, 0, BEGIN);
  file.putKey(42, 0, BEGIN);
  t.is(itemOf(readFileSync(path), 1).previous, 0);
  t.is(itemOf(readFileSync(path), 2).previous, 0);
  file.close();
});

test("a reopened file goes on where it ended, and fills what may be holes before anything is stored", (t) => {
  const directory = temporaryDirectory(t);
  const [once, twice] = [join(directory, "1".repeat(17)), join(directory, "2".repeat(17))];
  const put = (file: IndexFile, from: number, to: number): void => {
    for (let i = from; i < to; i++) file.putKey((i * 7919) % 1_000_003, i * 10, BEGIN + i);
  };
  const whole = IndexFile.create(realStorage, once, LARGE);
  put(whole, 0, 150_000);
  whole.force();
  whole.close();
  // As RocketMQ makes it: one long hole.
  writeFileSync(twice, "");
  truncateSync(twice, indexFileLength(LARGE));
  for (const [from, to] of [
    [0, 3],
    [3, 60_000],
    [60_000, 150_000],
  ] as const) {
    const file = IndexFile.open(realStorage, twice, LARGE);
    t.true(statSync(twice).blocks * 512 >= indexItemPosition(LARGE.maxHashSlotNum, 0), "no hole in front of the items");
    put(file, from, to);
    file.close();
  }
  t.true(readFileSync(twice).equals(readFileSync(once)));
});

test("a full disk is an error before anything is stored, and the key can be put again", (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, NAME);
  // The header and slots take four writes, the header's own one more; the first step of items fails.
  const storage = createStorage({ kind: "faulty", faults: [{ operation: "write", path, after: 5, times: 2, code: "ENOSPC" }] });
  const file = IndexFile.create(storage, path, LARGE);
  const before = readFileSync(path);
  for (let i = 0; i < 2; i++) t.throws(() => file.putKey(1, 0, BEGIN), { code: "ENOSPC" });
  t.true(readFileSync(path).equals(before));
  t.true(file.putKey(1, 0, BEGIN));
  file.close();
});

test("a file that cannot be made is not there", (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, NAME);
  for (const operation of ["truncate", "write", "map"] as const) {
    const storage = createStorage({ kind: "faulty", faults: [{ operation, path: directory, after: 0, code: "ENOSPC" }] });
    t.throws(() => IndexFile.create(storage, path, LARGE), { code: "ENOSPC" });
    t.deepEqual(realStorage.list(directory), []);
  }
});

test("a file of another shape, or with a header that cannot be, is not opened", (t) => {
  const path = join(temporaryDirectory(t), NAME);
  IndexFile.create(realStorage, path, SHAPE).close();
  t.throws(() => IndexFile.open(realStorage, path, LARGE), { code: "ERR_INDEX_FILE_SIZE", message: /length=8440 expected=/ });
  const content = readFileSync(path);
  content.writeInt32BE(401, 36);
  writeFileSync(path, content);
  t.throws(() => IndexFile.open(realStorage, path, SHAPE), { code: "ERR_INDEX_FILE_CORRUPT" });
});
