import { mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { storePaths } from "@millrace/format";
import { KernelMemory } from "@millrace/kernels";
import { createStorage, type Fault } from "@millrace/mapped-file";
import { allocateQueueTable, ControlBlock, QueueTableWriter, queueColumns } from "@millrace/shared-memory";
import test, { type ExecutionContext } from "ava";
import type { ConsumeQueue } from "#store/dispatch/consume-queue.js";
import { ConsumeQueueDispatcher } from "#store/dispatch/consume-queue-dispatcher.js";
import { ExpiredConsumeQueues } from "#store/dispatch/expired-consume-queues.js";
import { DeletedTopics } from "#store/marks/deleted-topics.js";
import type { ExpiredDeletion } from "#store/pipeline/controls.js";
import { storeConfig } from "../../../support/clean-config.js";
import { storageCalls } from "../../../support/storage-calls.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const UNITS = 20;
/** Every record has this length, and the n-th one of a queue lies at n times as much. */
const LENGTH = 100;

const LOG_END = 1000 * LENGTH;

/** No unit is damaged here. */
function repairFront(): Generator<number, number> {
  throw new Error("the units of a queue contradict one another");
}

interface Dispatch {
  readonly expired: ExpiredConsumeQueues;
  readonly queues: ConsumeQueue[];
  /** As main sees them, by slot. */
  minQueueOffset(slot: number): number;
  /** First units of the files of a queue. */
  files(slot: number): number[];
  /** Units [from, to) of a queue, for records that lie one behind the other. */
  put(slot: number, from: number, to: number): void;
  readonly told: number[];
}

/** The dispatch thread's part without its thread: as many queues of TopicA. */
function dispatch(t: ExecutionContext, count: number, faults: readonly Fault[] = []): Dispatch {
  const root = temporaryDirectory(t);
  mkdirSync(join(root, "consumequeue"));
  const config = storeConfig({ storePathRootDir: root, mappedFileSizeConsumeQueue: UNITS * 20 });
  const storage = createStorage({ kind: "faulty", faults });
  const table = allocateQueueTable(new KernelMemory());
  const block = ControlBlock.create({});
  const main = ControlBlock.attach(block, "main");
  const { minQueueOffsets } = queueColumns(table, main);
  const writer = new QueueTableWriter(table, main.counters.queueSlots);
  for (let queueId = 0; queueId < count; queueId++) writer.add(Buffer.from("TopicA"), queueId);
  const consumeQueues = new ConsumeQueueDispatcher(storage, config, table, ControlBlock.attach(block, "dispatch"), new Map());
  consumeQueues.refresh();
  t.teardown(() => consumeQueues.close());
  const told: number[] = [];
  const other = { name: "other", dispatch: () => {}, deleteExpired: (minOffset: number) => void told.push(minOffset) };
  const deletedTopics = DeletedTopics.read(storage, storePaths(root).deletedTopics);
  return {
    expired: new ExpiredConsumeQueues(storage, config, consumeQueues, [other], deletedTopics, () => LOG_END, { repairFront }),
    queues: consumeQueues.queues as ConsumeQueue[],
    minQueueOffset: (slot) => minQueueOffsets.get(slot),
    files: (slot) =>
      readdirSync(join(root, "consumequeue/TopicA", String(slot)))
        .sort()
        .map((name) => Number(name) / 20),
    put: (slot, from, to) => {
      const queue = consumeQueues.queues[slot] as ConsumeQueue;
      for (let n = from; n < to; n++) queue.put(n * LENGTH, LENGTH, 0, n);
      queue.write();
    },
    told,
  };
}

/** All slices. */
function deleteExpired({ expired }: Dispatch, minOffset: number): ExpiredDeletion[] {
  const slices: ExpiredDeletion[] = [];
  do slices.push(expired.deleteExpired(minOffset));
  while (slices.at(-1)?.isDone !== true);
  return slices;
}

test("a queue begins with the first unit whose record is still there, wherever it is", (t) => {
  const there = dispatch(t, 1);
  there.put(0, 0, 100);
  let min = 0;
  for (const unit of [0, 1, 19, 20, 21, 39, 40, 73, 98, 99]) {
    deleteExpired(there, unit * LENGTH);
    t.is(there.minQueueOffset(0), unit);
    deleteExpired(there, unit * LENGTH + 1);
    min = unit + 1;
    t.is(there.minQueueOffset(0), min, "a record that begins below has gone");
    t.is(there.files(0)[0], Math.min(80, min - (min % UNITS)), "the last file stays");
  }
  t.is(min, 100);
  deleteExpired(there, 1_000_000);
  t.is(there.minQueueOffset(0), 100);
  t.deepEqual(there.files(0), [80]);
});

test("the first file of a queue that does not begin at 0 goes with its fill units", (t) => {
  const there = dispatch(t, 1);
  there.put(0, 110, 150);
  t.is(there.queues[0]?.minOffset, 110);
  deleteExpired(there, 5000);
  t.is(there.minQueueOffset(0), 0, "readers are not told of what has not changed");
  t.is(there.queues[0]?.minOffset, 110);
  deleteExpired(there, 125 * LENGTH);
  t.is(there.minQueueOffset(0), 125);
  t.deepEqual(there.files(0), [120, 140]);
});

test("fill units in the middle of a queue hide no record in front of them", (t) => {
  const there = dispatch(t, 1);
  there.put(0, 0, 30);
  there.put(0, 57, 100);
  for (const unit of [7, 25, 29]) {
    deleteExpired(there, unit * LENGTH);
    t.is(there.minQueueOffset(0), unit);
  }
  deleteExpired(there, 30 * LENGTH);
  t.is(there.minQueueOffset(0), 57);
  t.deepEqual(there.files(0), [40, 60, 80]);
  deleteExpired(there, 64 * LENGTH);
  t.is(there.minQueueOffset(0), 64);
});

test("a queue that ends with its file keeps that file", (t) => {
  const there = dispatch(t, 1);
  there.put(0, 0, 40);
  deleteExpired(there, 40 * LENGTH);
  t.is(there.minQueueOffset(0), 40);
  t.deepEqual(there.files(0), [20]);
  there.put(0, 40, 41);
  deleteExpired(there, 40 * LENGTH);
  t.deepEqual(there.files(0), [40]);
});

test("files that were not forced yet are deleted, and not made again by the force", (t) => {
  const there = dispatch(t, 1);
  there.put(0, 0, 100);
  deleteExpired(there, 50 * LENGTH);
  there.queues[0]?.force();
  t.deepEqual(there.files(0), [40, 60, 80]);
});

test("readers hear of the new front of every queue before the first file goes; files go a few in a slice; the others hear last", (t) => {
  const there = dispatch(t, 3);
  for (const slot of [0, 1, 2]) there.put(slot, 0, 200);
  let minsAtFirstDeletion: number[] | undefined;
  let deletedFiles = 0;
  for (;;) {
    const slice = there.expired.deleteExpired(130 * LENGTH);
    if (slice.deletedFiles > 0) minsAtFirstDeletion ??= [0, 1, 2].map(there.minQueueOffset);
    t.true(slice.deletedFiles <= 4);
    deletedFiles += slice.deletedFiles;
    if (slice.isDone) break;
    t.deepEqual(there.told, []);
  }
  t.deepEqual(minsAtFirstDeletion, [130, 130, 130]);
  t.is(deletedFiles, 18);
  t.deepEqual(there.told, [130 * LENGTH]);
  t.deepEqual(there.files(2), [120, 140, 160, 180]);
});

test("a new front begins again in the middle of an old one", (t) => {
  const there = dispatch(t, 2);
  for (const slot of [0, 1]) there.put(slot, 0, 200);
  while (there.expired.deleteExpired(100 * LENGTH).deletedFiles === 0);
  deleteExpired(there, 180 * LENGTH);
  t.deepEqual([0, 1].map(there.minQueueOffset), [180, 180]);
  t.deepEqual([there.files(0), there.files(1)], [[180], [180]]);
});

test("a queue whose files cannot be read or removed is told, and keeps no other from following", (t) => {
  const there = dispatch(t, 2, [
    { operation: "open", path: "TopicA/0/00000000000000000000", after: 1, times: 1, code: "EIO" },
    { operation: "remove", path: "TopicA/1", after: 0, times: 1, code: "EACCES" },
  ]);
  for (const slot of [0, 1]) there.put(slot, 0, 100);
  t.regex(deleteExpired(there, 50 * LENGTH).at(-1)?.failure ?? "", /EIO/);
  t.deepEqual([0, 1].map(there.minQueueOffset), [0, 50]);
  t.deepEqual(there.told, [5000]);
  t.is(deleteExpired(there, 50 * LENGTH).at(-1)?.failure, undefined);
  t.deepEqual([0, 1].map(there.minQueueOffset), [50, 50]);
  t.deepEqual(
    [there.files(0), there.files(1)],
    [
      [40, 60, 80],
      [40, 60, 80],
    ],
  );
});

test.serial("what a killed life has removed of a deleted topic is durable before the topic's deletion is forgotten", (t) => {
  const there = dispatch(t, 1);
  const consumeQueue = dirname(dirname(there.queues[0]?.directory ?? ""));
  const topic = join(consumeQueue, "Deleted");
  t.is(there.expired.deleteTopic("Deleted", 100), undefined);
  for (const queueId of ["0", "1"]) mkdirSync(join(topic, queueId), { recursive: true }); // their files are gone, and queue 2
  const calls = storageCalls(t);
  deleteExpired(there, 99);
  t.deepEqual(calls, []);
  deleteExpired(there, 100);
  const table = storePaths(dirname(consumeQueue)).deletedTopics;
  const forgotten = calls.findIndex(({ operation, path }) => operation === "writeSmall" && path === table);
  t.deepEqual(
    calls.slice(0, forgotten).filter(({ path }) => path.startsWith(topic)),
    [join(topic, "0"), join(topic, "1"), topic].map((path) => ({ operation: "syncDirectory", path })),
  );
});
