import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Fault } from "@millrace/mapped-file";
import { createStorage } from "@millrace/mapped-file";
import { MessageStore, type MessageStoreOptions, type PutMessageResult } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { readFlushedWatermark } from "#store/marks/flushed-watermark.js";
import { readStoreFence } from "#store/marks/store-fence.js";
import { PATIENCE } from "../support/patience.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { KIB, numbered, openStore, outcomes } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const FENCED = { code: "ERR_STORE_FENCED", outcome: "unknown" };

/**
 * A force of a segment fails, once: the kernel reports an error once, and the next force would "succeed". Each thread that forces counts
 * for itself.
 */
function failingForce(after: number): Fault {
  return { operation: "force", path: "commitlog", after, times: 1, code: "EIO" };
}

function endOf({ appendResult }: PutMessageResult): number {
  return (appendResult?.wroteOffset ?? 0) + (appendResult?.wroteBytes ?? 0);
}

const modes: Record<string, MessageStoreOptions> = {
  mapped: {},
  writeWithoutMmap: { writeWithoutMmap: true },
};

for (const [mode, options] of Object.entries(modes)) {
  test.serial(`ASYNC_FLUSH, ${mode}: a failed force fences the store, and is not tried again`, async (t) => {
    const store = await openStore(t, { ...options, flushIntervalCommitLog: 60_000 }, [failingForce(0)]);
    const root = store.config.storePathRootDir;
    t.is((await store.putMessage(numbered(1))).status, "PUT_OK");
    const error = await t.throwsAsync(store.flush(), { code: "ERR_STORE_FENCED" });
    t.regex(error?.message ?? "", /EIO/);
    t.is(store.flushedOffset, 0);
    t.deepEqual(await outcomes([store.putMessage(numbered(2)), store.putMessages([numbered(3)])]), [FENCED, FENCED]);
    await t.throwsAsync(store.flush(), { code: "ERR_STORE_FENCED" });
    t.is(store.stats().state, "fenced");
    await until(() => store.stats().flush.failures === 1); // main hears of it before the flusher has counted it
    await t.throwsAsync(store.close(), { code: "ERR_STORE_FENCED" });
    t.is(store.flushedOffset, 0, "closing did not force again");
    t.is(readFlushedWatermark(createStorage({ kind: "real" }), join(root, "millrace.watermark"))?.flushedOffset ?? 0, 0);
    t.true(existsSync(join(root, "abort")));
  });

  for (const group of [1, 20, 300]) {
    test.serial(
      `SYNC_FLUSH, ${mode}, ${group} at a time: a failed force rejects all that wait for it, and nobody is told PUT_OK`,
      async (t) => {
        const segments = { mappedFileSizeCommitLog: 1024 * KIB }; // few, so that the allocator forces seldom
        const store = await openStore(t, { ...options, ...segments, flushDiskType: "SYNC_FLUSH" }, [failingForce(8)]);
        let settled: Awaited<ReturnType<typeof outcomes<PutMessageResult>>> = [];
        let durable = 0;
        let took = 0;
        for (let round = 0; round < 40 && !settled.some((outcome) => "outcome" in outcome); round++) {
          const began = performance.now();
          settled = await outcomes(Array.from({ length: group }, (_, n) => store.putMessage(numbered(n))));
          took = performance.now() - began;
          for (const outcome of settled) if ("status" in outcome) durable = endOf(outcome);
        }
        const rejected = settled.slice(settled.findIndex((outcome) => "outcome" in outcome));
        t.true(rejected.length > 0 && durable > 0);
        t.deepEqual(rejected, Array(rejected.length).fill(FENCED));
        t.true(took < PATIENCE.syncFlushTimeout / 2, `before they are given up: ms=${took}`);
        t.deepEqual(await outcomes([store.putMessage(numbered(0))]), [FENCED]);
        await t.throwsAsync(store.close(), { code: "ERR_STORE_FENCED" });
        t.is(store.flushedOffset, durable);
        const fence = join(store.config.storePathRootDir, "millrace.fence");
        t.is(readStoreFence(createStorage({ kind: "real" }), fence)?.offset, durable, "nothing was acknowledged before its force");
      },
    );
  }
}

/** Of the appender's forces the fourth is slow, and fails; each thread counts for itself. */
const SLOW_FAILURE: Fault = { operation: "force", path: "commitlog/0", after: 3, times: 1, delayMs: 3000, code: "EIO" };
const IMPATIENT: MessageStoreOptions = {
  flushDiskType: "SYNC_FLUSH",
  syncFlushTimeout: 100,
  mappedFileSizeCommitLog: 1024 * KIB, // few, so that the allocator forces seldom
};

/** A store whose next put is answered before its force fails: those before are durable, so that the appender forces each itself. */
async function storeBeforeFailure(t: ExecutionContext): Promise<MessageStore> {
  const store = await openStore(t, IMPATIENT, [SLOW_FAILURE]);
  for (let n = 0; n < 3; n++) {
    await store.putMessage(numbered(n));
    await store.flush();
  }
  return store;
}

test.serial(
  "SYNC_FLUSH: a flush that a close overtakes does not resolve before all that was acknowledged is durable",
  async (t) => {
    const store = await storeBeforeFailure(t);
    t.is((await store.putMessage(numbered(3))).status, "FLUSH_DISK_TIMEOUT");
    const closed = [store.flush(), store.close()].map((settled) => settled.then(() => undefined));
    t.deepEqual(await outcomes(closed), [FENCED, FENCED]);
    t.true(store.flushedOffset < store.maxPhysicalOffset);
  },
);

test.serial("SYNC_FLUSH: a stream that a close overtakes does not finish when what was written to it was not forced", async (t) => {
  const store = await storeBeforeFailure(t);
  const stream = store.writable({ highWaterMark: 1 });
  const failed = once(stream, "finish").catch((error: unknown) => error);
  await new Promise((answered) => stream.write(numbered(3), answered));
  stream.end();
  await setImmediate(); // it has asked for a flush
  const closed = store.close();
  t.like(await failed, FENCED);
  await t.throwsAsync(closed, { code: "ERR_STORE_FENCED" });
});

test.serial("SYNC_FLUSH: a force that fails in the allocator fences too: it is the file that is appended to", async (t) => {
  const store = await openStore(t, { flushDiskType: "SYNC_FLUSH" }, [failingForce(0)]);
  const outcome = (await outcomes([store.putMessage(numbered(1))]))[0];
  t.deepEqual(outcome, FENCED);
  await t.throwsAsync(store.close(), { code: "ERR_STORE_FENCED" });
  t.true(existsSync(join(store.config.storePathRootDir, "millrace.fence")));
});

test.serial("a fence survives reopening until an operator clears it", async (t) => {
  const root = temporaryDirectory(t);
  const first = await openStore(t, { storePathRootDir: root }, [failingForce(0)]);
  await first.putMessage(numbered(1));
  await t.throwsAsync(first.flush(), { code: "ERR_STORE_FENCED" });
  t.throws(() => MessageStore.clearFence(root), { code: "ERR_STORE_LOCKED" });
  await t.throwsAsync(first.close(), { code: "ERR_STORE_FENCED" });

  const second = await openStore(t, { storePathRootDir: root });
  t.is(second.stats().state, "fenced");
  t.deepEqual(await outcomes([second.putMessage(numbered(2))]), [FENCED]);
  const message = new RegExp(`"millrace unfence ${root}" .*: flushedOffset=\\d+ reason=`);
  await t.throwsAsync(second.flush(), { code: "ERR_STORE_FENCED", message });
  await t.notThrowsAsync(second.close(), "nothing went wrong in this life of the store");

  MessageStore.clearFence(root);
  const third = await openStore(t, { storePathRootDir: root });
  t.is((await third.putMessage(numbered(3))).status, "PUT_OK");
  t.is(await third.flush(), third.maxPhysicalOffset);
  await t.notThrowsAsync(third.close());
});

test.serial("a force that fails while closing is told", async (t) => {
  const store = await openStore(t, { flushIntervalCommitLog: 60_000 }, [failingForce(0)]);
  await store.putMessage(numbered(1));
  await t.throwsAsync(store.close(), { code: "ERR_STORE_FENCED" });
  t.true(existsSync(join(store.config.storePathRootDir, "millrace.fence")));
  t.true(existsSync(join(store.config.storePathRootDir, "abort")));
});

test.serial("a fence marker that the disk refuses fences the store all the same", async (t) => {
  const faults: Fault[] = [failingForce(0), { operation: "open", path: "millrace.fence", after: 0, code: "EROFS" }];
  const store = await openStore(t, { flushIntervalCommitLog: 60_000 }, faults);
  await store.putMessage(numbered(1));
  await t.throwsAsync(store.flush(), { code: "ERR_STORE_FENCED" });
  t.deepEqual(await outcomes([store.putMessage(numbered(2))]), [FENCED]);
});

test.serial(
  "a marker that no other place takes goes into the watermark file, and fences the next life until it is lifted",
  async (t) => {
    const root = temporaryDirectory(t);
    const refused: Fault = { operation: "open", path: "millrace.fence", after: 0, code: "EROFS" };
    const first = await openStore(t, { storePathRootDir: root, flushIntervalCommitLog: 60_000 }, [failingForce(0), refused]);
    await first.putMessage(numbered(1));
    await t.throwsAsync(first.flush(), { code: "ERR_STORE_FENCED" });
    await t.throwsAsync(first.close(), { code: "ERR_STORE_FENCED" });
    t.false(existsSync(join(root, "millrace.fence")));

    const second = await openStore(t, { storePathRootDir: root });
    t.deepEqual(await outcomes([second.putMessage(numbered(2))]), [FENCED]);
    t.true(existsSync(join(root, "millrace.fence")));
    await second.close();
    MessageStore.clearFence(root);
    const third = await openStore(t, { storePathRootDir: root });
    t.is((await third.putMessage(numbered(3))).status, "PUT_OK");
  },
);
