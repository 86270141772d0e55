import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { createStorage } from "@millrace/mapped-file";
import type { MessageStore, MessageStoreOptions } from "@millrace/store";
import test from "ava";
import { StoreCheckpointFile } from "#store/marks/store-checkpoint.js";
import { setWallClock } from "../support/settable-wall-clock.js";
import { messagesOf } from "../support/stored-messages.js";
import { KIB, numbered, numberOf, openStore, outcomes, SEGMENT_SIZE } from "../support/temporary-store.js";
import { dispatchedAll, until } from "../support/until.js";

const HOUR_MS = 60 * 60 * 1000;
/** Of every interval in these tests: a second goes by soon, an hour does not. */
const INTERVALS: MessageStoreOptions = {
  flushIntervalCommitLog: 20,
  flushCommitLogThoroughInterval: 100,
  commitIntervalCommitLog: 20,
  commitCommitLogThoroughInterval: 100,
  flushIntervalConsumeQueue: 20,
  flushConsumeQueueThoroughInterval: 100,
};

test.serial("with the clock set back an hour the log is flushed as if nothing had happened", async (t) => {
  const store = await openStore(t, INTERVALS);
  await store.putMessage(numbered(0));
  await until(() => store.flushedOffset === store.maxPhysicalOffset);
  setWallClock(t, -HOUR_MS);
  await store.putMessage(numbered(1));
  await until(() => store.flushedOffset === store.maxPhysicalOffset);
  t.pass();
});

test.serial("with the clock set back an hour and the transient store pool, what is put is committed and can be read", async (t) => {
  const store = await openStore(t, { ...INTERVALS, transientStorePoolEnable: true });
  await store.putMessage(numbered(0));
  await dispatchedAll(store);
  setWallClock(t, -HOUR_MS);
  const puts = Array.from({ length: 12 }, (_, n) => store.putMessage(numbered(n, 30 * KIB))); // more segments than the pool has
  const answers = await outcomes(puts);
  t.deepEqual(new Set(answers.map((answer) => ("status" in answer ? answer.status : answer.code))), new Set(["PUT_OK"]));
  await dispatchedAll(store);
  t.is(store.getMaxOffsetInQueue("TopicA", 0), 13);
});

test.serial("with the clock set back an hour ConsumeQueues are forced", async (t) => {
  const store = await openStore(t, INTERVALS);
  await store.putMessage(numbered(0));
  await until(() => store.stats().dispatch.forces > 0);
  setWallClock(t, -HOUR_MS);
  for (let round = 1; round <= 3; round++) {
    const before = store.stats().dispatch.forces; // the first may have been under way
    await store.putMessage(numbered(round));
    await until(() => store.stats().dispatch.forces > before);
  }
  t.pass();
});

test.serial("with the clock set back an hour, the allocator tries again after a full disk", async (t) => {
  const faults = [{ operation: "write", path: "commitlog", code: "ENOSPC", after: 4, times: 20 }] as const;
  const store = await openStore(t, INTERVALS, faults);
  let isRefused = false;
  await until(async () => {
    const result = await store.putMessage(numbered(0, 30 * KIB));
    if (result.status === "PUT_OK") return isRefused && result.appendResult.wroteOffset >= 4 * SEGMENT_SIZE;
    if (!isRefused) setWallClock(t, -HOUR_MS);
    isRefused = true;
    return false;
  });
  t.pass();
});

test.serial("with the clock set back an hour, dispatching goes on after a dispatcher that failed", async (t) => {
  const faults = [{ operation: "open", path: "consumequeue", code: "EIO", after: 0, times: 1 }] as const;
  const store = await openStore(t, INTERVALS, faults);
  await store.putMessage(numbered(0));
  await until(() => store.stats().dispatch.failures > 0 || store.dispatchBehindBytes === 0);
  setWallClock(t, -HOUR_MS);
  await dispatchedAll(store);
  t.is(store.getMaxOffsetInQueue("TopicA", 0), 1);
});

const YEAR_MS = 365 * 24 * HOUR_MS;

test.serial(
  "a clock that was a year ahead stamps nothing any more when it is right again, here and in the next life",
  async (t) => {
    const store = await openStore(t, INTERVALS);
    const { storePathRootDir } = store.config;
    const stampOf = async (opened: MessageStore, n: number): Promise<number> =>
      (await opened.putMessage(numbered(n, 16, { keys: ["K"] }))).appendResult?.storeTimestamp ?? 0;
    const began = Date.now();
    setWallClock(t, YEAR_MS);
    t.true((await stampOf(store, 0)) >= began + YEAR_MS);
    await until(() => store.flushedOffset === store.maxPhysicalOffset);
    setWallClock(t, 0);
    const stamps = [await stampOf(store, 1), await stampOf(store, 2)];
    await store.close();
    const checkpoint = StoreCheckpointFile.read(createStorage({ kind: "real" }), join(storePathRootDir, "checkpoint"));
    t.true(
      (checkpoint?.physicMsgTimestamp ?? Infinity) <= Date.now() && (checkpoint?.logicsMsgTimestamp ?? Infinity) <= Date.now(),
    );
    const again = await openStore(t, { ...INTERVALS, storePathRootDir });
    stamps.push(await stampOf(again, 3));
    t.true(stamps.every((stamp) => stamp >= began && stamp <= Date.now()));
    await dispatchedAll(again);
    const found = again.queryMessage({ topic: "TopicA", key: "K", begin: began, end: Date.now() });
    t.deepEqual(
      found.messages.map(({ queueOffset }) => queueOffset),
      [1, 2, 3],
    );
    const ahead = again.queryMessage({ topic: "TopicA", key: "K", begin: began + YEAR_MS });
    t.deepEqual(
      ahead.messages.map(({ queueOffset }) => queueOffset),
      [0],
    );
    const from = again.getOffsetInQueueByTime("TopicA", 0, began);
    t.true(from <= 1, "nothing that was put since then is passed over");
    t.is(again.getOffsetInQueueByTime("TopicA", 0, Date.now() + 1, "upper"), 3);
  },
);

test.serial(
  "undecided messages that were prepared with the clock a year ahead hide no others, and are listed with them",
  async (t) => {
    const store = await openStore(t);
    setWallClock(t, YEAR_MS);
    await store.prepareMessage(numbered(0));
    setWallClock(t, -HOUR_MS);
    await store.prepareMessage(numbered(1));
    setWallClock(t, 0);
    await store.prepareMessage(numbered(2));
    await dispatchedAll(store);
    const numbersOf = async (olderThanMs?: number, limit = Infinity): Promise<number[]> => {
      const numbers: number[] = [];
      for await (const { message } of store.undecidedMessages({ ...(olderThanMs !== undefined && { olderThanMs }), limit }))
        numbers.push(numberOf(message.body));
      return numbers;
    };
    t.deepEqual(await numbersOf(), [0, 1, 2]);
    t.deepEqual(await numbersOf(HOUR_MS / 2), [0, 1]);
    t.deepEqual(await numbersOf(HOUR_MS / 2, 1), [0]);
    t.deepEqual(await numbersOf(2 * HOUR_MS), []);
  },
);

test.serial("a message that was delayed with the clock a year ahead comes after its level's time, over short lives", async (t) => {
  const options = { ...INTERVALS, messageDelayLevel: "4s" };
  const first = await openStore(t, options);
  const { storePathRootDir } = first.config;
  setWallClock(t, YEAR_MS);
  const began = performance.now();
  await first.putMessage(numbered(7, 16, { delayTimeLevel: 1 }));
  setWallClock(t, 0);
  await dispatchedAll(first);
  await setTimeout(1000);
  await first.close();
  let delivered: number[] = [];
  for (let life = 0; life < 8 && delivered.length === 0; life++) {
    const store = await openStore(t, { ...options, storePathRootDir });
    await setTimeout(1500); // less than the delay
    delivered = messagesOf(store).map(({ body }) => numberOf(body));
    await store.close();
  }
  t.deepEqual(delivered, [7]);
  t.true(performance.now() - began >= 4000);
});
