import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { INDEX_ITEM_LENGTH, INDEX_ITEM_PHYSICAL_OFFSET_OFFSET, indexFileLength, indexItemPosition } from "@millrace/format";
import { createStorage, type FaultOperation } from "@millrace/mapped-file";
import test from "ava";
import { IndexDirectory, requestOf } from "../support/index-log.js";
import { fingerprint } from "../support/log-directory.js";
import { chosenSeed, type Random, seededRandom } from "../support/random.js";
import {
  assertComplete,
  assertPrefix,
  built,
  damage,
  headerOf,
  LOG,
  markOf,
  offsetAt,
  recover,
  SHAPE,
} from "../support/recovered-index.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

test("an empty or missing directory is indexed from the first record", (t) => {
  const directory = new IndexDirectory(temporaryDirectory(t), SHAPE);
  for (const lastExitOk of [true, false]) {
    t.deepEqual(recover(directory, { lastExitOk, minOffset: 4096 }), {
      row: "no-index",
      indexFromOffset: 4096,
      removed: [],
      rebuilt: true,
    });
  }
  t.deepEqual(recover(directory, { maxOffset: 0 }), { row: "no-index", indexFromOffset: 0, removed: [], rebuilt: false });
  rmSync(directory.index, { recursive: true });
  t.deepEqual(recover(directory), { row: "no-index", indexFromOffset: 0, removed: [], rebuilt: true });
});

test("files of another shape are refused, and nothing is changed", (t) => {
  const directory = built(t);
  writeFileSync(join(directory.index, "99991231235959999"), "");
  const before = fingerprint(directory.index);
  const expected = { code: "ERR_INDEX_FILE_SIZE", message: /the index may be deleted.* length=920 expected=940$/ };
  t.throws(() => recover(directory, { maxIndexNum: 41 }), expected);
  t.deepEqual(fingerprint(directory.index), before);
});

test("a last file without length is deleted, and what is no index file is let alone", (t) => {
  const directory = built(t);
  const path = join(directory.index, "99991231235959999");
  writeFileSync(path, "");
  writeFileSync(join(directory.index, "notes"), "hello");
  mkdirSync(join(directory.index, "20261120183519001"));
  const { removed } = recover(directory, { mark: markOf(built(t), 0) });
  t.true(removed.includes(path));
  t.deepEqual(directory.names, ["20261120183519001", "notes"]);
});

test("after a clean end an index that is as its mark says is let alone", (t) => {
  const directory = built(t);
  const before = fingerprint(directory.index);
  const mark = markOf(directory, LOG.offset);
  const expected = { row: "as-marked", indexFromOffset: LOG.offset, removed: [], rebuilt: false } as const;
  t.deepEqual(recover(directory, { mark }), expected);
  t.deepEqual(fingerprint(directory.index), before);
  const empty = new IndexDirectory(temporaryDirectory(t), SHAPE);
  t.deepEqual(recover(empty, { mark: markOf(empty, LOG.offset) }), expected);
});

test("whatever the mark does not vouch for is thrown away, wherever the mark stands", (t) => {
  for (let records = 0; records <= LOG.records.length; records += 7) {
    for (const lastExitOk of [true, false]) {
      if (lastExitOk && records === LOG.records.length) continue;
      const directory = built(t, records);
      const mark = markOf(directory, offsetAt(records));
      directory.build(LOG, offsetAt(records));
      const recovery = recover(directory, { mark, lastExitOk });
      t.like(recovery, { row: "past-mark", indexFromOffset: offsetAt(records) });
      assertPrefix(t, directory, offsetAt(records));
      assertComplete(t, directory, recovery, `${records} records`);
    }
  }
});

test("records that came while there was no index are indexed then, and nothing else is touched", (t) => {
  for (const records of [0, 40, 100]) {
    const directory = built(t, records);
    const before = fingerprint(directory.index);
    const recovery = recover(directory, { mark: markOf(directory, offsetAt(records)) });
    t.deepEqual(recovery, { row: "as-marked", indexFromOffset: offsetAt(records), removed: [], rebuilt: records === 0 });
    t.deepEqual(fingerprint(directory.index), before);
    assertComplete(t, directory, recovery);
  }
});

test("a file that the mark does not know costs nothing, whatever is in it", (t) => {
  const directory = built(t, 140);
  const mark = markOf(directory, offsetAt(140));
  writeFileSync(join(directory.index, "99991231235959999"), Buffer.alloc(indexFileLength(SHAPE), 0xee));
  t.is(recover(directory, { mark, lastExitOk: false }).indexFromOffset, offsetAt(140));
  assertPrefix(t, directory, offsetAt(140));
});

test("a mark may say less than its newest file holds", (t) => {
  for (const lastExitOk of [true, false]) {
    const directory = built(t, 140);
    const recovery = recover(directory, { mark: markOf(directory, offsetAt(100)), lastExitOk });
    t.is(recovery.indexFromOffset, offsetAt(100));
    assertPrefix(t, directory, offsetAt(100));
    assertComplete(t, directory, recovery);
  }
});

test("an index that is ahead of the log is cut to it", (t) => {
  for (let records = 0; records < LOG.records.length; records += 7) {
    for (const isMarked of [true, false]) {
      const directory = built(t);
      const mark = isMarked ? markOf(directory, LOG.offset) : undefined;
      const recovery = recover(directory, { mark, maxOffset: offsetAt(records) });
      t.like(recovery, { row: isMarked ? "past-mark" : "index-ahead", indexFromOffset: offsetAt(records) });
      assertPrefix(t, directory, offsetAt(records));
    }
  }
});

test("when a file that the mark knows is missing, or has lost keys, all is built again", (t) => {
  const missing = built(t);
  const mark = markOf(missing, LOG.offset);
  rmSync(join(missing.index, mark.indexFile ?? ""));
  const paths = missing.names.map((name) => join(missing.index, name));
  const recovery = recover(missing, { mark });
  t.deepEqual(
    { ...recovery, removed: recovery.removed.toSorted() },
    { row: "marked-file-lost", indexFromOffset: 0, removed: paths, rebuilt: true },
  );
  assertComplete(t, missing, recovery);

  const shorter = built(t, 140);
  const later = { ...markOf(shorter, LOG.offset), indexEndOffset: offsetAt(148) };
  t.like(recover(shorter, { mark: later, lastExitOk: false, minOffset: 4096 }), {
    row: "marked-file-lost",
    indexFromOffset: 4096,
    rebuilt: true,
  });
});

test("damage in front of the mark costs the keys behind it, and they are indexed again", (t) => {
  const items = indexItemPosition(SHAPE.maxHashSlotNum, 0);
  const newest = built(t, 140);
  const { indexCount } = headerOf(newest, newest.names.at(-1) ?? "");
  t.true(indexCount > 5);
  for (let item = 1; item < indexCount; item += 4) {
    // The sign of hash and time, the sign of the offset and one that is too high, and the chain: what can be told.
    for (const [at, mask] of [
      [0, 0xff],
      [4, 0xff],
      [6, 0x01],
      [12, 0xff],
      [19, 0xff],
    ] as const) {
      const directory = built(t, 140);
      const mark = markOf(directory, offsetAt(140));
      const position = items + item * 20 + at;
      damage(directory, mark.indexFile ?? "", (content) => content.writeUInt8((content[position] ?? 0) ^ mask, position));
      const recovery = recover(directory, { mark, lastExitOk: false });
      t.true(recovery.indexFromOffset < offsetAt(140), `item ${item} byte ${at}`);
      assertComplete(t, directory, recovery, `item ${item} byte ${at}`);
    }
  }
});

test("no slot is believed after a crash", (t) => {
  const directory = built(t);
  const mark = markOf(directory, LOG.offset);
  damage(directory, mark.indexFile ?? "", (content) => content.fill(0x11, 40, indexItemPosition(SHAPE.maxHashSlotNum, 0)));
  t.is(recover(directory, { mark, lastExitOk: false }).indexFromOffset, LOG.offset);
  assertPrefix(t, directory, LOG.offset);
});

test("RocketMQ's index, after a clean end, goes on behind its last record", (t) => {
  for (let records = 1; records <= LOG.records.length; records += 7) {
    const directory = built(t, records);
    const last = headerOf(directory, directory.names.at(-1) ?? "").endPhysicalOffset;
    const recovery = recover(directory);
    const record = LOG.records.find(({ offset }) => offset === last);
    t.like(recovery, { row: "index-unproven", indexFromOffset: last + (record?.length ?? 0) });
    t.deepEqual(recovery.removed, []);
    assertComplete(t, directory, recovery, `${records} records`);
  }
});

test("RocketMQ's index, after a clean end, is not believed where its newest file is damaged", (t) => {
  const slots = built(t, 140);
  damage(slots, slots.names.at(-1) ?? "", (content) => content.fill(0x11, 40, indexItemPosition(SHAPE.maxHashSlotNum, 0)));
  assertComplete(t, slots, recover(slots), "slots");
  const { indexCount } = headerOf(slots, slots.names.at(-1) ?? "");
  for (let item = 1; item < indexCount; item += 3) {
    const directory = built(t, 140);
    const position = indexItemPosition(SHAPE.maxHashSlotNum, item);
    damage(directory, directory.names.at(-1) ?? "", (content) => content.fill(0xee, position, position + 20));
    assertComplete(t, directory, recover(directory), `item ${item}`);
  }
});

test("whatever bit of RocketMQ's newest index file has flipped: it costs no key where it can be told from an item that could be", (t) => {
  const newest = built(t, 140);
  const name = newest.names.at(-1) ?? "";
  const { indexCount } = headerOf(newest, name);
  const content = newest.contents.at(-1) ?? Buffer.alloc(0);
  const offsetOf = (bytes: Buffer, item: number): bigint =>
    bytes.readBigInt64BE(indexItemPosition(SHAPE.maxHashSlotNum, item) + INDEX_ITEM_PHYSICAL_OFFSET_OFFSET);
  const directory = built(t, 140);
  let told = 0;
  const flips = 8 * INDEX_ITEM_LENGTH * (indexCount - 1);
  for (let flip = 0; flip < flips; flip += 13) {
    const item = 1 + Math.floor(flip / (8 * INDEX_ITEM_LENGTH));
    const at = indexItemPosition(SHAPE.maxHashSlotNum, item) + (Math.floor(flip / 8) % INDEX_ITEM_LENGTH);
    const flipped = Buffer.from(content);
    flipped.writeUInt8((content[at] ?? 0) ^ (1 << (flip % 8)), at);
    for (const made of directory.names) rmSync(join(directory.index, made));
    for (const [n, good] of newest.contents.entries()) writeFileSync(join(directory.index, newest.names[n] ?? ""), good);
    writeFileSync(join(directory.index, name), flipped);
    const before = item === 1 ? BigInt(headerOf(newest, name).beginPhysicalOffset) : offsetOf(content, item - 1);
    const behind = item === indexCount - 1 ? offsetOf(content, item) : offsetOf(content, item + 1);
    const isInOrder = before <= offsetOf(flipped, item) && offsetOf(flipped, item) <= behind;
    const recovery = recover(directory);
    const isTold = recovery.indexFromOffset < offsetAt(140);
    t.true(isTold || isInOrder, `item ${item} flip ${flip}`);
    if (isTold) assertComplete(t, directory, recovery, `item ${item} flip ${flip}`);
    if (isTold) told++;
  }
  t.log(`${told} flips`);
  t.true(told > 0);
});

test("RocketMQ's newest index file has lost items when its header says that it goes further", (t) => {
  const directory = built(t, 140);
  damage(directory, directory.names.at(-1) ?? "", (content) => content.writeInt32BE(content.readInt32BE(36) - 4, 36));
  const recovery = recover(directory);
  t.true(recovery.indexFromOffset < offsetAt(140));
  assertComplete(t, directory, recovery);
});

test("RocketMQ's index is durable before a mark vouches for it", (t) => {
  for (const [lastExitOk, maxOffset] of [
    [true, LOG.offset],
    [true, offsetAt(100)],
    [false, LOG.offset],
  ] as const) {
    const directory = built(t);
    const storage = createStorage({
      kind: "faulty",
      faults: [{ operation: "force", path: directory.names[0] ?? "", after: 0, code: "EIO" }],
    });
    t.throws(() => recover(directory, { storage, lastExitOk, maxOffset }), { code: "EIO" });
  }
});

test("RocketMQ's index, when it is no index of this log, is built again", (t) => {
  const other = built(t);
  // No record of the log begins there; one before the first of the file makes the header impossible.
  damage(other, other.names.at(-1) ?? "", (content) => content.writeBigInt64BE(content.readBigInt64BE(24) + 1n, 24));
  t.like(recover(other), { row: "other-log", indexFromOffset: 0, rebuilt: true });
  const old = built(t, 20);
  t.like(recover(old, { minOffset: offsetAt(100) }), {
    row: "index-expired",
    indexFromOffset: offsetAt(100),
    rebuilt: false,
    removed: [],
  });
});

test("RocketMQ's index, after a crash, loses the newest file and no key", (t) => {
  for (let records = 1; records <= LOG.records.length; records += 7) {
    const directory = built(t, records);
    const newest = directory.names.at(-1) ?? "";
    damage(directory, newest, (content) => content.fill(0x55, records % 3 === 0 ? 0 : 40));
    const recovery = recover(directory, { lastExitOk: false });
    t.is(recovery.removed[0], join(directory.index, newest));
    assertComplete(t, directory, recovery, `${records} records`);
  }
});

test("RocketMQ's index, after a crash that also tore a full file, goes on before the tear", (t) => {
  const directory = built(t);
  const torn = directory.names.at(-2) ?? "";
  const tornFrom = Number(
    readFileSync(join(directory.index, torn)).readBigInt64BE(indexItemPosition(SHAPE.maxHashSlotNum, 19) + 4),
  );
  damage(directory, torn, (content) =>
    content.fill(0, indexItemPosition(SHAPE.maxHashSlotNum, 20), indexItemPosition(SHAPE.maxHashSlotNum, 25)),
  );
  const recovery = recover(directory, { lastExitOk: false });
  t.is(recovery.indexFromOffset, tornFrom);
  assertComplete(t, directory, recovery);
});

test("a file in the middle with a header that cannot be makes all be built again", (t) => {
  const directory = built(t);
  const mark = markOf(directory, LOG.offset);
  damage(directory, directory.names[1] ?? "", (content) => content.writeInt32BE(41, 36));
  const recovery = recover(directory, { mark });
  t.like(recovery, { row: "unsound-index", indexFromOffset: 0, rebuilt: true });
  assertComplete(t, directory, recovery);
});

/**
 * What a disk holds after a crash: blocks that were forced with the mark, and of later ones any. Files since the mark may be
 * missing or empty.
 */
function tear(directory: IndexDirectory, before: Map<string, Buffer>, block: number, random: Random): void {
  for (const name of readdirSync(directory.index)) {
    const path = join(directory.index, name);
    const now = readFileSync(path);
    const old = before.get(name);
    if (old === undefined && random(3) === 0) rmSync(path);
    else {
      const base = old ?? Buffer.alloc(now.length);
      for (let at = 0; at < now.length; at += block) if (random(2) === 0) base.copy(now, at, at, at + block);
      writeFileSync(path, now);
    }
  }
}

test("after any crash the index is complete again, to the last byte", (t) => {
  const seed = chosenSeed();
  t.log(`MILLRACE_SEED=${seed}`);
  const random = seededRandom(seed);
  for (let round = 0; round < 60; round++) {
    const marked = random(LOG.records.length + 1);
    const end = marked + random(LOG.records.length + 1 - marked);
    const directory = built(t, marked);
    const mark = markOf(directory, offsetAt(marked));
    const before = new Map(directory.names.map((name, i) => [name, directory.contents[i] ?? Buffer.alloc(0)]));
    const dispatcher = directory.dispatcher(offsetAt(marked));
    for (const record of LOG.records.slice(marked, end)) dispatcher.dispatch(requestOf(LOG, record));
    dispatcher.close();
    tear(directory, before, 64, random);
    const maxOffset = offsetAt(random(LOG.records.length + 1));
    const recovery = recover(directory, { mark, lastExitOk: false, maxOffset });
    t.true(recovery.indexFromOffset <= maxOffset);
    assertPrefix(t, directory, recovery.indexFromOffset);
    assertComplete(t, directory, recovery, `round ${round}`);
  }
});

test("a recovery that fails anywhere can be repeated", (t) => {
  const operations = ["write", "force", "remove", "syncDirectory"] satisfies FaultOperation[];
  for (const [i, operation] of operations.entries()) {
    let failures = 0;
    for (let after = 0; after < 6; after++) {
      for (const isMarked of [true, false]) {
        const directory = built(t, 60);
        const mark = isMarked ? markOf(directory, offsetAt(60)) : undefined;
        directory.build(LOG, offsetAt(60));
        const storage = createStorage({
          kind: "faulty",
          faults: [{ operation, path: directory.index, after, code: "EIO", partialBytes: 8 * i }],
        });
        const options = { mark, lastExitOk: false, maxOffset: offsetAt(50 + 10 * after) };
        try {
          recover(directory, { ...options, storage });
        } catch {
          failures++;
        }
        const recovery = recover(directory, options);
        assertPrefix(t, directory, recovery.indexFromOffset);
        assertComplete(t, directory, recovery, `${operation} after ${after}`);
      }
    }
    t.true(failures >= 3, operation);
  }
});
