import { existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH, tagsCode } from "@millrace/format";
import type { Fault } from "@millrace/mapped-file";
import type { ExecutionContext } from "ava";
import test from "ava";
import { CONSUME_QUEUE_FILL_SIZE, CONSUME_QUEUE_TAGS_CODE_OFFSET } from "#format/consume-queue-descriptor.js";
import type { QueueRecovery } from "#store/recover/queues/consume-queue-recovery.js";
import { CommitLogBuilder } from "../support/commit-log-builder.js";
import { SIZE, segmentPath } from "../support/log-directory.js";
import { filesBelow, planOf, type QueueImage, queueImages, recoverQueues } from "../support/queue-directory.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

interface Made {
  readonly root: string;
  readonly log: CommitLogBuilder;
  /** TopicA-0. */
  readonly queue: QueueImage;
  readonly images: Map<string, QueueImage>;
}

/** A log of three queues with about 30 records each, and their ConsumeQueues. */
function make(t: ExecutionContext, log = new CommitLogBuilder().fillTo(5, 500)): Made {
  const root = temporaryDirectory(t);
  log.write(join(root, "commitlog"));
  const images = queueImages(root, log);
  for (const image of images.values()) image.write();
  return { root, log, queue: images.get("TopicA-0") as QueueImage, images };
}

/** Of the record of TopicA-0 with this queue offset; every third record is one. */
function offsetOf(log: CommitLogBuilder, queueOffset: number): number {
  return log.records[3 * queueOffset]?.offset ?? -1;
}

function rowOf(recovery: QueueRecovery): string | undefined {
  return planOf(recovery, "TopicA", 0)?.row;
}

/** Nothing of the log may change, and the other queues may not either. */
async function recoverAlone(
  t: ExecutionContext,
  made: Made,
  options: Parameters<typeof recoverQueues>[1] = {},
): Promise<QueueRecovery> {
  const { root } = made;
  const before = filesBelow(root);
  const recovery = await recoverQueues(root, options);
  const changed = [...filesBelow(root)].filter(([path, bytes]) => before.get(path) !== bytes);
  for (const [path] of changed) t.true(path.startsWith(join("consumequeue", "TopicA", "0")), path);
  return recovery;
}

test("intact: nothing is dispatched again, and no byte changes", async (t) => {
  const { root, log } = make(t);
  const before = filesBelow(root);
  const recovery = await recoverQueues(root);
  t.deepEqual(filesBelow(root), before);
  t.like(recovery, { cutQueues: [], rebuiltQueues: [], removedQueues: [], rows: { intact: 3 } });
  for (const queueId of [0, 1, 2]) {
    const next = log.queueOffsets.get(`TopicA-${queueId}`);
    t.like(planOf(recovery, "TopicA", queueId), {
      minQueueOffset: 0,
      maxQueueOffset: next,
      nextQueueOffset: next,
      dispatchFrom: -1,
    });
  }
});

test("intact: the first queue offset is the one of the first record on disk, whatever the files hold before it", async (t) => {
  const made = make(t);
  rmSync(segmentPath(join(made.root, "commitlog"), 0));
  rmSync(segmentPath(join(made.root, "commitlog"), 1));
  const recovery = await recoverAlone(t, made);
  t.is(rowOf(recovery), "intact");
  const min = planOf(recovery, "TopicA", 0)?.minQueueOffset ?? 0;
  t.true(offsetOf(made.log, min) >= 2 * SIZE && offsetOf(made.log, min - 1) < 2 * SIZE);
});

test("ahead: units behind the end of the log are zeroed, later files removed", async (t) => {
  const whole = new CommitLogBuilder().fillTo(5, 500);
  const made = make(t, whole);
  const end = offsetOf(whole, 7);
  for (let segment = 1; segment <= 5; segment++) rmSync(segmentPath(join(made.root, "commitlog"), segment));
  truncateSync(segmentPath(join(made.root, "commitlog"), 0), end);
  truncateSync(segmentPath(join(made.root, "commitlog"), 0), SIZE);
  const recovery = await recoverQueues(made.root);
  t.deepEqual(recovery.rows, { ahead: 3 });
  t.deepEqual([...recovery.cutQueues].sort(), ["TopicA-0", "TopicA-1", "TopicA-2"]);
  t.deepEqual(recovery.rebuiltQueues, []);
  t.like(planOf(recovery, "TopicA", 0), { maxQueueOffset: 7, nextQueueOffset: 7, dispatchFrom: -1 });
  t.deepEqual(readdirSync(made.queue.directory).length, 1);
  const expected = new CommitLogBuilder();
  while (expected.records.length < 21) expected.add({ queueId: expected.records.length % 3 });
  for (const image of queueImages(made.root, expected).values()) {
    const [, file] = [...image.files][0] as [number, Buffer];
    t.is(filesBelow(image.directory).get("00000000000000000000"), file.toString("hex"));
  }
});

test("behind: what is missing at the end is dispatched again, from exactly there where one record or one group is missing", async (t) => {
  const made = make(t);
  const next = made.log.queueOffsets.get("TopicA-0") ?? 0;
  for (const [missing, from] of [
    [1, offsetOf(made.log, next - 1)],
    [2, endOf(made.log, next - 3)],
    [13, endOf(made.log, next - 14)],
  ] as const) {
    made.queue.clear(next - missing).write();
    for (const fileStart of made.queue.files.keys()) if (fileStart > next - missing) rmSync(made.queue.path(fileStart));
    const recovery = await recoverAlone(t, made);
    const plan = { row: "behind", maxQueueOffset: next - missing, nextQueueOffset: next, dispatchFrom: from };
    t.like(planOf(recovery, "TopicA", 0), plan);
    t.like(recovery, { cutQueues: [], rebuiltQueues: [] });
  }
});

test("behind: with a mark dispatching begins at the first record behind it, unless units are missing before it as well", async (t) => {
  const made = make(t);
  const next = made.log.queueOffsets.get("TopicA-0") ?? 0;
  const mark = endOf(made.log, next - 5); // the next record is of another queue
  made.queue.clear(next - 4).write();
  const options = { dispatchedOffset: mark };
  t.is(planOf(await recoverAlone(t, made, options), "TopicA", 0)?.dispatchFrom, offsetOf(made.log, next - 4));
  made.queue.clear(next - 6).write();
  t.is(planOf(await recoverAlone(t, made, options), "TopicA", 0)?.dispatchFrom, endOf(made.log, next - 7));
});

test("behind: units of expired records are kept when the first record that is left has none yet", async (t) => {
  const log = new CommitLogBuilder();
  for (let i = 0; i < 3; i++) log.add();
  log.roll();
  const { offset } = log.add();
  const made = make(t, log);
  made.queue.clear(3).write();
  rmSync(segmentPath(join(made.root, "commitlog"), 0));
  const plan = planOf(await recoverAlone(t, made), "TopicA", 0);
  t.like(plan, { row: "behind", minQueueOffset: 3, maxQueueOffset: 3, nextQueueOffset: 4, dispatchFrom: offset });
});

test("damaged: a queue is cut at its first bad unit, and dispatched again from there", async (t) => {
  const bad: [string, (at: number, file: Buffer) => void][] = [
    ["negative offset", (at, file) => file.writeInt32BE(-1, at)],
    ["offset beyond the log", (at, file) => file.writeInt32BE(1, at)],
    ["offset of an earlier record", (at, file) => file.fill(0, at, at + 8)],
    ["size 0", (at, file) => file.writeInt32BE(0, at + 8)],
    ["negative size", (at, file) => file.writeInt32BE(-5, at + 8)],
    ["garbage", (at, file) => file.fill(0xee, at, at + 20)],
    ["zeros", (at, file) => file.fill(0, at, at + 20)],
  ];
  for (const [what, damage] of bad) {
    for (const unit of [1, 9, 10, 14]) {
      const made = make(t);
      damage((unit % 10) * CONSUME_QUEUE_UNIT_LENGTH, made.queue.files.get(unit - (unit % 10)) as Buffer);
      made.queue.write();
      const recovery = await recoverAlone(t, made);
      const plan = { row: "damaged", maxQueueOffset: unit, dispatchFrom: endOf(made.log, unit - 1) };
      t.like(planOf(recovery, "TopicA", 0), plan, `${what} at ${unit}`);
      t.like(recovery, { cutQueues: ["TopicA-0"], rebuiltQueues: ["TopicA-0"] });
      const kept = new Map([...made.queue.clear(unit).files].filter(([fileStart]) => fileStart < unit));
      const expected = [...kept].map(([fileStart, file]) => [made.queue.path(fileStart), file.toString("hex")]);
      t.deepEqual(
        [...filesBelow(made.queue.directory)].map(([name, hex]) => [join(made.queue.directory, name), hex]),
        expected,
      );
    }
  }
});

test("damaged: units that were shifted, as RocketMQ 5.3.3 shifts them, are found although each is good by itself", async (t) => {
  for (const unit of [1, 5, 10, 17]) {
    const made = make(t);
    const units = Buffer.concat([...made.queue.files.values()]);
    units.copy(units, unit * 20, (unit + 1) * 20);
    for (const [fileStart, file] of made.queue.files) units.copy(file, 0, fileStart * 20, (fileStart + 10) * 20);
    made.queue.clear((made.log.queueOffsets.get("TopicA-0") ?? 0) - 1).write();
    const plan = planOf(await recoverAlone(t, made), "TopicA", 0);
    t.like(plan, { row: "damaged", maxQueueOffset: unit, dispatchFrom: endOf(made.log, unit - 1) }, `from ${unit}`);
  }
});

test("damaged: a last unit with another size than its record's is not believed", async (t) => {
  const made = make(t);
  const next = made.log.queueOffsets.get("TopicA-0") ?? 0;
  const last = made.queue.files.get(next - 1 - ((next - 1) % 10)) as Buffer;
  last.writeInt32BE(50, ((next - 1) % 10) * 20 + 8);
  made.queue.write();
  const plan = planOf(await recoverAlone(t, made), "TopicA", 0);
  t.like(plan, { row: "damaged", maxQueueOffset: next - 1, dispatchFrom: offsetOf(made.log, next - 1) });
});

test("damaged: behind a hole that was filled, dispatching begins at the last record before the hole", async (t) => {
  for (const torn of [6, 7]) {
    const log = new CommitLogBuilder();
    for (let i = 0; i < 4; i++) log.add();
    for (const queueOffset of [6, 7, 8]) log.add({ queueOffset });
    const made = make(t, log);
    const file = made.queue.files.get(0) as Buffer;
    for (const fill of [4, 5]) made.queue.set(fill, 0, CONSUME_QUEUE_FILL_SIZE, 0);
    made.queue.clear(torn + 1);
    file.writeInt32BE(1, torn * CONSUME_QUEUE_UNIT_LENGTH + CONSUME_QUEUE_TAGS_CODE_OFFSET);
    made.queue.write();
    const plan = planOf(await recoverAlone(t, made), "TopicA", 0);
    const dispatchFrom = log.records[torn - 2]?.offset ?? -1;
    t.like(plan, { row: "damaged", maxQueueOffset: torn, nextQueueOffset: 9, dispatchFrom });
  }
});

test("missing: without its directory, or its first files, a queue is built again from the log's first record", async (t) => {
  const log = new CommitLogBuilder(SIZE, true, 7 * SIZE).fillTo(8, 2000);
  const next = log.queueOffsets.get("TopicA-0") ?? 0;
  const expected = { row: "missing", minQueueOffset: 0, maxQueueOffset: 0, nextQueueOffset: next, dispatchFrom: 7 * SIZE };
  for (const lose of [
    (made: Made) => rmSync(made.queue.directory, { recursive: true }),
    (made: Made) => rmSync(made.queue.path(0)),
    (made: Made) => made.queue.clear(0).write(),
    (made: Made) => made.queue.clear(0, 1).write(),
  ]) {
    const made = make(t, log);
    lose(made);
    const recovery = await recoverAlone(t, made);
    t.like(planOf(recovery, "TopicA", 0), expected);
    t.deepEqual(recovery.rebuiltQueues, ["TopicA-0"]);
    if (existsSync(made.queue.directory)) t.deepEqual(readdirSync(made.queue.directory), []);
  }
});

test("missing: a gap between files costs the files before it, and the queue if the log still has their records", async (t) => {
  const made = make(t);
  rmSync(made.queue.path(10));
  t.like(planOf(await recoverAlone(t, made), "TopicA", 0), { row: "missing", maxQueueOffset: 0, dispatchFrom: 0 });
  t.deepEqual(readdirSync(made.queue.directory), []);
  const expired = make(t);
  rmSync(expired.queue.path(10));
  for (let segment = 0; segment < 5; segment++) rmSync(segmentPath(join(expired.root, "commitlog"), segment));
  const next = expired.log.queueOffsets.get("TopicA-0");
  t.like(planOf(await recoverAlone(t, expired), "TopicA", 0), { row: "intact", maxQueueOffset: next, dispatchFrom: -1 });
  t.false(existsSync(expired.queue.path(0)));
});

test("misplaced: good units that do not begin with the log's first record are built again whole", async (t) => {
  const made = make(t);
  const units = Buffer.concat([...made.queue.files.values()]).subarray(20);
  for (const [fileStart, file] of made.queue.files) file.fill(0).set(units.subarray(fileStart * 20, (fileStart + 10) * 20));
  made.queue.write();
  t.like(planOf(await recoverAlone(t, made), "TopicA", 0), {
    row: "misplaced",
    minQueueOffset: 0,
    maxQueueOffset: 0,
    dispatchFrom: 0,
  });
  t.deepEqual(readdirSync(made.queue.directory), []);
});

test("expired: a queue whose records are all gone keeps its next offset, and is empty", async (t) => {
  const log = new CommitLogBuilder();
  for (let i = 0; i < 13; i++) log.add();
  log.roll();
  log.add({ topic: "TopicB" });
  const made = make(t, log);
  rmSync(segmentPath(join(made.root, "commitlog"), 0));
  const plan = planOf(await recoverAlone(t, made), "TopicA", 0);
  t.like(plan, { row: "expired", minQueueOffset: 13, maxQueueOffset: 13, nextQueueOffset: 13, dispatchFrom: -1 });
});

test("lost: units that the log has no record of are cut, and no empty file is left, in which RocketMQ would see a unit", async (t) => {
  const log = new CommitLogBuilder();
  log.add();
  const made = make(t, log);
  const image = queueImages(made.root, log).get("TopicA-0") as QueueImage;
  const other = join(made.root, "consumequeue", "TopicB", "3");
  Object.assign(image, { directory: other });
  image.write();
  const recovery = await recoverQueues(made.root);
  t.like(planOf(recovery, "TopicB", 3), { row: "lost", maxQueueOffset: 0, nextQueueOffset: 0 });
  t.deepEqual(recovery.cutQueues, ["TopicB-3"]);
  t.deepEqual([...filesBelow(other).keys()], []);
});

test("deleted: what a deletion left behind is removed, and its records are not brought back", async (t) => {
  const log = new CommitLogBuilder();
  for (let i = 0; i < 13; i++) log.add();
  const made = make(t, log);
  const deletedTopics = new Map([["TopicA", log.offset]]);
  const recovery = await recoverAlone(t, made, { deletedTopics });
  t.like(recovery, { plans: [], removedQueues: ["TopicA-0"], rows: { deleted: 1 } });
  t.deepEqual(readdirSync(made.queue.directory), []);
});

test("deleted: a topic that was made again begins with its new records", async (t) => {
  const log = new CommitLogBuilder();
  for (let i = 0; i < 13; i++) log.add();
  const deletedTopics = new Map([["TopicA", log.offset]]);
  for (let queueOffset = 0; queueOffset < 3; queueOffset++) log.add({ queueOffset });
  const made = make(t, log);
  const renewed = { row: "misplaced", nextQueueOffset: 3, dispatchFrom: log.records[13]?.offset };
  made.queue.clear(0);
  for (let unit = 0; unit < 13; unit++) made.queue.set(unit, log.records[unit]?.offset ?? 0, log.records[unit]?.length ?? 0, 0);
  made.queue.write();
  t.like(planOf(await recoverAlone(t, made, { deletedTopics }), "TopicA", 0), renewed);
  t.like(planOf(await recoverAlone(t, made, { deletedTopics }), "TopicA", 0), { ...renewed, row: "missing" });
});

test("a topic that RocketMQ deleted and made again is as its files say", async (t) => {
  const log = new CommitLogBuilder().fillTo(1, 200);
  const from = log.records.length;
  for (let queueOffset = 0; queueOffset < 3; queueOffset++) log.add({ queueOffset });
  const made = make(t, log);
  made.queue.clear(0);
  for (let unit = 0; unit < 3; unit++)
    made.queue.set(unit, log.records[from + unit]?.offset ?? 0, log.records[from + unit]?.length ?? 0, tagsCode("TagA"));
  rmSync(made.queue.directory, { recursive: true });
  made.queue.files.delete(10);
  made.queue.write();
  t.like(planOf(await recoverAlone(t, made), "TopicA", 0), {
    row: "intact",
    minQueueOffset: 0,
    maxQueueOffset: 3,
    nextQueueOffset: 3,
  });
});

test("after a clean end only the last three files of a queue are read", async (t) => {
  const made = make(t, new CommitLogBuilder().fillTo(12, 500));
  const damaged = made.queue.files.get(10) as Buffer;
  damaged.fill(0xee, 40, 60);
  made.queue.write();
  t.true(made.queue.files.size > 4);
  const dispatchedOffset = made.log.offset;
  t.is(rowOf(await recoverQueues(made.root, { isTrusted: true, dispatchedOffset, lastExitOk: true })), "intact");
  t.is(rowOf(await recoverQueues(made.root, { dispatchedOffset })), "damaged");
});

test("files without a length are removed, wherever they stand, and the queue is built again", async (t) => {
  for (const fileStart of [0, 10]) {
    const made = make(t);
    writeFileSync(made.queue.path(fileStart), "");
    const recovery = await recoverAlone(t, made);
    t.like(planOf(recovery, "TopicA", 0), { row: "missing", maxQueueOffset: 0, dispatchFrom: offsetOf(made.log, 0) });
    t.false(existsSync(made.queue.path(fileStart)));
  }
});

test("a last file without a length is removed, any other wrong file is refused and nothing is changed", async (t) => {
  const made = make(t);
  const end = made.queue.path(60);
  t.false(existsSync(end));
  writeFileSync(end, "");
  t.is(rowOf(await recoverAlone(t, made)), "intact");
  t.false(existsSync(end));
  for (const [name, content, code] of [
    ["00000000000000000600", "x", "ERR_CONSUME_QUEUE_SIZE"],
    ["00000000000000000000.bak", "x", "ERR_CONSUME_QUEUE_NAME"],
    ["00000000000000000020", Buffer.alloc(200), "ERR_CONSUME_QUEUE_NAME"],
  ] as const) {
    const path = join(made.queue.directory, name);
    writeFileSync(path, content);
    made.queue.clear(3);
    const before = filesBelow(made.root);
    await t.throwsAsync(recoverQueues(made.root), { code, message: new RegExp(`path=${path} `) });
    t.deepEqual(filesBelow(made.root), before);
    rmSync(path);
  }
});

test("a queue that cannot be read is named; an aborted recovery changes nothing; threads find what one thread finds", async (t) => {
  const made = make(t);
  const before = filesBelow(made.root);
  const faults: Fault[] = [{ operation: "read", path: made.queue.path(10), after: 0, code: "EIO" }];
  await t.throwsAsync(recoverQueues(made.root, { storage: { kind: "faulty", faults } }), {
    code: "ERR_CONSUME_QUEUE_UNREADABLE",
    message: new RegExp(`path=${made.queue.directory}, reason=EIO$`),
  });
  made.queue.clear(5, 6).write();
  before.set(join("consumequeue", "TopicA", "0", "00000000000000000000"), made.queue.files.get(0)?.toString("hex") ?? "");
  await t.throwsAsync(recoverQueues(made.root, { signal: AbortSignal.abort("enough") }), { code: "ERR_ABORTED" });
  t.deepEqual(filesBelow(made.root), before);
  t.deepEqual((await recoverQueues(made.root, { parallelism: 2 })).rows, { intact: 2, damaged: 1 });
});

/** Behind the record of TopicA-0 with this queue offset. */
function endOf(log: CommitLogBuilder, queueOffset: number): number {
  const { offset, length } = log.records[3 * queueOffset] ?? { offset: 0, length: 0 };
  return offset + length;
}
