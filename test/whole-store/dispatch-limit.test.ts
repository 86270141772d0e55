import { join } from "node:path";
import type { Fault } from "@millrace/mapped-file";
import { createStorage } from "@millrace/mapped-file";
import type { MessageStore } from "@millrace/store";
import test from "ava";
import { readStoreFence } from "#store/marks/store-fence.js";
import { readUnits } from "../support/stored-queues.js";
import { memoryDirectory } from "../support/temporary-directory.js";
import { KIB, numbered, openStore, outcomes } from "../support/temporary-store.js";
import { dispatchedAll, stays, until } from "../support/until.js";

const LARGE = { mappedFileSizeCommitLog: 1024 * KIB, messageIndexEnable: false };
const NEVER = { flushIntervalCommitLog: 60_000, commitIntervalCommitLog: 60_000 };

function reputFromOffset(store: MessageStore): number {
  return store.stats().dispatch.reputFromOffset;
}

async function putTen(store: MessageStore, waitStoreMsgOK = true): Promise<void> {
  for (const { status } of await Promise.all(
    Array.from({ length: 10 }, (_, n) => store.putMessage(numbered(n, 16, { waitStoreMsgOK }))),
  ))
    if (status !== "PUT_OK") throw new Error(status);
}

test.serial("ASYNC_FLUSH: what is appended is dispatched, forced or not", async (t) => {
  const store = await openStore(t, { ...LARGE, storePathRootDir: memoryDirectory(t), ...NEVER });
  await putTen(store);
  await dispatchedAll(store);
  t.is(store.flushedOffset, 0);
  t.true(store.maxPhysicalOffset > 0);
  t.is(reputFromOffset(store), store.maxPhysicalOffset);
  t.is(store.stats().dispatch.messages, 10);
  t.is(readUnits(store.config.storePathRootDir, "TopicA", 0).size, 10, "readable before it is durable");
});

test.serial(
  "SYNC_FLUSH: what is appended is not dispatched while its force hangs, and at once when it has succeeded",
  async (t) => {
    // Of the allocator's forces the first one hangs too: that is before anything is put.
    const hanging: Fault = { operation: "force", path: "commitlog", after: 0, times: 1, delayMs: 1500 };
    const store = await openStore(t, { ...LARGE, storePathRootDir: memoryDirectory(t), flushDiskType: "SYNC_FLUSH" }, [hanging]);
    await putTen(store, false);
    let looks = 0;
    let ahead = 0;
    await until(() => {
      if (store.maxPhysicalOffset > 0 && store.flushedOffset === 0) looks++;
      if (reputFromOffset(store) > store.flushedOffset) ahead++;
      return store.flushedOffset === store.maxPhysicalOffset;
    });
    t.true(looks > 3, `looks=${looks}`);
    t.is(ahead, 0);
    await dispatchedAll(store);
    await putTen(store);
    await dispatchedAll(store);
    t.is(readUnits(store.config.storePathRootDir, "TopicA", 0).size, 20);
  },
);

test.serial("SYNC_FLUSH: what a failed force may have lost is never dispatched", async (t) => {
  const failing: Fault = { operation: "force", path: "commitlog", after: 3, times: 1, code: "EIO" };
  const store = await openStore(t, { ...LARGE, storePathRootDir: memoryDirectory(t), flushDiskType: "SYNC_FLUSH" }, [failing]);
  const settled: Awaited<ReturnType<typeof outcomes>> = [];
  for (let n = 0; n < 40; n++) settled.push(...(await outcomes([store.putMessage(numbered(n)), store.putMessage(numbered(n))])));
  t.is(store.stats().state, "fenced");
  const durable = store.flushedOffset;
  await until(() => reputFromOffset(store) === durable);
  t.true(await stays(() => reputFromOffset(store) === durable));
  await t.throwsAsync(store.close(), { code: "ERR_STORE_FENCED" });
  const root = store.config.storePathRootDir;
  t.is(readStoreFence(createStorage({ kind: "real" }), join(root, "millrace.fence"))?.offset, durable);
  const units = [...readUnits(root, "TopicA", 0).values()];
  t.is(units.length, settled.filter((outcome) => !("outcome" in (outcome as object))).length);
  t.true(units.every(({ physicalOffset, size }) => physicalOffset + size <= durable));
});

test.serial("transientStorePoolEnable: what is committed is dispatched, and nothing before", async (t) => {
  const store = await openStore(t, {
    ...LARGE,
    storePathRootDir: memoryDirectory(t),
    ...NEVER,
    commitCommitLogThoroughInterval: 60_000,
    transientStorePoolEnable: true,
  });
  await putTen(store);
  const { committedOffset, wroteOffset } = store.stats().offsets;
  t.deepEqual({ committedOffset, isWritten: wroteOffset > 0 }, { committedOffset: 0, isWritten: true });
  t.true(await stays(() => reputFromOffset(store) === 0));
  await store.flush();
  await dispatchedAll(store);
  t.is(reputFromOffset(store), store.stats().offsets.committedOffset);
  t.is(readUnits(store.config.storePathRootDir, "TopicA", 0).size, 10);
});
