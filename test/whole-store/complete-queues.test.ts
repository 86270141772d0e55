import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { StoreCheckpoint } from "@millrace/format";
import type { Fault } from "@millrace/mapped-file";
import { createStorage } from "@millrace/mapped-file";
import type { Message, MessageStoreOptions } from "@millrace/store";
import test from "ava";
import { readDispatchedMark } from "#store/marks/dispatched-mark.js";
import { StoreCheckpointFile } from "#store/marks/store-checkpoint.js";
import { chosenSeed, type Random, seededRandom } from "../support/random.js";
import { assertQueuesComplete, storedQueueNames } from "../support/stored-queues.js";
import { memoryDirectory } from "../support/temporary-directory.js";
import { message, numbered, openStore } from "../support/temporary-store.js";
import { dispatchedAll } from "../support/until.js";

const SMALL = { mappedFileSizeConsumeQueue: 2000, messageIndexEnable: false };
const TAGS = ["TagA", "TagB || TagC", "ключ", "😀"];

/** Of every kind: with and without tags, transactions, hosts of both lengths, sizes up to a tenth of a segment. */
function anyMessage(random: Random): Message {
  const tags = TAGS[random(TAGS.length * 2)];
  return message({
    topic: `Topic${random(3)}`,
    queueId: random(3),
    body: new Uint8Array(random(random(10) === 0 ? 6000 : 300)),
    sysFlag: random(3) === 0 ? 4 * random(4) : 0,
    ...(random(3) === 0 && { bornHost: { address: "2001:db8::1", port: 1 } }),
    ...(random(3) === 0 && { storeHost: { address: "::1", port: 1 } }),
    ...(tags !== undefined && { tags }),
  });
}

const modes: Record<string, MessageStoreOptions> = {
  ASYNC_FLUSH: {},
  SYNC_FLUSH: { flushDiskType: "SYNC_FLUSH" },
  transientStorePoolEnable: { transientStorePoolEnable: true, commitIntervalCommitLog: 5 },
};

for (const [mode, options] of Object.entries(modes)) {
  test.serial(
    `${mode}: every message that can be consumed has its unit, whatever was put, over segments and restarts`,
    async (t) => {
      const seed = chosenSeed();
      t.log(`seed=${seed}`);
      const random = seededRandom(seed);
      const root = memoryDirectory(t);
      for (let life = 0; life < 2; life++) {
        const store = await openStore(t, { ...SMALL, ...options, storePathRootDir: root });
        const puts = Array.from({ length: 600 }, () => {
          const one = anyMessage(random);
          if (random(4) !== 0 || (one.sysFlag ?? 0) !== 0) return store.putMessage(one);
          const { bornHost, storeHost, ...common } = one;
          return store.putMessages(Array.from({ length: 1 + random(9) }, () => ({ ...common, body: new Uint8Array(random(300)) })));
        });
        for (const { status } of await Promise.all(puts)) t.is(status, "PUT_OK");
        if (life === 0) {
          await store.flush();
          await dispatchedAll(store);
          assertQueuesComplete(t, root);
        }
        await store.close();
        assertQueuesComplete(t, root);
      }
    },
  );
}

test.serial("close dispatches what is behind, and the mark says so", async (t) => {
  const slow: Fault = { operation: "write", path: "consumequeue", after: 0, delayMs: 10 };
  const store = await openStore(t, { ...SMALL, storePathRootDir: memoryDirectory(t), mappedFileSizeConsumeQueue: 200_000 }, [slow]);
  const puts = Array.from({ length: 3000 }, (_, n) => store.putMessage(numbered(n, 400, { queueId: n % 20 })));
  await Promise.all(puts);
  t.true(store.dispatchBehindBytes > 0, "dispatching is behind when the store is closed");
  const end = store.maxPhysicalOffset;
  await store.close();
  t.is(store.dispatchBehindBytes, 0);
  const root = store.config.storePathRootDir;
  assertQueuesComplete(t, root);
  t.is(readDispatchedMark(createStorage({ kind: "real" }), join(root, "millrace.dispatched"))?.dispatchedOffset, end);
});

test.serial(
  "after a close the checkpoint has the time of the last message, in the log and in the queues, and the next store keeps it",
  async (t) => {
    const store = await openStore(t, { ...SMALL, storePathRootDir: memoryDirectory(t) });
    let storeTimestamp = 0;
    for (let n = 0; n < 3; n++) storeTimestamp = (await store.putMessage(numbered(n))).appendResult?.storeTimestamp ?? -1;
    const root = store.config.storePathRootDir;
    const checkpoint = (): StoreCheckpoint | undefined =>
      StoreCheckpointFile.read(createStorage({ kind: "real" }), join(root, "checkpoint"));
    await store.close();
    const written = checkpoint();
    t.like(written, { physicMsgTimestamp: storeTimestamp, logicsMsgTimestamp: storeTimestamp });
    const again = await openStore(t, { ...SMALL, storePathRootDir: root });
    await again.close();
    t.deepEqual(checkpoint(), written);
  },
);

test.serial("thousands of queues are written with a bounded number of open files", async (t) => {
  const queues = 2000;
  const store = await openStore(t, {
    ...SMALL,
    storePathRootDir: memoryDirectory(t),
    mappedFileSizeConsumeQueue: 200,
    mappedFileSizeCommitLog: 1 << 20,
  });
  const before = readdirSync("/proc/self/fd").length;
  for (let round = 0; round < 2; round++) {
    await Promise.all(
      Array.from({ length: queues }, (_, n) =>
        store.putMessage(numbered(n, 16, { topic: `Topic${n % 10}`, queueId: Math.floor(n / 10) })),
      ),
    );
    await dispatchedAll(store);
    const open = readdirSync("/proc/self/fd").length - before;
    t.true(open <= 1024 + 50, `open=${open}`);
  }
  await store.close();
  t.is(storedQueueNames(store.config.storePathRootDir).length, queues);
  assertQueuesComplete(t, store.config.storePathRootDir);
  t.true(readdirSync("/proc/self/fd").length < before, "all are closed");
});
