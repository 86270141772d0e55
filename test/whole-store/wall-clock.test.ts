import type { MessageStoreOptions } from "@millrace/store";
import test from "ava";
import { setWallClock } from "../support/settable-wall-clock.js";
import { KIB, numbered, openStore, outcomes, SEGMENT_SIZE } from "../support/temporary-store.js";
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
