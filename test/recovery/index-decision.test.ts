import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { indexFileLength } from "@millrace/format";
import test from "ava";
import { INDEX_TABLE } from "#store/recover/index/index-decision.js";
import { combinations } from "../support/fact-combinations.js";
import { IndexDirectory } from "../support/index-log.js";
import { fingerprint } from "../support/log-directory.js";
import {
  assertComplete,
  assertPrefix,
  breakHeader,
  built,
  damage,
  headerOf,
  markOf,
  offsetAt,
  recover,
  SHAPE,
} from "../support/recovered-index.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

test("index files stay as they are only after a clean end, and never when one of them is damaged", (t) => {
  for (const found of combinations(INDEX_TABLE.facts)) {
    const { verdict } = INDEX_TABLE.decide(found);
    if (!found.isSound) t.is(verdict, "rebuild");
    if (verdict === "keep") t.true(found.mark === "whole" || found.lastExitOk, JSON.stringify(found));
  }
});

test("when the marked file has fewer keys than its header's end says, all behind the last one is indexed again", (t) => {
  const directory = built(t, 140);
  const mark = markOf(directory, offsetAt(140));
  damage(directory, mark.indexFile ?? "", (content) => content.writeInt32BE(content.readInt32BE(36) - 1, 36));
  const recovery = recover(directory, { mark, lastExitOk: false });
  t.like(recovery, { row: "past-mark", indexFromOffset: offsetAt(138), rebuilt: false });
  assertComplete(t, directory, recovery);
});

test("when the marked file has fewer keys than it had, though nothing in it is wrong, all is built again", (t) => {
  const directory = built(t, 140);
  const mark = markOf(directory, offsetAt(140));
  damage(directory, mark.indexFile ?? "", (content) => {
    content.writeInt32BE(content.readInt32BE(36) - 1, 36);
    content.writeBigInt64BE(BigInt(offsetAt(138)), 24);
  });
  const recovery = recover(directory, { mark, lastExitOk: false });
  t.like(recovery, { row: "marked-file-lost", indexFromOffset: 0, rebuilt: true });
  assertComplete(t, directory, recovery);
});

test("a mark that names no file leaves none", (t) => {
  const directory = built(t, 40);
  const mark = { dispatchedOffset: 0, indexedOffset: offsetAt(3), indexFile: undefined, indexEndOffset: 0 };
  const paths = directory.names.map((name) => join(directory.index, name)).toReversed();
  t.deepEqual(recover(directory, { mark }), { row: "past-mark", indexFromOffset: offsetAt(3), removed: paths, rebuilt: false });
});

test("RocketMQ's index with a header that cannot be is built again, after a clean end and after a crash", (t) => {
  const newest = built(t);
  breakHeader(newest, newest.names.at(-1));
  t.like(recover(newest), { row: "no-index", indexFromOffset: 0, rebuilt: true });
  const second = built(t);
  breakHeader(second, second.names.at(-2));
  t.like(recover(second, { lastExitOk: false, minOffset: 4096 }), { row: "no-index", indexFromOffset: 4096, rebuilt: true });
  const third = built(t);
  breakHeader(third, third.names.at(-3));
  t.like(recover(third, { lastExitOk: false }), { row: "unsound-index", indexFromOffset: 0, rebuilt: true });
  const old = built(t, 40);
  breakHeader(old, old.names[0]);
  t.like(recover(old, { minOffset: offsetAt(100) }), { row: "unsound-index", indexFromOffset: offsetAt(100), rebuilt: true });
});

test("a broken header that goes with the end of RocketMQ's index costs no more than that", (t) => {
  const directory = built(t);
  breakHeader(directory, directory.names.at(-2));
  const before = headerOf(directory, directory.names.at(-3) ?? "").endPhysicalOffset;
  const first = headerOf(directory, directory.names.at(-1) ?? "").beginPhysicalOffset;
  const recovery = recover(directory, { maxOffset: first });
  t.like(recovery, { row: "index-ahead", indexFromOffset: before, rebuilt: false });
  assertPrefix(t, directory, before);
});

test("an index file of RocketMQ's without a key says nothing about the log", (t) => {
  for (const minOffset of [0, 4096]) {
    const directory = new IndexDirectory(temporaryDirectory(t), SHAPE);
    const content = Buffer.alloc(indexFileLength(SHAPE));
    content.writeInt32BE(1, 36);
    writeFileSync(join(directory.index, "20261120183519001"), content);
    const before = fingerprint(directory.index);
    t.deepEqual(recover(directory, { minOffset }), {
      row: "index-expired",
      indexFromOffset: minOffset,
      removed: [],
      rebuilt: false,
    });
    t.deepEqual(fingerprint(directory.index), before);
  }
});

test("RocketMQ's index, after a crash, is held against the log by the file before the newest", (t) => {
  const only = built(t, 10);
  t.is(only.names.length, 1);
  t.like(recover(only, { lastExitOk: false, minOffset: 4096 }), { row: "no-index", indexFromOffset: 4096, rebuilt: true });
  const second = built(t);
  const end = headerOf(second, second.names.at(-2) ?? "").endPhysicalOffset;
  const other = built(t);
  damage(other, other.names.at(-2) ?? "", (content) => content.writeBigInt64BE(BigInt(end + 1), 24));
  t.like(recover(other, { lastExitOk: false }), { row: "other-log", indexFromOffset: 0, rebuilt: true });
  const ahead = built(t);
  t.like(recover(ahead, { lastExitOk: false, maxOffset: offsetAt(20) }), {
    row: "newest-unproven",
    indexFromOffset: offsetAt(20),
    rebuilt: false,
  });
  assertPrefix(t, ahead, offsetAt(20));
  const expired = built(t, 100);
  const minOffset = offsetAt(120);
  t.like(recover(expired, { lastExitOk: false, minOffset }), {
    row: "newest-unproven",
    indexFromOffset: minOffset,
    rebuilt: false,
  });
  t.true(expired.names.length > 0);
});
