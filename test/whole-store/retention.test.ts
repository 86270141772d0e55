import { existsSync, readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "@millrace/format";
import { createStorage, type Fault } from "@millrace/mapped-file";
import type { MessageStore, MessageStoreOptions } from "@millrace/store";
import test from "ava";
import { readDispatchedMark } from "#store/marks/dispatched-mark.js";
import { leftByCrash } from "../support/left-by-crash.js";
import { setWallClock } from "../support/settable-wall-clock.js";
import { message, numbered, numberOf, openStore } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const SIZE = 4096;
const UNITS = 7;
const PER_SEGMENT = 3;
/** Three records fill a segment. */
const BODY = 1100;

/** Everything expires at once, and nothing is waited for. */
const OPTIONS: MessageStoreOptions = {
  mappedFileSizeCommitLog: SIZE,
  mappedFileSizeConsumeQueue: UNITS * 20,
  maxHashSlotNum: 10,
  maxIndexNum: 8,
  fileReservedTime: 0,
  deleteCommitLogFilesInterval: 0,
  deleteConsumeQueueFilesInterval: 0,
};

async function put(store: MessageStore, from: number, to: number, topic = "TopicA"): Promise<void> {
  const puts = range(from, to).map((n) => store.putMessage(numbered(n, BODY, { topic, keys: `key${n}` })));
  for (const { status } of await Promise.all(puts)) if (status !== "PUT_OK") throw new Error(`not put: status=${status}`);
}

/** [minOffset, maxOffset] of a queue. */
function bounds(store: MessageStore, topic: string): [number, number] {
  using found = store.getMessage({ topic, queueId: 0, queueOffset: 0 });
  return [found.minOffset, found.maxOffset];
}

/** Durable and dispatched: only what is both is deleted. */
async function settled(store: MessageStore, messages: number): Promise<void> {
  await store.flush();
  // The queue shows a message a moment before its segment may go: `reputFromOffset` is published last.
  await until(() => bounds(store, "TopicA")[1] === messages && store.dispatchBehindBytes === 0);
}

function files(store: MessageStore, directory: string): number[] {
  const path = join(store.config.storePathRootDir, directory);
  return existsSync(path)
    ? readdirSync(path)
        .sort()
        .map((name) => Number(name))
    : [];
}

function segments(store: MessageStore): number[] {
  return files(store, "commitlog").filter((offset) => offset <= store.maxPhysicalOffset);
}

/** Every message that is left in the queue. */
function consumeAll(store: MessageStore, topic = "TopicA"): number[] {
  const numbers: number[] = [];
  let [queueOffset] = bounds(store, topic);
  for (;;) {
    using found = store.getMessage({ topic, queueId: 0, queueOffset });
    if (found.status !== "FOUND") return numbers;
    for (const { body } of found.messages) numbers.push(numberOf(body));
    queueOffset = found.nextBeginOffset;
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, n) => from + n);
}

test.serial("what has expired goes, oldest first, but for the last segment, and ConsumeQueue and index follow", async (t) => {
  const store = await openStore(t, OPTIONS);
  await put(store, 0, 40);
  await settled(store, 40);
  const before = { index: files(store, "index").length, queue: files(store, "consumequeue/TopicA/0") };
  t.is(before.queue.length, 6);
  const report = await store.deleteExpiredFiles();
  t.like(report, { deletedSegments: 13, deletedConsumeQueueFiles: 5, minOffset: 13 * SIZE, failure: undefined, held: undefined });
  t.is(store.minPhysicalOffset, 13 * SIZE);
  t.deepEqual(segments(store), [13 * SIZE]);
  t.deepEqual(files(store, "consumequeue/TopicA/0"), before.queue.slice(5));
  t.true(files(store, "index").length < before.index);
  t.deepEqual(consumeAll(store), [39]);
  const { status, minOffset, maxOffset } = store.getMessage({ topic: "TopicA", queueId: 0, queueOffset: 3 });
  t.deepEqual({ status, minOffset, maxOffset }, { status: "OFFSET_TOO_SMALL", minOffset: 39, maxOffset: 40 });
  t.like(await store.deleteExpiredFiles(), { deletedSegments: 0, deletedConsumeQueueFiles: 0 });
  await store.close();
  t.deepEqual(files(store, "consumequeue/TopicA/0"), before.queue.slice(5), "the last force makes no deleted file again");
});

test.serial("before a segment goes the units of its records are durable, and the mark says so", async (t) => {
  const store = await openStore(t, { ...OPTIONS, flushIntervalConsumeQueue: 2 ** 30, flushConsumeQueueThoroughInterval: 2 ** 30 });
  await put(store, 0, 40);
  await settled(store, 40);
  const storage = createStorage({ kind: "real" });
  const path = storePaths(store.config.storePathRootDir).dispatchedMark;
  t.true((readDispatchedMark(storage, path)?.dispatchedOffset ?? 0) < 13 * SIZE);
  t.like(await store.deleteExpiredFiles(), { deletedSegments: 13, minOffset: 13 * SIZE });
  t.true((readDispatchedMark(storage, path)?.dispatchedOffset ?? 0) >= 13 * SIZE);
});

const modes: Record<string, MessageStoreOptions> = {
  SYNC_FLUSH: { flushDiskType: "SYNC_FLUSH" },
  transientStorePoolEnable: { transientStorePoolEnable: true, commitIntervalCommitLog: 5 },
  writeWithoutMmap: { writeWithoutMmap: true },
  warmMapedFileEnable: { warmMapedFileEnable: true },
};

for (const [mode, options] of Object.entries(modes)) {
  test.serial(`segments go in every mode: ${mode}`, async (t) => {
    const store = await openStore(t, { ...OPTIONS, ...options });
    await put(store, 0, 20);
    await settled(store, 20);
    t.like(await store.deleteExpiredFiles(), { deletedSegments: 6, minOffset: 6 * SIZE });
    await put(store, 20, 30);
    await settled(store, 30);
    t.deepEqual(consumeAll(store), range(18, 30));
  });
}

test.serial("by age: the segments go that were last written long enough ago, up to the first that was not", async (t) => {
  const store = await openStore(t, { ...OPTIONS, fileReservedTime: 1 });
  await put(store, 0, 30);
  await settled(store, 30);
  const old = Date.now() / 1000 - 3700;
  const log = store.config.storePathCommitLog;
  const names = readdirSync(log).sort();
  for (const index of [0, 1, 2, 3, 6, 7]) utimesSync(join(log, names[index] ?? ""), old, old);
  t.like(await store.deleteExpiredFiles(), { deletedSegments: 4, minOffset: 4 * SIZE });
  t.deepEqual(segments(store)[0], 4 * SIZE);
  t.deepEqual(consumeAll(store), range(4 * PER_SEGMENT, 30));
});

test.serial(
  "one manual deletion goes on for many runs of deleteFileBatchMax segments, and a signal ends it after a run",
  async (t) => {
    const store = await openStore(t, { ...OPTIONS, deleteFileBatchMax: 2 });
    await put(store, 0, 40);
    await settled(store, 40);
    const abort = new AbortController();
    abort.abort();
    t.like(await store.deleteExpiredFiles(abort.signal), { deletedSegments: 2 });
    t.like(await store.deleteExpiredFiles(), { deletedSegments: 11 });
  },
);

test.serial("messages are put and read while segments go, and none of those that stay is missed", async (t) => {
  const store = await openStore(t, OPTIONS);
  let isDone = false;
  const reader = (async () => {
    let next = 0;
    const seen: number[] = [];
    while (!isDone || next < 600) {
      using found = store.getMessage({ topic: "TopicA", queueId: 0, queueOffset: next, maxMessages: 5 });
      for (const { body, queueOffset } of found.messages) {
        if (numberOf(body) !== queueOffset) t.fail(`wrong message: ${numberOf(body)} at ${queueOffset}`);
        seen.push(queueOffset);
      }
      next = Math.max(next, found.nextBeginOffset);
      await new Promise(setImmediate);
    }
    return seen;
  })();
  for (let n = 0; n < 600; n += 50) {
    await put(store, n, n + 50);
    await store.flush();
    await store.deleteExpiredFiles();
  }
  isDone = true;
  const seen = await reader;
  t.is(seen.at(-1), 599);
  t.true(seen.every((offset, at) => at === 0 || offset > (seen[at - 1] as number)));
  t.true(store.minPhysicalOffset > 100 * SIZE);
});

test.serial("a leased segment stays, unread, until it is released; the messages of the lease are whole as long", async (t) => {
  const store = await openStore(t, OPTIONS);
  await put(store, 0, 20);
  await settled(store, 20);
  const lease = store.getMessage({ topic: "TopicA", queueId: 0, queueOffset: 4, maxMessages: 1 });
  t.is(lease.status, "FOUND");
  const report = await store.deleteExpiredFiles();
  t.like(report, { deletedSegments: 1, minOffset: 2 * SIZE, held: { endOffset: 2 * SIZE } });
  t.deepEqual(segments(store).slice(0, 2), [SIZE, 2 * SIZE]);
  t.is(numberOf(lease.messages[0]?.body ?? new Uint8Array(0)), 4);
  t.is(store.getMessage({ topic: "TopicA", queueId: 0, queueOffset: 4 }).status, "OFFSET_TOO_SMALL");
  lease.release();
  t.like(await store.deleteExpiredFiles(), { deletedSegments: 5, minOffset: 6 * SIZE, held: undefined });
});

test.serial("a crash while a segment is held: it can be read again, queue offsets and all", async (t) => {
  const store = await openStore(t, OPTIONS);
  await put(store, 0, 40);
  await settled(store, 40);
  const lease = store.getMessage({ topic: "TopicA", queueId: 0, queueOffset: 25, maxMessages: 1 });
  t.like(await store.deleteExpiredFiles(), { deletedSegments: 8, deletedConsumeQueueFiles: 3, minOffset: 9 * SIZE });
  t.deepEqual(bounds(store, "TopicA"), [27, 40]);
  const copy = leftByCrash(t, store.config.storePathRootDir);
  lease.release();
  await store.close();
  const again = await openStore(t, { ...OPTIONS, storePathRootDir: copy });
  t.is(again.minPhysicalOffset, 8 * SIZE);
  t.deepEqual(consumeAll(again), range(24, 40));
  t.is((await again.putMessage(numbered(40, BODY))).appendResult?.queueOffset, 40);
});

test.serial("a segment that is held when the store closes is gone when it opens again", async (t) => {
  const store = await openStore(t, OPTIONS);
  await put(store, 0, 20);
  await settled(store, 20);
  const lease = store.getMessage({ topic: "TopicA", queueId: 0, queueOffset: 4, maxMessages: 1 });
  t.like(await store.deleteExpiredFiles(), { deletedSegments: 1, held: { endOffset: 2 * SIZE } });
  await store.close();
  lease.release();
  t.deepEqual(segments(store)[0], 2 * SIZE);
});

test.serial("a lease that lasts too long is ended by force: what it showed is empty", async (t) => {
  const store = await openStore(t, { ...OPTIONS, destroyMapedFileIntervalForcibly: 0 });
  await put(store, 0, 20);
  await settled(store, 20);
  const lease = store.getMessage({ topic: "TopicA", queueId: 0, queueOffset: 4, maxMessages: 1 });
  t.like(await store.deleteExpiredFiles(), { deletedSegments: 6 });
  t.is(lease.messages[0]?.body.length, 0);
  lease.release();
});

test.serial("a file that cannot be removed is told and tried again; nobody reads it meanwhile", async (t) => {
  const fault: Fault = { operation: "remove", path: "commitlog/", after: 1, times: 1, code: "EIO" };
  const store = await openStore(t, OPTIONS, [fault]);
  await put(store, 0, 20);
  await settled(store, 20);
  const report = await store.deleteExpiredFiles();
  t.like(report, { deletedSegments: 1, minOffset: 2 * SIZE });
  t.regex(report.failure ?? "", /EIO/);
  t.is(store.stats().state, "running");
  t.is(store.getMessage({ topic: "TopicA", queueId: 0, queueOffset: 4 }).status, "OFFSET_TOO_SMALL");
  t.like(await store.deleteExpiredFiles(), { deletedSegments: 5, minOffset: 6 * SIZE, failure: undefined });
  t.deepEqual(segments(store), [6 * SIZE]);
});

test.serial("a ConsumeQueue file that cannot be removed is told and tried again", async (t) => {
  const fault: Fault = { operation: "remove", path: "consumequeue/", after: 0, times: 1, code: "EIO" };
  const store = await openStore(t, OPTIONS, [fault]);
  await put(store, 0, 20);
  await settled(store, 20);
  t.regex((await store.deleteExpiredFiles()).failure ?? "", /EIO/);
  t.like(await store.deleteExpiredFiles(), { deletedConsumeQueueFiles: 2, failure: undefined });
});

for (const [what, usedPercent] of [
  ["full", 95],
  ["nearly full", 86],
] as const) {
  test.serial(`a ${what} disk: segments go that have not expired`, async (t) => {
    const fault: Fault = { operation: "diskUsage", path: "commitlog", after: 0, times: 1, usedPercent: 10 };
    const full: Fault = { ...fault, after: 1, times: 1, usedPercent };
    const store = await openStore(t, { ...OPTIONS, fileReservedTime: 72 }, [fault, full]);
    await put(store, 0, 20);
    await settled(store, 20);
    t.like(await store.deleteExpiredFiles(), { deletedSegments: 6 });
    t.like(await store.deleteExpiredFiles(), { deletedSegments: 0 });
  });
}

test.serial("puts are refused while the disk is full, from the first look on, and taken again when there is space", async (t) => {
  const faults: Fault[] = ["commitlog", "consumequeue"].map((path) => ({
    operation: "diskUsage",
    path,
    after: 0,
    times: 5,
    usedPercent: 91,
  }));
  const store = await openStore(t, { ...OPTIONS, cleanResourceInterval: 20 }, faults);
  t.like(await store.putMessage(message()), { status: "SERVICE_NOT_AVAILABLE", code: "ERR_DISK_FULL", appendResult: null });
  t.like(await store.putMessages([message()]), { status: "SERVICE_NOT_AVAILABLE", code: "ERR_DISK_FULL" });
  let refused = 0;
  await until(() => {
    refused++;
    return !store.stats().disk.full;
  });
  t.true(refused > 1);
  t.is((await store.putMessage(message())).status, "PUT_OK");
});

test.serial("after a restart the front of the log, of its queues, and their next offsets are where they were", async (t) => {
  const first = await openStore(t, OPTIONS);
  await put(first, 0, 10, "Gone");
  await put(first, 0, 30);
  await settled(first, 30);
  await first.deleteExpiredFiles();
  const [minOffset] = bounds(first, "TopicA");
  const minPhysicalOffset = first.minPhysicalOffset;
  await first.close();
  const second = await openStore(t, { ...OPTIONS, storePathRootDir: first.config.storePathRootDir });
  t.is(second.recovery.lastExitOk, true);
  t.is(second.minPhysicalOffset, minPhysicalOffset);
  t.deepEqual(bounds(second, "TopicA"), [minOffset, 30]);
  t.deepEqual(consumeAll(second), range(minOffset, 30));
  t.is((await second.putMessage(numbered(30, BODY))).appendResult?.queueOffset, 30);
  t.deepEqual(bounds(second, "Gone"), [10, 10]);
  t.is((await second.putMessage(numbered(10, BODY, { topic: "Gone" }))).appendResult?.queueOffset, 10);
  await settled(second, 31);
  t.deepEqual(consumeAll(second, "Gone"), [10]);
});

test.serial(
  "a close in the middle of a long deletion ends it between two files, and the rest is there at the next open",
  async (t) => {
    const store = await openStore(t, { ...OPTIONS, deleteCommitLogFilesInterval: 60_000 });
    await put(store, 0, 30);
    await settled(store, 30);
    const cleaning = store.deleteExpiredFiles();
    await until(() => store.minPhysicalOffset > 0);
    await store.close();
    t.like(await cleaning, { deletedSegments: 1, minOffset: SIZE });
    await t.throwsAsync(store.deleteExpiredFiles(), { code: "ERR_STORE_CLOSED" });
    const again = await openStore(t, { ...OPTIONS, storePathRootDir: store.config.storePathRootDir });
    t.deepEqual(consumeAll(again), range(PER_SEGMENT, 30));
  },
);

test.serial("segments whose files say a year from now are said to be of the future, and expire all the same", async (t) => {
  const store = await openStore(t, OPTIONS);
  await put(store, 0, 20);
  await settled(store, 20);
  const log = store.config.storePathCommitLog;
  const year = Math.ceil(Date.now() / 1000) + 365 * 24 * 3600;
  for (const name of readdirSync(log).sort().slice(0, 3)) utimesSync(join(log, name), year, year);
  const again = { ...OPTIONS, fileReservedTime: 1, storePathRootDir: store.config.storePathRootDir };
  await store.close();
  const kept = await openStore(t, again);
  const inFuture = { fromOffset: 0, modifiedMs: year * 1000 };
  t.like(await kept.deleteExpiredFiles(), { deletedSegments: 0, inFuture });
  t.true(kept.stats().disk.oldestInFuture);
  setWallClock(t, 3_700_000);
  t.like(await kept.deleteExpiredFiles(), { deletedSegments: 6, minOffset: 6 * SIZE });
  t.false(kept.stats().disk.oldestInFuture);
});

test.serial("a message whose delay is longer than retention is kept until it has been delivered", async (t) => {
  const delayed = { messageDelayLevel: "7d", flushDelayOffsetInterval: 50 };
  const store = await openStore(t, { ...OPTIONS, ...delayed });
  await store.putMessage(numbered(0, BODY, { topic: "Late", delayTimeLevel: 1 }));
  await put(store, 0, 20);
  await settled(store, 20);
  t.like(await store.deleteExpiredFiles(), { deletedSegments: 0, delayedFrom: 0 });
  t.true(store.stats().disk.keptForDelay);
  await store.close();
  const again = await openStore(t, { ...OPTIONS, ...delayed, storePathRootDir: store.config.storePathRootDir });
  t.like(await again.deleteExpiredFiles(), { deletedSegments: 0, delayedFrom: 0 });
  setWallClock(t, 8 * 24 * 3_600_000);
  await until(async () => (await again.deleteExpiredFiles()).deletedSegments > 0);
  using found = again.getMessage({ topic: "Late", queueId: 0, queueOffset: 0 });
  t.deepEqual(
    found.messages.map(({ body }) => numberOf(body)),
    [0],
  );
  t.false(again.stats().disk.keptForDelay);
});

test.serial("a delayed message that keeps the log of a disk over its ratio is delivered; what is new is refused", async (t) => {
  const delayed = { messageDelayLevel: "7d", flushDelayOffsetInterval: 50 };
  const store = await openStore(t, { ...OPTIONS, ...delayed });
  await store.putMessage(numbered(0, BODY, { topic: "Late", delayTimeLevel: 1 }));
  await put(store, 0, 20);
  await settled(store, 20);
  await store.close();
  const fault: Fault = { operation: "diskUsage", path: "commitlog", after: 0, usedPercent: 95 };
  const again = await openStore(t, { ...OPTIONS, ...delayed, storePathRootDir: store.config.storePathRootDir }, [fault]);
  t.like(await again.deleteExpiredFiles(), { deletedSegments: 0, delayedFrom: 0 });
  setWallClock(t, 8 * 24 * 3_600_000);
  await until(async () => (await again.deleteExpiredFiles()).deletedSegments > 0);
  using found = again.getMessage({ topic: "Late", queueId: 0, queueOffset: 0 });
  t.deepEqual(
    found.messages.map(({ body }) => numberOf(body)),
    [0],
  );
  const refused = { status: "SERVICE_NOT_AVAILABLE", code: "ERR_DISK_FULL", appendResult: null };
  t.like(await again.putMessage(message()), refused);
  t.like(await again.putMessage(message({ delayTimeLevel: 1 })), refused);
  t.like(await again.prepareMessage(message()), refused);
});
