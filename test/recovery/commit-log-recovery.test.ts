import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName } from "@millrace/format";
import type { ExecutionContext } from "ava";
import test from "ava";
import { CommitLogBuilder } from "../support/commit-log-builder.js";
import { fingerprint, recover, SIZE, segmentPath, zerosFrom } from "../support/log-directory.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

/** Recovery refuses, names the file and the offset, and touches nothing. */
async function refuses(
  t: ExecutionContext,
  directory: string,
  options: Parameters<typeof recover>[1],
  row: string,
  segment: number,
  offset: number,
): Promise<void> {
  const before = fingerprint(directory);
  const message = new RegExp(`path=${segmentPath(directory, segment)}, offset=${offset}, .*row=${row}$`);
  await t.throwsAsync(recover(directory, options), { code: "ERR_COMMIT_LOG_CORRUPT", message });
  t.deepEqual(fingerprint(directory), before);
}

test("without a directory, and with an empty one, the log begins at 0", async (t) => {
  const directory = temporaryDirectory(t);
  for (const path of [directory, join(directory, "missing")]) {
    const report = await recover(path);
    t.like(report, { minOffset: 0, maxOffset: 0, messages: 0, lastStoreTimestamp: 0, segmentsScanned: 0, cut: undefined });
    t.deepEqual(report.rows, ["full-end"]);
  }
});

test("next-segment, clean-end: every record of every segment is found", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(4, 1000);
  log.write(directory);
  const report = await recover(directory, { flushedWatermark: log.offset });
  t.like(report, {
    minOffset: 0,
    maxOffset: log.offset,
    messages: log.records.length,
    lastStoreTimestamp: log.lastStoreTimestamp,
    segmentsScanned: 5,
    bytesScanned: 5 * SIZE,
    cut: undefined,
    emptySegmentsRemoved: [],
    lastExitOk: false,
    rows: ["next-segment", "clean-end"],
  });
  t.deepEqual([...report.queueOffsets].sort(), [...log.queueOffsets].sort());
});

test("next-segment, clean-end: a log whose first segments were deleted begins where it begins", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder(SIZE, true, 7 * SIZE).fillTo(8, 10);
  log.write(directory);
  t.like(await recover(directory, { flushedWatermark: SIZE }), { minOffset: 7 * SIZE, maxOffset: log.offset });
});

test("full-end: a log that ends with a blank record goes on in a segment yet to be made", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(0, 3000);
  log.roll();
  log.write(directory);
  t.like(await recover(directory, { flushedWatermark: SIZE }), { maxOffset: SIZE, rows: ["full-end"], cut: undefined });
});

test("clean-end: segments allocated ahead are removed", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(0, 3000);
  log.addEmptySegment();
  log.addEmptySegment();
  log.write(directory);
  const report = await recover(directory);
  t.deepEqual(report.emptySegmentsRemoved, [segmentPath(directory, 1), segmentPath(directory, 2)]);
  t.is(report.cut, undefined);
  t.deepEqual(readdirSync(directory), [segmentFileName(0)]);
});

test("clean-end: a segment that the log has just rolled into stays", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(0, 3000);
  log.roll();
  log.addEmptySegment();
  log.write(directory);
  t.like(await recover(directory), { maxOffset: SIZE, emptySegmentsRemoved: [] });
  t.is(readdirSync(directory).length, 2);
});

test("missing-segments: a log shorter than what was durable is refused", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(2, 100);
  log.write(directory);
  rmSync(segmentPath(directory, 2));
  await refuses(t, directory, { flushedWatermark: log.offset }, "missing-segments", 1, 2 * SIZE);
  rmSync(directory, { recursive: true });
  await t.throwsAsync(recover(directory, { flushedWatermark: 1 }), {
    code: "ERR_COMMIT_LOG_CORRUPT",
    message: /row=missing-segments$/,
  });
});

test("damage-below-watermark: durable records that became zeros are refused", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(0, 2000);
  const end = log.offset;
  log.image(0).fill(0, log.records[3]?.offset);
  log.write(directory);
  await refuses(t, directory, { flushedWatermark: end }, "damage-below-watermark", 0, log.records[3]?.offset ?? 0);
});

test("damage-below-watermark: a byte changed anywhere in a durable record, or in a blank one, is refused", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(1, 500);
  const { offset, length } = log.records[4] ?? { offset: 0, length: 0 };
  const lastOfFirst = log.records.findLast((record) => record.offset < SIZE);
  const blankAt = (lastOfFirst?.offset ?? 0) + (lastOfFirst?.length ?? 0);
  const places = [...Array(length).keys()].map((i) => [offset + i, offset] as const);
  for (let i = 0; i < 8; i++) places.push([blankAt + i, blankAt]);
  for (const [at, from] of places) {
    log.damage(at);
    log.write(directory);
    await refuses(t, directory, { flushedWatermark: log.offset }, "damage-below-watermark", 0, from);
    log.damage(at);
  }
});

test("torn-tail: a byte changed anywhere in a record that was never durable cuts the log there, and zeroes what follows", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(0, 1500);
  const index = log.records.length - 3;
  const { offset, length } = log.records[index] ?? { offset: 0, length: 0 };
  for (let at = offset; at < offset + length; at++) {
    log.damage(at);
    log.write(directory);
    const report = await recover(directory, { flushedWatermark: offset });
    t.like(report, { maxOffset: offset, messages: index, rows: ["torn-tail"] });
    t.like(report.cut, { offset, bytesZeroed: SIZE - offset, segmentsRemoved: [] });
    t.deepEqual([...readFileSync(segmentPath(directory, 0)).subarray(0, offset)], [...log.image(0).subarray(0, offset)]);
    zerosFrom(t, segmentPath(directory, 0), offset);
    log.damage(at);
  }
});

test("a segment that is cut, or goes on, becomes a file of its own first: its other name keeps what it had", async (t) => {
  for (const isDamaged of [true, false]) {
    const root = temporaryDirectory(t);
    const [directory, other] = [join(root, "log"), join(root, "other")];
    mkdirSync(directory);
    const log = new CommitLogBuilder().fillTo(1, 1500);
    const { offset } = log.records.at(-3) ?? { offset: 0 };
    if (isDamaged) log.damage(offset);
    log.write(directory);
    const links = [0, 1].map((index) => {
      linkSync(segmentPath(directory, index), `${other}${index}`);
      return { path: `${other}${index}`, bytes: readFileSync(`${other}${index}`) };
    });
    const full = { kind: "faulty", faults: [{ operation: "write", path: ".millrace.new", after: 0, code: "ENOSPC" }] } as const;
    await t.throwsAsync(recover(directory, { flushedWatermark: offset, storage: full }), {
      code: "ERR_SEGMENT_UNWRITABLE",
      message: /ENOSPC/,
    });
    for (const { path, bytes } of links) t.true(readFileSync(path).equals(bytes));
    const report = await recover(directory, { flushedWatermark: offset });
    t.is(report.cut?.bytesZeroed, isDamaged ? 2 * SIZE - offset : undefined);
    zerosFrom(t, segmentPath(directory, 1), report.maxOffset - SIZE);
    for (const { path, bytes } of links) t.true(readFileSync(path).equals(bytes));
    t.deepEqual(
      [0, 1].map((index) => statSync(segmentPath(directory, index)).nlink),
      [2, 1],
    );
    t.deepEqual(readdirSync(root), ["log", "other0", "other1"]);
  }
});

test("torn-tail: after the cut the log is clean, and a record that was cut off never comes back", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(0, 2000);
  const [k, ghost] = [log.records[5]?.offset ?? 0, log.records[6]?.offset ?? 0];
  log.damage(k);
  log.write(directory);
  t.is((await recover(directory)).maxOffset, k);
  const again = new CommitLogBuilder();
  for (let i = 0; i < 6; i++) again.add({ queueId: i % 3 });
  t.is(again.offset, ghost);
  writeFileSync(
    segmentPath(directory, 0),
    Buffer.concat([again.image(0).subarray(0, ghost), readFileSync(segmentPath(directory, 0)).subarray(ghost)]),
  );
  t.like(await recover(directory), { maxOffset: ghost, messages: 6, rows: ["clean-end"], cut: undefined });
});

test("torn-tail: after a clean exit of RocketMQ's, stale bytes behind the end are cut as well", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(1, 500);
  const end = log.offset;
  log.image(SIZE).fill(0xee, end % SIZE, (end % SIZE) + 300);
  log.write(directory);
  t.like(await recover(directory, { lastExitOk: true }), { maxOffset: end, rows: ["next-segment", "torn-tail"] });
  zerosFrom(t, segmentPath(directory, 1), end % SIZE);
});

test("hole-after-clean-exit: damage in the middle of a log that was closed cleanly is refused", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(1, 500);
  log.damage(log.records[2]?.offset ?? 0);
  log.write(directory);
  await refuses(t, directory, { lastExitOk: true }, "hole-after-clean-exit", 0, log.records[2]?.offset ?? 0);
});

test("unflushed-segment: after a crash the log ends at the first hole, and later segments are removed", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(2, 500);
  log.addEmptySegment();
  const hole = log.records.find((record) => record.offset > SIZE + 800)?.offset ?? 0;
  log.image(SIZE).fill(0, hole % SIZE);
  log.write(directory);
  const report = await recover(directory, { flushedWatermark: SIZE + 1 });
  t.like(report, { maxOffset: hole, rows: ["next-segment", "unflushed-segment"] });
  t.deepEqual(report.cut?.segmentsRemoved, [segmentPath(directory, 2)]);
  t.deepEqual(report.emptySegmentsRemoved, [segmentPath(directory, 3)]);
  t.deepEqual(readdirSync(directory), [segmentFileName(0), segmentFileName(SIZE)]);
  t.like(await recover(directory), { maxOffset: hole, rows: ["next-segment", "clean-end"] });
});

test("old-damage: without a watermark, damage before the last three segments is refused, in them it is cut", async (t) => {
  for (const [segment, verdict] of [
    [0, "refuse"],
    [1, "cut"],
  ] as const) {
    const directory = temporaryDirectory(t);
    const log = new CommitLogBuilder().fillTo(3, 500);
    log.addEmptySegment();
    const at = log.records.find((record) => record.offset > segment * SIZE + 100)?.offset ?? 0;
    log.damage(at);
    log.write(directory);
    if (verdict === "refuse") await refuses(t, directory, {}, "old-damage", segment, at);
    else t.like(await recover(directory), { maxOffset: at, rows: ["next-segment", "unflushed-segment"] });
  }
});

test("forbidden-topic: an intact record that would escape the store's directory is refused, not cut", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(0, 500);
  const { offset } = log.add({ topic: "../../etc/cron.d" });
  log.add();
  log.write(directory);
  await refuses(t, directory, {}, "forbidden-topic", 0, offset);
});

test("a corrupt record of an old segment that was durable as a whole is passed over and named, after a crash too", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(4, 500);
  const flushedWatermark = log.offset;
  const damaged = log.records[3] ?? { offset: 0, length: 0 };
  log.damage(damaged.offset + 90); // in its body
  log.write(directory);
  const whole = log.records.length;
  for (const lastExitOk of [true, false]) {
    const report = await recover(directory, { lastExitOk, flushedWatermark });
    t.like(report, { maxOffset: log.offset, messages: whole - 1, cut: undefined, rows: ["next-segment", "clean-end"] });
    t.like(report.corrupt, { length: 1, 0: { physicalOffset: damaged.offset, size: damaged.length } });
    t.deepEqual([...report.queueOffsets].sort(), [...log.queueOffsets].sort());
  }
  t.like(await recover(directory, { checkCRCOnRecover: false, flushedWatermark }), { messages: whole, corrupt: [] });
});

test("what was not durable as a whole, or may be written again, is passed over nowhere", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(4, 500);
  const { offset } = log.records[3] ?? { offset: 0 };
  log.damage(offset + 90);
  log.write(directory);
  await refuses(t, directory, { flushedWatermark: SIZE - 1 }, "damage-below-watermark", 0, offset);
  await refuses(t, directory, { flushedWatermark: log.offset, unforcedFrom: SIZE - 1 }, "damage-below-watermark", 0, offset);
  log.damage(offset + 90);
  const recent = log.records.find((record) => record.offset >= 2 * SIZE)?.offset ?? 0;
  log.damage(recent + 90);
  log.write(directory);
  for (const lastExitOk of [true, false])
    await refuses(t, directory, { lastExitOk, flushedWatermark: log.offset }, "damage-below-watermark", 2, recent);
});

test("a missing segment in the middle, a wrong size, and a directory that is a file are told apart, and nothing is changed", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(2, 500);
  log.write(directory);
  await t.throwsAsync(recover(directory, { mappedFileSizeCommitLog: 8192 }), {
    code: "ERR_SEGMENT_SIZE",
    message: /expected=8192$/,
  });
  rmSync(segmentPath(directory, 1));
  await t.throwsAsync(recover(directory), { code: "ERR_SEGMENT_GAP", message: /offset=8192, expected=4096$/ });
  log.write(directory);
  truncateSync(segmentPath(directory, 1), 4000);
  await t.throwsAsync(recover(directory), { code: "ERR_SEGMENT_SIZE", message: /length=4000, expected=4096$/ });
  rmSync(segmentPath(directory, 1));
  mkdirSync(segmentPath(directory, 1));
  await t.throwsAsync(recover(directory), { code: "ERR_SEGMENT_TYPE" });
  await t.throwsAsync(recover(segmentPath(directory, 0)), { code: "ERR_PATH_NOT_DIRECTORY" });
});

test("only pages with something in them are zeroed", async (t) => {
  const directory = temporaryDirectory(t);
  const size = 1 << 20;
  const log = new CommitLogBuilder(size).fillTo(0, 5000);
  log.image(0)[log.offset + 20] = 1;
  log.image(0)[size - 1] = 1;
  log.write(directory);
  const report = await recover(directory, { mappedFileSizeCommitLog: size });
  t.is(report.cut?.bytesZeroed, 4096 - (log.offset % 4096) + 4096);
  zerosFrom(t, join(directory, segmentFileName(0)), log.offset);
});
