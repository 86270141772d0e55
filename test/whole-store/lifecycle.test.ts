import { execFile, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { createStorage } from "@millrace/mapped-file";
import type { MessageStore, MessageStoreOptions } from "@millrace/store";
import test from "ava";
import { readDispatchedMark } from "#store/marks/dispatched-mark.js";
import { bundledStore } from "../support/bundled-store.js";
import { contents, readLog } from "../support/stored-log.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { message, numbered, openStore, outcomes, SEGMENT_SIZE } from "../support/temporary-store.js";
import { testIf } from "../support/test-if.js";
import { dispatchedAll, stays, until } from "../support/until.js";

const MIB = 1024 * 1024;
const STORAGE = createStorage({ kind: "real" });
const OPENER = join(import.meta.dirname, "store-opener.js");

test.serial("the abort file is there while the store is open, and gone after a close", async (t) => {
  const store = await openStore(t);
  const abort = join(store.config.storePathRootDir, "abort");
  t.is(readFileSync(abort, "utf8"), String(process.pid));
  t.true(store.recovery.lastExitOk);
  await store.close();
  t.false(existsSync(abort));
  t.true(existsSync(join(store.config.storePathRootDir, "checkpoint")));
});

test.serial("close settles what is in flight, forces it, and can be called again", async (t) => {
  const store = await openStore(t);
  const puts = Array.from({ length: 500 }, (_, n) => store.putMessage(numbered(n)));
  const closing = store.close();
  t.is(store.close(), closing);
  t.true((await Promise.all(puts)).every(({ status }) => status === "PUT_OK"));
  await closing;
  await store.close();
  t.is(store.flushedOffset, store.maxPhysicalOffset);
  t.is(readLog(store.config.storePathRootDir).messages.length, 500);
  t.is(store.stats().state, "closed");
});

test.serial("after close every call is refused, from the moment of the close on", async (t) => {
  const store = await openStore(t);
  const closing = store.close();
  const calls: (() => Promise<unknown>)[] = [
    () => store.putMessage(message()),
    () => store.putMessages([message()]),
    () => store.prepareMessage(message()),
    () => store.undecidedMessages().next(),
    () => store.flush(),
    () => store.deleteExpiredFiles(),
    () => store.deleteTopic("TopicA"),
    () => store.cleanUnusedTopics([]),
    () => store.cleanExpiredConsumerQueue(),
    () => store.checkSelf(),
  ];
  for (let round = 0; round < 2; round++) {
    for (const call of calls) await t.throwsAsync(call, { code: "ERR_STORE_CLOSED" }, String(call));
    t.throws(() => store.onMessageArriving(() => {}), { code: "ERR_STORE_CLOSED" });
    t.throws(() => store.consume({ topic: "TopicA", queueId: 0, from: 0 }), { code: "ERR_STORE_CLOSED" });
    await closing;
  }
  t.deepEqual(await outcomes([store.putMessage(message())]), [{ code: "ERR_STORE_CLOSED", outcome: "none" }]);
  t.is(store.maxPhysicalOffset, 0);
});

/**
 * Until the allocator has made ready all that it will, and what was dispatched is durable: then nothing of the directory changes by
 * itself.
 */
async function settled(store: MessageStore): Promise<void> {
  const allocated = (): number => store.stats().offsets.allocatedOffset;
  const { storePathRootDir } = store.config;
  const marked = (): number => readDispatchedMark(STORAGE, join(storePathRootDir, "millrace.dispatched"))?.dispatchedOffset ?? 0;
  await until(() => allocated() >= 2 * SEGMENT_SIZE && marked() === store.maxPhysicalOffset);
  // One more where the first put came before the first bytes.
  for (let seen = allocated(); !(await stays(() => allocated() === seen)); seen = allocated());
}

test.serial("a second opener in this thread is refused, and touches nothing", async (t) => {
  const store = await openStore(t);
  await store.putMessage(numbered(1));
  await store.flush();
  const root = store.config.storePathRootDir;
  await settled(store);
  const before = contents(root);
  await t.throwsAsync(openStore(t, { storePathRootDir: root }), {
    code: "ERR_STORE_LOCKED",
    message: new RegExp(`pid=${process.pid} path=.*lock$`),
  });
  t.deepEqual(contents(root), before);
  t.is((await store.putMessage(numbered(2))).status, "PUT_OK");
  await store.close();
  const second = await openStore(t, { storePathRootDir: root });
  t.is(second.recovery.messages, 2);
});

test.serial("a second opener in another thread or process is refused, and touches nothing", async (t) => {
  const store = await openStore(t);
  await store.putMessage(numbered(1));
  await store.flush();
  const root = store.config.storePathRootDir;
  await settled(store);
  const before = contents(root);
  const worker = new Worker(OPENER, { argv: [root, "worker"] });
  const fromWorker = await new Promise((resolve) => worker.once("message", resolve));
  t.is(fromWorker, "ERR_STORE_LOCKED");
  const child = fork(OPENER, [root, "process"], { execArgv: [...process.execArgv, ...bundledStore()] });
  const fromProcess = await new Promise((resolve) => child.once("message", resolve));
  t.is(fromProcess, "ERR_STORE_LOCKED");
  t.deepEqual(contents(root), before);
  await store.close();
  const next = fork(OPENER, [root, "process"], { execArgv: [...process.execArgv, ...bundledStore()] });
  t.is(await new Promise((resolve) => next.once("message", resolve)), "open");
});

const MODES: Record<string, MessageStoreOptions> = {
  ASYNC_FLUSH: {},
  SYNC_FLUSH: { flushDiskType: "SYNC_FLUSH" },
  writeWithoutMmap: { writeWithoutMmap: true },
};
for (const [mode, options] of Object.entries(MODES)) {
  test.serial(`a new store of segments of 1 GiB with one message takes at most 8 MiB of the disk: ${mode}`, async (t) => {
    const store = await openStore(t, { ...options, mappedFileSizeCommitLog: 1024 * MIB });
    t.is((await store.putMessage(numbered(1, 100))).status, "PUT_OK");
    await dispatchedAll(store);
    await until(() => store.stats().offsets.allocatedOffset >= 4 * MIB);
    t.true(await stays(() => allocatedBytes(store.config.storePathRootDir) <= 8 * MIB));
  });
}

function allocatedBytes(directory: string): number {
  const names = readdirSync(directory, { recursive: true }) as string[];
  return names.reduce((sum, name) => sum + statSync(join(directory, name)).blocks * 512, 0);
}

for (const how of ["close", "using", "failure", "no-put"]) {
  test.serial(`the process ends by itself after: ${how}`, async (t) => {
    const root = temporaryDirectory(t);
    const { stdout } = await promisify(execFile)(process.execPath, [...bundledStore(), OPENER, root, how], { timeout: 20_000 });
    t.is(stdout.trim(), how === "failure" ? "ERR_TOPIC_ILLEGAL" : how === "no-put" ? "0" : "10");
    t.false(existsSync(join(root, "abort")));
  });
}

test.serial("a store that nobody closes keeps the process alive, one that is unref'd does not, and loses nothing", async (t) => {
  const root = temporaryDirectory(t);
  const forgotten = spawn(process.execPath, [...bundledStore(), OPENER, root, "forgotten"]);
  const ended = once(forgotten, "exit");
  await once(forgotten.stdout, "data");
  t.is(await Promise.race([ended, setTimeout(500, "alive")]), "alive");
  forgotten.kill("SIGKILL");
  await ended;
  const { stdout } = await promisify(execFile)(process.execPath, [...bundledStore(), OPENER, root, "unref"], { timeout: 20_000 });
  t.is(stdout.trim(), "10");
  t.true(existsSync(join(root, "abort")), "as after a kill");
  const store = await openStore(t, { storePathRootDir: root });
  t.like(store.recovery, { messages: 20, lastExitOk: false });
});

test.serial("what is waited for keeps the process alive, also of a store that is unref'd", async (t) => {
  const root = temporaryDirectory(t);
  const { stdout } = await promisify(execFile)(process.execPath, [...bundledStore(), OPENER, root, "unref-waits"], {
    timeout: 20_000,
  });
  t.is(stdout.trim(), "10 true");
  t.false(existsSync(join(root, "abort")));
});

test.serial("a deletion that is waited for keeps the process alive in its pauses, also of a store that is unref'd", async (t) => {
  const root = temporaryDirectory(t);
  const { stdout } = await promisify(execFile)(process.execPath, [...bundledStore(), OPENER, root, "unref-deletes"], {
    timeout: 20_000,
  });
  t.regex(stdout, /^[2-4] [0-2]\n$/);
  t.false(existsSync(join(root, "abort")));
});

test.serial("pending puts keep the process alive until they are settled", async (t) => {
  const root = temporaryDirectory(t);
  const { stdout } = await promisify(execFile)(process.execPath, [...bundledStore(), OPENER, root, "pending"], { timeout: 20_000 });
  t.is(stdout.trim(), "settled 100");
});

test.serial("an abort signal stops the open, changes nothing, and gives the lock back", async (t) => {
  const first = await openStore(t);
  await first.putMessage(numbered(1));
  await first.close();
  const root = first.config.storePathRootDir;
  const before = contents(root);
  await t.throwsAsync(openStore(t, { storePathRootDir: root, signal: AbortSignal.abort() }), { code: "ERR_ABORTED" });
  t.deepEqual(contents(root), before);
  const store = await openStore(t, { storePathRootDir: root, signal: new AbortController().signal });
  t.is(store.recovery.messages, 1);
});

const onLinux = testIf(process.platform === "linux", "only Linux says which threads a process has");
onLinux("an opening that is refused while its threads start leaves none of them, and no lock", async (t) => {
  const root = temporaryDirectory(t);
  writeFileSync(join(root, "millrace.watermark"), Buffer.alloc(100, 7));
  const refused = (): Promise<unknown> =>
    t.throwsAsync(openStore(t, { storePathRootDir: root }), { code: "ERR_WATERMARK_CORRUPT" });
  await refused();
  const threads = readdirSync("/proc/self/task").length;
  for (let n = 0; n < 3; n++) await refused();
  await until(() => readdirSync("/proc/self/task").length <= threads);
  rmSync(join(root, "millrace.watermark"));
  t.is((await (await openStore(t, { storePathRootDir: root })).putMessage(message())).status, "PUT_OK");
});
