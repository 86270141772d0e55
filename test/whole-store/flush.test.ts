import type { Fault } from "@millrace/mapped-file";
import type { MessageStoreOptions } from "@millrace/store";
import test from "ava";
import { readLog } from "../support/stored-log.js";
import { message, numbered, openStore } from "../support/temporary-store.js";
import { stays, until } from "../support/until.js";

/** For longer than a busy machine keeps main from a core: what is answered while a force is under way is looked at before its end. */
const SLOW_MS = 1500;
/** Whoever forces. */
const SLOW_FORCES: Fault = { operation: "force", path: "commitlog", after: 0, delayMs: SLOW_MS };
const NO_TIMER: MessageStoreOptions = { flushIntervalCommitLog: 60_000, flushCommitLogThoroughInterval: 60_000 };

for (const writeWithoutMmap of [false, true]) {
  test.serial(`SYNC_FLUSH: an acknowledged put is below flushedOffset (writeWithoutMmap=${writeWithoutMmap})`, async (t) => {
    const store = await openStore(t, { flushDiskType: "SYNC_FLUSH", writeWithoutMmap });
    let unforced = 0;
    const put = async (n: number): Promise<void> => {
      const { appendResult } = await store.putMessage(numbered(n, 10 + (n % 700)));
      if (store.flushedOffset < (appendResult?.wroteOffset ?? 0) + (appendResult?.wroteBytes ?? 0)) unforced++;
    };
    for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 50 }, (_, n) => put(n)));
    t.is(unforced, 0);
    const { forces, bytes } = store.stats().flush;
    t.true(forces >= 20 && forces < 1000, "one force covers many puts");
    t.is(bytes, store.maxPhysicalOffset);
  });
}

test.serial("SYNC_FLUSH: a put that is not forced in time is answered FLUSH_DISK_TIMEOUT, and is in the log", async (t) => {
  const store = await openStore(t, { flushDiskType: "SYNC_FLUSH", syncFlushTimeout: 100 }, [SLOW_FORCES]);
  await store.putMessage(numbered(0));
  await store.flush();
  const began = performance.now();
  const { status, appendResult } = await store.putMessage(numbered(1));
  const took = performance.now() - began;
  t.true(store.flushedOffset <= (appendResult?.wroteOffset ?? 0), "answered before the force has ended");
  t.is(status, "FLUSH_DISK_TIMEOUT");
  t.true(took >= 100, `took ms=${took}`);
  t.is(appendResult?.queueOffset, 1);
  await store.close();
  t.is(store.flushedOffset, store.maxPhysicalOffset);
  t.is(readLog(store.config.storePathRootDir).messages.length, 2);
});

test.serial("SYNC_FLUSH: a flush that a close overtakes resolves when the late force has ended", async (t) => {
  const store = await openStore(t, { flushDiskType: "SYNC_FLUSH", syncFlushTimeout: 100 }, [SLOW_FORCES]);
  const { status } = await store.putMessage(numbered(0));
  t.is(status, "FLUSH_DISK_TIMEOUT");
  const acknowledged = store.maxPhysicalOffset;
  const [flushed] = await Promise.all([store.flush(), store.close()]);
  t.is(flushed, acknowledged);
  t.is(store.flushedOffset, acknowledged);
});

test.serial("SYNC_FLUSH: waitStoreMsgOK false is acknowledged without waiting for the force that it causes", async (t) => {
  const store = await openStore(t, { flushDiskType: "SYNC_FLUSH" }, [SLOW_FORCES]);
  await store.putMessage(numbered(0));
  await store.flush();
  const began = performance.now();
  const { appendResult } = await store.putMessage(message({ waitStoreMsgOK: false }));
  const end = (appendResult?.wroteOffset ?? 0) + (appendResult?.wroteBytes ?? 0);
  t.true(store.flushedOffset < end);
  const waiting = await store.putMessage(message({ waitStoreMsgOK: true }));
  t.is(waiting.status, "PUT_OK");
  t.true(performance.now() - began > SLOW_MS - 100);
  t.true(store.flushedOffset > end);
});

for (const [mode, options] of Object.entries<MessageStoreOptions>({
  SYNC_FLUSH: { flushDiskType: "SYNC_FLUSH" },
  ASYNC_FLUSH: NO_TIMER,
  transientStorePoolEnable: { ...NO_TIMER, transientStorePoolEnable: true, commitIntervalCommitLog: 60_000 },
})) {
  test.serial(`flush() makes durable all that was acknowledged: ${mode}`, async (t) => {
    const store = await openStore(t, options);
    const results = await Promise.all(Array.from({ length: 100 }, (_, n) => store.putMessage(numbered(n, 1000))));
    const last = results[99]?.appendResult;
    const flushed = await store.flush();
    t.is(flushed, (last?.wroteOffset ?? 0) + (last?.wroteBytes ?? 0));
    t.is(store.flushedOffset, flushed);
    t.is(await store.flush(), flushed);
    t.is(readLog(store.config.storePathRootDir).messages.length, 100);
  });
}

test.serial("ASYNC_FLUSH: nothing is forced before the interval, and everything after it", async (t) => {
  const idle = await openStore(t, NO_TIMER);
  await idle.putMessage(numbered(0));
  t.true(await stays(() => idle.flushedOffset === 0, 300));
  const store = await openStore(t, { ...NO_TIMER, flushIntervalCommitLog: 300 });
  await store.putMessage(numbered(0));
  await t.notThrowsAsync(until(() => store.flushedOffset === store.maxPhysicalOffset));
});

test.serial("ASYNC_FLUSH: by default, one small message is durable after the interval", async (t) => {
  const store = await openStore(t, { flushCommitLogThoroughInterval: 60_000 });
  await store.flush();
  for (let n = 0; n < 3; n++) {
    const began = performance.now();
    const { appendResult } = await store.putMessage(numbered(n));
    await until(() => store.flushedOffset >= (appendResult?.wroteOffset ?? 0) + (appendResult?.wroteBytes ?? 0));
    t.true(performance.now() - began < 5000);
  }
});

test.serial(
  "ASYNC_FLUSH: with flushCommitLogLeastPages a small message waits for company, or for the thorough interval",
  async (t) => {
    const intervals = { flushIntervalCommitLog: 20, flushCommitLogThoroughInterval: 60_000 };
    const store = await openStore(t, { ...intervals, flushCommitLogLeastPages: 4 });
    await store.putMessage(numbered(0));
    t.true(await stays(() => store.flushedOffset === 0, 300));
    await store.putMessage(numbered(1, 4 * 4096));
    await until(() => store.flushedOffset === store.maxPhysicalOffset);
  },
);
