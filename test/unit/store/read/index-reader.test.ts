import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { indexFileLength, indexItemPosition, indexKeyHash, indexSlotPosition } from "@millrace/format";
import type { ExecutionContext } from "ava";
import test from "ava";
import { IndexFile } from "#store/dispatch/index-file.js";
import { IndexReader } from "#store/read/index-reader.js";
import { realStorage, SHAPE } from "../../../support/index-log.js";
import { chosenSeed, seededRandom } from "../../../support/random.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const BEGIN = 1_700_000_000_000;
const EVER = Number.MAX_SAFE_INTEGER;
const NAMES = ["20261120183519001", "20261120183519002", "20261120183519003"] as const;

function readerOf(t: ExecutionContext, directory: string, maxMsgsNumBatch = 64): IndexReader {
  const reader = new IndexReader(realStorage, directory, { ...SHAPE, maxMsgsNumBatch });
  t.teardown(() => reader.close());
  return reader;
}

function create(t: ExecutionContext, directory: string, name: string, previous?: IndexFile): IndexFile {
  const file = IndexFile.create(realStorage, join(directory, name), SHAPE, previous?.header);
  t.teardown(() => file.close());
  return file;
}

function put(file: IndexFile, key: string, offset: number, seconds: number): void {
  file.putKey(indexKeyHash(`Topic#${key}`), offset, BEGIN + seconds * 1000);
}

test("a key is found by its time, newest first", (t) => {
  const directory = temporaryDirectory(t);
  const file = create(t, directory, NAMES[0]);
  for (let i = 0; i < 50; i++) put(file, i % 2 === 0 ? "even" : "odd", i * 10, i);
  const reader = readerOf(t, directory);
  const find = (key: string, begin: number, end: number, maxNum = 100): number[] =>
    reader.queryOffset("Topic", key, maxNum, BEGIN + begin, BEGIN + end).offsets;
  t.deepEqual(find("even", 4000, 8000), [80, 60, 40]);
  t.deepEqual(find("even", 3999, 7999), [60, 40]);
  t.deepEqual(find("odd", 4000, 8000), [70, 50]);
  t.deepEqual(find("even", 0, EVER, 3), [480, 460, 440]);
  t.deepEqual(find("even", 0, EVER, 0), []);
  t.deepEqual(find("none", 0, EVER), []);
  t.deepEqual(find("even", 50_000, EVER), [], "behind the file");
  t.deepEqual(find("even", -5000, -1), [], "before it");
});

test("a message is found from the millisecond on in which it was stored", (t) => {
  const directory = temporaryDirectory(t);
  const file = create(t, directory, NAMES[0]);
  put(file, "first", 0, 0);
  put(file, "key", 10, 1.9);
  const reader = readerOf(t, directory);
  t.deepEqual(reader.queryOffset("Topic", "key", 9, BEGIN + 1900, BEGIN + 1900).offsets, [10]);
  t.deepEqual(reader.queryOffset("Topic", "key", 9, BEGIN + 2000, BEGIN + 3000).offsets, []);
});

test("the batch limit bounds every query", (t) => {
  const directory = temporaryDirectory(t);
  const file = create(t, directory, NAMES[0]);
  for (let i = 0; i < 50; i++) put(file, "key", i, 0);
  t.is(readerOf(t, directory, 7).queryOffset("Topic", "key", 100, 0, EVER).offsets.length, 7);
});

test("a query goes through the files from the newest to the oldest, and not beyond its time", (t) => {
  const directory = temporaryDirectory(t);
  const first = create(t, directory, NAMES[0]);
  for (let i = 0; i < 10; i++) put(first, "key", i, i);
  const second = create(t, directory, NAMES[1], first);
  for (let i = 100; i < 110; i++) put(second, "key", i, i);
  const reader = readerOf(t, directory);
  const find = (begin: number, end: number, maxNum = 64): number[] =>
    reader.queryOffset("Topic", "key", maxNum, BEGIN + begin, BEGIN + end).offsets;
  t.is(find(0, EVER).length, 20);
  t.deepEqual(find(0, EVER).slice(8, 12), [101, 100, 9, 8]);
  t.deepEqual(find(0, 3000), [3, 2, 1, 0]);
  t.deepEqual(
    find(100_000, 100_999),
    [100],
    "although RocketMQ keeps the time of a rolled file's first key against the file before",
  );
  t.deepEqual(find(0, EVER, 11).at(-1), 9);
  const { lastUpdateTimestamp, lastUpdatePhysicalOffset } = reader.queryOffset("Topic", "other", 1, 0, EVER);
  t.deepEqual([lastUpdateTimestamp, lastUpdatePhysicalOffset], [BEGIN + 109_000, 109]);
});

test("keys are seen at once, and so is a new file", (t) => {
  const directory = temporaryDirectory(t);
  const reader = readerOf(t, directory);
  const find = (): number => reader.queryOffset("Topic", "key", 1000, 0, EVER).offsets.length;
  t.is(find(), 0);
  const first = create(t, directory, NAMES[0]);
  t.is(find(), 0);
  for (let i = 1; i < 400; i++) {
    put(first, i % 10 === 0 ? "key" : "other", i, 0);
    if (i % 10 === 0) t.is(find(), i / 10);
  }
  const second = create(t, directory, NAMES[1], first);
  t.is(find(), 39);
  put(second, "key", 1000, 0);
  t.is(find(), 40);
});

test("a deleted file is forgotten, and one deleted before its first use holds nothing", (t) => {
  const directory = temporaryDirectory(t);
  const files = NAMES.map((name, i) => {
    const file = create(t, directory, name);
    put(file, "key", i, i);
    return file;
  });
  t.is(files.length, 3);
  const reader = readerOf(t, directory);
  t.deepEqual(reader.queryOffset("Topic", "key", 2, 0, EVER).offsets, [2, 1]);
  rmSync(join(directory, NAMES[0]));
  t.deepEqual(reader.queryOffset("Topic", "key", 3, 0, EVER).offsets, [2, 1]);
  rmSync(join(directory, NAMES[1]));
  t.deepEqual(reader.queryOffset("Topic", "key", 3, 0, EVER).offsets, [2, 1], "mapped before");
  reader.refresh();
  t.deepEqual(reader.queryOffset("Topic", "key", 3, 0, EVER).offsets, [2]);
  reader.close();
  reader.close();
  t.deepEqual(reader.queryOffset("Topic", "key", 3, 0, EVER).offsets, []);
});

test("a query of an empty or missing directory, and of one with files of another kind, finds nothing", (t) => {
  const directory = temporaryDirectory(t);
  for (const path of [directory, join(directory, "missing")]) {
    t.deepEqual(readerOf(t, path).queryOffset("Topic", "key", 9, 0, EVER), {
      offsets: [],
      lastUpdateTimestamp: undefined,
      lastUpdatePhysicalOffset: undefined,
    });
  }
  for (const [name, length] of [
    [NAMES[0], 0],
    [NAMES[1], indexFileLength(SHAPE) - 1],
    ["20261120183519001.tmp", indexFileLength(SHAPE)],
  ] as const) {
    writeFileSync(join(directory, name), new Uint8Array(length).fill(1));
  }
  t.deepEqual(readerOf(t, directory).queryOffset("Topic", "key", 9, 0, EVER).offsets, []);
});

test("a chain that goes round ends", (t) => {
  const directory = temporaryDirectory(t);
  const file = create(t, directory, NAMES[0]);
  for (let i = 0; i < 3; i++) put(file, "key", i, 0);
  const path = join(directory, NAMES[0]);
  const content = readFileSync(path);
  content.writeInt32BE(3, indexItemPosition(SHAPE.maxHashSlotNum, 2) + 16);
  writeFileSync(path, content);
  t.deepEqual(readerOf(t, directory).queryOffset("Topic", "key", 64, 0, EVER).offsets, [2, 1]);
  content.writeInt32BE(400, 36);
  content.writeInt32BE(400, indexSlotPosition(indexKeyHash("Topic#key") % SHAPE.maxHashSlotNum));
  writeFileSync(path, content);
  t.deepEqual(
    readerOf(t, directory).queryOffset("Topic", "key", 64, 0, EVER).offsets,
    [],
    "item 400 is behind the end of the file",
  );
});

test("no bytes make a query fail or go on for ever", (t) => {
  const seed = chosenSeed();
  t.log(`MILLRACE_SEED=${seed}`);
  const random = seededRandom(seed);
  const directory = temporaryDirectory(t);
  for (let round = 0; round < 50; round++) {
    const content = Buffer.alloc(indexFileLength(SHAPE));
    for (let at = 0; at < content.length; at += 4) {
      const word = [0, random(400), random(2 ** 31), -1 - random(2 ** 31)][random(4)] ?? 0;
      content.writeInt32BE(word, at);
    }
    // A header that lets the search begin.
    if (round % 2 === 0) content.fill(0, 0, 36).writeInt32BE(round % 4 === 0 ? 400 : 2 ** 31 - 1, 36);
    if (round % 2 === 0) content.writeInt32BE(2 ** 30, 8);
    writeFileSync(join(directory, NAMES[0]), content);
    const reader = readerOf(t, directory);
    for (let i = 0; i < 20; i++) {
      const { offsets } = reader.queryOffset("Topic", `k${random(1000)}`, 1000, random(2 ** 31), EVER);
      t.true(offsets.length <= 64);
    }
    reader.close();
  }
});
