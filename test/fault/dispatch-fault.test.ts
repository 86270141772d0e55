import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Fault } from "@millrace/mapped-file";
import { createStorage } from "@millrace/mapped-file";
import type { MessageStore } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { readDispatchedMark } from "#store/marks/dispatched-mark.js";
import { assertQueuesComplete } from "../support/stored-queues.js";
import { memoryDirectory } from "../support/temporary-directory.js";
import { numbered, openStore, outcomes } from "../support/temporary-store.js";
import { dispatchedAll, until } from "../support/until.js";

const SMALL = { mappedFileSizeConsumeQueue: 200, messageIndexEnable: false };
const FAULTED = { code: "ERR_STORE_FAULTED", outcome: "unknown" };

function open(t: ExecutionContext, storePathRootDir: string, fault?: Fault): Promise<MessageStore> {
  return openStore(t, { ...SMALL, storePathRootDir }, fault === undefined ? [] : [fault]);
}

async function put(store: MessageStore, count: number): Promise<void> {
  const puts = Array.from({ length: count }, (_, n) => store.putMessage(numbered(n, 100, { queueId: n % 5 })));
  for (const { status } of await Promise.all(puts)) if (status !== "PUT_OK") throw new Error(status);
}

const failures: Record<string, Omit<Fault, "path">> = {
  "no space for a write": { operation: "write", after: 3, times: 2, code: "ENOSPC", partialBytes: 30 },
  "an I/O error in a write": { operation: "write", after: 7, times: 2, code: "EIO" },
  "no space for a new file": { operation: "truncate", after: 2, times: 2, code: "ENOSPC" },
  "too many open files": { operation: "open", after: 4, times: 2, code: "EMFILE" },
};

// Not serial: they wait for the dispatcher's retries.
for (const [what, fault] of Object.entries(failures)) {
  test(`${what} of a ConsumeQueue: puts go on, dispatching resumes, and nothing is lost`, async (t) => {
    const store = await open(t, memoryDirectory(t), { ...fault, path: "consumequeue" });
    const failed = until(() => store.stats().dispatch.failures > 0);
    await put(store, 100);
    await failed;
    await put(store, 100);
    t.is(store.stats().state, "running");
    await dispatchedAll(store);
    t.is(store.stats().dispatch.failures, 0);
    assertQueuesComplete(t, store.config.storePathRootDir);
    await put(store, 10);
    await store.close();
    assertQueuesComplete(t, store.config.storePathRootDir);
  });
}

test("a disk that stays full for the ConsumeQueues: closing keeps the abort file, and the next store has everything", async (t) => {
  const root = memoryDirectory(t);
  const full: Fault = { operation: "write", path: "consumequeue", after: 2, code: "ENOSPC" };
  for (let life = 0; life < 2; life++) {
    const store = await open(t, root, full);
    await put(store, 100);
    await until(() => store.stats().dispatch.failures > 0);
    t.true(store.dispatchBehindBytes > 0);
    const began = performance.now();
    await store.close();
    t.true(performance.now() - began < 25_000, "before a thread is given up");
    t.true(existsSync(join(root, "abort")));
  }
  const store = await open(t, root);
  t.is(store.dispatchBehindBytes, 0);
  t.is(store.recovery.messages, 200);
  assertQueuesComplete(t, root);
});

test("a ConsumeQueue whose force failed ends the store; the mark does not tell of it, and the next store has everything", async (t) => {
  const root = memoryDirectory(t);
  const failing: Fault = { operation: "force", path: "consumequeue", after: 2, times: 1, code: "EIO" };
  const store = await openStore(
    t,
    { ...SMALL, storePathRootDir: root, flushIntervalConsumeQueue: 1, flushConsumeQueueThoroughInterval: 1 },
    [failing],
  );
  const settled: unknown[] = [];
  while (store.stats().state === "running") {
    settled.push(...(await outcomes([store.putMessage(numbered(settled.length, 16, { queueId: settled.length % 5 }))])));
  }
  t.is(store.stats().state, "faulted");
  t.deepEqual(await outcomes([store.putMessage(numbered(0))]), [FAULTED]);
  await t.throwsAsync(store.close(), { code: "ERR_STORE_FAULTED", message: /service=dispatch code=EIO/ });
  const mark = readDispatchedMark(createStorage({ kind: "real" }), join(root, "millrace.dispatched"))?.dispatchedOffset ?? 0;
  t.true(mark < store.stats().dispatch.reputFromOffset, `mark=${mark}`);
  const again = await open(t, root);
  assertQueuesComplete(t, root);
  await again.close();
});

test("a mark that the disk refuses is not the end: the one before stays, and the next store has everything", async (t) => {
  const root = memoryDirectory(t);
  const full: Fault = { operation: "write", path: "millrace.dispatched", after: 1, code: "ENOSPC" }; // not the first one, which is needed
  const store = await open(t, root, full);
  await put(store, 100);
  await dispatchedAll(store);
  await store.close();
  t.is(readDispatchedMark(createStorage({ kind: "real" }), join(root, "millrace.dispatched"))?.dispatchedOffset, 0);
  const again = await open(t, root);
  await again.close();
  assertQueuesComplete(t, root);
});
