import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH } from "@millrace/format";
import test, { type ExecutionContext } from "ava";
import { CONSUME_QUEUE_FILL_SIZE } from "#format/consume-queue-descriptor.js";
import type { QueuePlan } from "#store/recover/queues/consume-queue-inspection.js";
import { CommitLogBuilder } from "../support/commit-log-builder.js";
import { segmentPath } from "../support/log-directory.js";
import { filesBelow, planOf, type QueueImage, queueImages, recoverQueues, UNITS } from "../support/queue-directory.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

interface Expired {
  readonly root: string;
  readonly queue: QueueImage;
  /** End of the segments that are gone. */
  readonly minOffset: number;
}

/** TopicA-0 once had so many records, and the log has none of them any more. Its files are not written yet. */
function expired(t: ExecutionContext, count: number): Expired {
  const root = temporaryDirectory(t);
  const log = new CommitLogBuilder();
  for (let i = 0; i < count; i++) log.add();
  log.roll();
  log.add({ topic: "TopicB" });
  log.write(join(root, "commitlog"));
  const images = queueImages(root, log);
  for (const image of images.values()) image.write();
  const segments = log.segments.size - 1;
  for (let index = 0; index < segments; index++) rmSync(segmentPath(join(root, "commitlog"), index));
  return { root, queue: images.get("TopicA-0") as QueueImage, minOffset: segments * log.segmentSize };
}

async function plan(root: string, options: Parameters<typeof recoverQueues>[1] = {}): Promise<Partial<QueuePlan>> {
  const { row, minQueueOffset, maxQueueOffset, nextQueueOffset, dispatchFrom } = planOf(
    await recoverQueues(root, options),
    "TopicA",
    0,
  ) as QueuePlan;
  return { row, minQueueOffset, maxQueueOffset, nextQueueOffset, dispatchFrom };
}

function empty(row: QueuePlan["row"], at: number): Partial<QueuePlan> {
  return { row, minQueueOffset: at, maxQueueOffset: at, nextQueueOffset: at, dispatchFrom: -1 };
}

/** A unit's bytes in its image. */
function unitOf({ files }: QueueImage, unit: number): Buffer {
  const at = (unit % UNITS) * CONSUME_QUEUE_UNIT_LENGTH;
  return (files.get(unit - (unit % UNITS)) as Buffer).subarray(at, at + CONSUME_QUEUE_UNIT_LENGTH);
}

for (const [what, damaged, damage] of [
  ["zeros", [5], (queue) => queue.clear(5, 6)],
  ["zeros where a file begins", [0, 10], (queue) => queue.clear(0, 1).clear(10, 11)],
  ["a file of zeros", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], (queue) => queue.clear(0, 10)],
  ["a unit that leads beyond the log", [11], (queue) => unitOf(queue, 11).writeUInt8(1, 3)],
  ["a unit that leads to a later record that is gone", [3], (queue) => unitOf(queue, 3).writeUInt8(0x40, 6)],
  ["a unit of no record's length", [4], (queue) => unitOf(queue, 4).writeUInt8(128, 8)],
] as [string, number[], (queue: QueueImage) => void][]) {
  test(`scarred: ${what} among units whose records are gone costs no queue offset, and leads nowhere afterwards`, async (t) => {
    const { root, queue } = expired(t, 13);
    damage(queue);
    queue.write();
    t.deepEqual(await plan(root), empty("scarred", 13));
    for (const unit of damaged) queue.set(unit, 0, CONSUME_QUEUE_FILL_SIZE, 0);
    for (const [fileStart, bytes] of queue.files) t.deepEqual(readFileSync(queue.path(fileStart)), bytes, `${fileStart}`);
    const before = filesBelow(root);
    t.deepEqual(await plan(root), empty("expired", 13));
    t.deepEqual(filesBelow(root), before);
  });
}

test("scarred: what follows the last unit whose record is gone is cut too", async (t) => {
  const { root, queue, minOffset } = expired(t, 8);
  for (const unit of [8, 9, 10]) queue.set(unit, minOffset + 1000 * unit, 500, 0);
  queue.clear(2, 4).write();
  const recovery = await recoverQueues(root);
  t.deepEqual([planOf(recovery, "TopicA", 0)?.nextQueueOffset, recovery.cutQueues], [8, ["TopicA-0"]]);
  t.deepEqual(await plan(root), empty("expired", 8));
});

test("lost: units that lead to what was cut off the log are cut behind those whose records are gone", async (t) => {
  const { root, queue, minOffset } = expired(t, 8);
  for (const unit of [8, 9, 10]) queue.set(unit, minOffset + 1000 * unit, 500, 0);
  queue.write();
  t.deepEqual(await plan(root), empty("lost", 8));
});

test("scarred: after a clean end the last three files alone are looked at, and of known units the last alone", async (t) => {
  for (const options of [{ isTrusted: true }, knownTo(40)]) {
    const { root, queue } = expired(t, 53);
    queue.clear(5, 9).clear(44, 46).write();
    t.deepEqual(await plan(root, { lastExitOk: true, ...options }), empty("scarred", 53));
    const first = readFileSync(queue.path(0));
    t.is(first.readInt32BE(5 * CONSUME_QUEUE_UNIT_LENGTH + 8), 0);
    t.is(readFileSync(queue.path(40)).readInt32BE(4 * CONSUME_QUEUE_UNIT_LENGTH + 8), CONSUME_QUEUE_FILL_SIZE);
  }
});

test("scarred: zeros in place of the last units cost no queue offset where it is noted how many there were", async (t) => {
  for (const [cleared, noted, end] of [
    [12, 13, 13],
    [9, 13, 13],
    [0, 13, 13],
    [12, 12, 12],
    [12, 21, 12], // there never was such a file
  ] as const) {
    const { root, queue } = expired(t, 13);
    queue.clear(cleared, 13).write();
    const row = noted === 13 ? "scarred" : "expired";
    t.deepEqual(await plan(root, { ...knownTo(noted), believesNotes: true }), empty(row, end), `${cleared} ${noted}`);
    if (noted === 13) t.deepEqual(await plan(root), empty("expired", 13));
  }
});

test("what is noted says nothing where it is not believed, the topic was deleted, or no zeros stand there", async (t) => {
  for (const [options, row] of [
    [{ believesNotes: false }, "expired"],
    [{ believesNotes: true, deletedTopics: new Map([["TopicA", 1]]) }, "expired"],
    [{ believesNotes: true }, "lost"],
  ] as const) {
    const { root, queue, minOffset } = expired(t, 13);
    queue.clear(12, 13);
    if (row === "lost") queue.set(12, minOffset + 100_000, 500, 0);
    queue.write();
    t.deepEqual(await plan(root, { ...knownTo(13), ...options }), empty(row, 12));
  }
});

/** So many units were noted. */
function knownTo(count: number): Parameters<typeof recoverQueues>[1] {
  const checksums = new Map([["TopicA/0", [{ fileStart: 0, count, crc: 0 }]]]);
  return { checksums, isKnown: () => true };
}

test("deleted: a queue whose last unit is of the topic's next life is not removed for a damaged one before it", async (t) => {
  const { root, queue } = expired(t, 13);
  const below = Number(unitOf(queue, 8).readBigInt64BE(0));
  queue.clear(3, 5).write();
  t.deepEqual(await plan(root, { deletedTopics: new Map([["TopicA", below]]) }), empty("scarred", 13));
});
