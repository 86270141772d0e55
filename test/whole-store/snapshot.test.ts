import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { indexItemPosition, type MillraceError, storePaths } from "@millrace/format";
import type { Fault } from "@millrace/mapped-file";
import type { MessageStore, MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { flipBit } from "../support/flip-bit.js";
import { contents, readLog } from "../support/stored-log.js";
import { messagesOf } from "../support/stored-messages.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { KIB, numbered, numberOf, openStore, outcomes } from "../support/temporary-store.js";
import { dispatchedAll, until } from "../support/until.js";

const SMALL: MessageStoreOptions = {
  mappedFileSizeCommitLog: 64 * KIB,
  mappedFileSizeConsumeQueue: 20 * 50,
  maxHashSlotNum: 50,
  maxIndexNum: 300,
  maxMessageSize: 16 * KIB,
};

/** Puts messages without an end, with keys and of two queues. Returns how to stop, which gives the number of those acknowledged. */
function load(store: MessageStore, from: number): () => Promise<number> {
  let isRunning = true;
  const run = (async (): Promise<number> => {
    let n = from;
    for (; isRunning; n += 10) {
      const burst = Array.from({ length: 10 }, (_, i) =>
        store.putMessage(numbered(n + i, 700, { queueId: (n + i) % 2, keys: `k${n + i}` })),
      );
      for (const { status } of await Promise.all(burst)) if (status !== "PUT_OK") throw new Error(status);
    }
    return n;
  })();
  return async () => {
    isRunning = false;
    return await run;
  };
}

function numbersIn(root: string): number[] {
  return readLog(root).messages.map(({ body }) => numberOf(body));
}

/** The snapshot opens cleanly, holds the first `least` messages at least, in log, queues and index, and takes puts. */
async function opensCleanly(t: ExecutionContext, root: string, least: number): Promise<void> {
  const numbers = numbersIn(root);
  t.true(numbers.length >= least, `${numbers.length} of ${least}`);
  t.deepEqual(numbers, [...numbers.keys()]);
  const store = await openStore(t, { ...SMALL, storePathRootDir: root });
  const { lastExitOk, cut, dispatch, maxOffset } = store.recovery;
  t.like({ lastExitOk, cut, maxOffset }, { lastExitOk: true, cut: undefined, maxOffset: dispatch.reputFromOffset });
  t.like(dispatch, { rows: { intact: 2 }, indexRow: "as-marked", cutQueues: [], rebuiltQueues: [], indexFilesRemoved: [] });
  for (const n of [0, 1, numbers.length - 1]) {
    t.is(store.queryMessage({ topic: "TopicA", key: `k${n}` }).messages.length, 1, `k${n}`);
    using found = store.getMessage({ topic: "TopicA", queueId: n % 2, queueOffset: Math.floor(n / 2), maxMessages: 1 });
    t.is(numberOf(found.messages[0]?.body ?? new Uint8Array()), n);
  }
  const put = await store.putMessage(numbered(numbers.length, 700, { queueId: numbers.length % 2 }));
  t.is(put.appendResult?.queueOffset, Math.floor(numbers.length / 2));
  await store.close();
}

const cannotShare: Fault = { operation: "share", path: "", after: 0, code: "EXDEV" };
for (const [what, options, faults] of [
  ["ASYNC_FLUSH, mapped", {}, []],
  ["SYNC_FLUSH, writeWithoutMmap", { flushDiskType: "SYNC_FLUSH", writeWithoutMmap: true }, []],
  ["a pool, to another file system", { transientStorePoolEnable: true }, [cannotShare]],
] as const) {
  test.serial(`a snapshot under load opens cleanly and holds what was acknowledged before it: ${what}`, async (t) => {
    const store = await openStore(t, { ...SMALL, ...options }, faults);
    const target = join(temporaryDirectory(t), "backup");
    for (let n = 0; n < 600; n++) await store.putMessage(numbered(n, 700, { queueId: n % 2, keys: `k${n}` }));
    store.consumerOffsets.commit("group", "TopicA", 0, 7);
    const stop = load(store, 600);
    await setTimeout(50);
    const seen: number[] = [];
    const report = await store.snapshot(target, { onProgress: ({ bytesCopied }) => seen.push(bytesCopied) });
    t.like(report, { minOffset: 0, bytesCopied: seen.at(-1) });
    await setTimeout(50);
    const put = await stop();
    const before = contents(target);
    for (let n = put; n < put + 200; n++) await store.putMessage(numbered(n, 700, { queueId: n % 2 }));
    await store.close();
    t.deepEqual(contents(target), before, "the store goes on and leaves its snapshot alone");
    t.deepEqual(
      numbersIn(store.config.storePathRootDir),
      Array.from({ length: put + 200 }, (_, n) => n),
    );
    t.is(JSON.parse(readFileSync(join(target, "config", "consumerOffset.json"), "utf8")).offsetTable["TopicA@group"]["0"], 7);
    const isShared = statSync(join(target, "commitlog", "00000000000000000000")).nlink > 1;
    if (faults.length > 0) t.false(isShared);
    const ofStore = contents(join(store.config.storePathRootDir, "commitlog"));
    await opensCleanly(t, target, 600);
    t.deepEqual(contents(join(store.config.storePathRootDir, "commitlog")), ofStore, "and the other way round");
    t.false(existsSync(`${target}.new`));
  });
}

test.serial("a snapshot of an empty store, and of one that ends with a segment, opens", async (t) => {
  const store = await openStore(t, SMALL);
  const parent = temporaryDirectory(t);
  mkdirSync(join(parent, "empty"));
  t.like(await store.snapshot(join(parent, "empty")), { minOffset: 0, maxOffset: 0 });
  await (await openStore(t, { ...SMALL, storePathRootDir: join(parent, "empty") })).close();
});

test.serial("what lies beside the segments and queue files, and is none, does not keep a snapshot from copying them", async (t) => {
  const store = await openStore(t, SMALL);
  for (let n = 0; n < 300; n++) await store.putMessage(numbered(n, 700, { queueId: n % 2, keys: `k${n}` }));
  await dispatchedAll(store);
  const { commitLog, consumeQueue } = storePaths(store.config.storePathRootDir);
  for (const name of [".nfs0000000000a1b2c3", "00000000000000000000.bak", `${"0".repeat(19)}7`]) {
    writeFileSync(join(commitLog, name), "");
    writeFileSync(join(consumeQueue, "TopicA", "0", name), new Uint8Array(SMALL.mappedFileSizeConsumeQueue ?? 0));
  }
  const target = join(temporaryDirectory(t), "backup");
  t.like(await store.snapshot(target), { minOffset: 0 });
  t.deepEqual(
    readdirSync(join(target, "consumequeue", "TopicA", "0")).filter((name) => !/^0*(0|1000|2000|3000)$/.test(name)),
    [],
  );
  await opensCleanly(t, target, 300);
});

test.serial("a snapshot whose log is gone before it is copied is refused", async (t) => {
  for (let code = ""; code !== "ERR_COPY_FAILED"; ) {
    const store = await openStore(t, SMALL);
    for (let n = 0; n < 20; n++) await store.putMessage(numbered(n, 700));
    const { commitLog } = storePaths(store.config.storePathRootDir);
    for (const name of readdirSync(commitLog)) rmSync(join(commitLog, name));
    const parent = temporaryDirectory(t);
    const error = await t.throwsAsync<MillraceError>(store.snapshot(join(parent, "backup")));
    t.deepEqual(readdirSync(parent), []);
    code = error?.code ?? "";
    if (code === "ERR_STORE_FAULTED") continue; // the flusher was about to open the next segment
    t.is(code, "ERR_COPY_FAILED");
    t.regex(error?.message ?? "", /deleted faster/);
  }
});

test.serial("an aborted snapshot, one that fails and one whose store is closed leave nothing, and the store goes on", async (t) => {
  const full: Fault = { operation: "write", path: "backup.new/consumequeue", after: 0, times: 1, code: "ENOSPC" };
  const slow: Fault = { operation: "share", path: "backup.new", after: 0, delayMs: 100 };
  const store = await openStore(t, SMALL, [full, slow]);
  for (let n = 0; n < 800; n++) await store.putMessage(numbered(n, 700));
  const parent = temporaryDirectory(t);
  const target = join(parent, "backup");
  await t.throwsAsync(store.snapshot(target), { code: "ERR_COPY_FAILED", message: /ENOSPC/ });
  t.deepEqual(readdirSync(parent), []);
  await t.throwsAsync(store.snapshot(target, { signal: AbortSignal.abort("no") }), { code: "ERR_ABORTED" });
  const aborting = new AbortController();
  const aborted = store.snapshot(target, { signal: aborting.signal, onProgress: () => aborting.abort() });
  await t.throwsAsync(aborted, { code: "ERR_ABORTED" });
  t.deepEqual(readdirSync(parent), []);
  t.is((await store.putMessage(numbered(800, 700))).status, "PUT_OK");
  let isCopying = false;
  const last = store.snapshot(target, { onProgress: () => (isCopying = true) });
  await until(() => isCopying);
  await Promise.all([t.throwsAsync(last), store.close()]);
  t.deepEqual(readdirSync(parent), []);
  await t.throwsAsync(store.snapshot(target), { code: "ERR_STORE_CLOSED" });
});

test.serial("a snapshot has no index file that was found damaged: the next opening of it builds that again", async (t) => {
  const store = await openStore(t, { ...SMALL, scrubBytesPerSecond: 0 });
  for (let n = 0; n < 700; n++) await store.putMessage(numbered(n, 100, { queueId: n % 2, keys: `k${n}` }));
  await until(() => store.dispatchBehindBytes === 0);
  const directory = join(store.config.storePathRootDir, "index");
  const name = readdirSync(directory).sort()[1] ?? "";
  flipBit(join(directory, name), indexItemPosition(50, 1) + 3); // the hash of its first key
  t.deepEqual((await store.verify()).damagedIndexFiles, [join(directory, name)]);
  const target = join(temporaryDirectory(t), "backup");
  await store.snapshot(target);
  const copy = await openStore(t, { ...SMALL, storePathRootDir: target });
  await until(() => copy.dispatchBehindBytes === 0);
  const lost = Array.from({ length: 700 }, (_, n) => `k${n}`).filter(
    (key) => copy.queryMessage({ topic: "TopicA", key }).messages.length !== 1,
  );
  t.deepEqual(lost, []);
});

test.serial("a target that is there, or overlaps the store, is refused", async (t) => {
  const store = await openStore(t, SMALL);
  const root = store.config.storePathRootDir;
  const parent = temporaryDirectory(t);
  writeFileSync(join(parent, "file"), "");
  mkdirSync(join(parent, "left.new"));
  for (const target of [parent, join(parent, "file"), root, join(root, "backup"), join(root, ".."), join(parent, "left"), ""])
    await t.throwsAsync(store.snapshot(target), { code: "ERR_COPY_TARGET" }, target);
  t.deepEqual(readdirSync(parent), ["file", "left.new"]);
});

test.serial("of two snapshots into one directory at a time one is refused, and harms the other in nothing", async (t) => {
  const store = await openStore(t, SMALL);
  for (let n = 0; n < 400; n++) await store.putMessage(numbered(n, 700, { queueId: n % 2, keys: `k${n}` }));
  const parent = temporaryDirectory(t);
  const target = join(parent, "backup");
  const [first, second] = await outcomes([store.snapshot(target), store.snapshot(target)]);
  t.like(second, { code: "ERR_COPY_TARGET" });
  t.like(first, { minOffset: 0 });
  t.deepEqual(readdirSync(parent), ["backup"]);
  await opensCleanly(t, target, 400);
});

test.serial("what a snapshot's config says was so before the end of its log", async (t) => {
  const slow: Fault = { operation: "read", path: "/config", after: 0, times: 1, delayMs: 300 };
  const store = await openStore(t, SMALL, [slow]);
  await store.putMessage(numbered(0, 700));
  store.consumerOffsets.commit("group", "TopicA", 0, 1);
  await store.consumerOffsets.persist();
  const target = join(temporaryDirectory(t), "backup");
  let isRunning = true;
  const snapshot = store.snapshot(target).finally(() => {
    isRunning = false;
  });
  for (let n = 1; isRunning; n++) {
    await store.putMessage(numbered(n, 700));
    store.consumerOffsets.commit("group", "TopicA", 0, n + 1);
    await store.consumerOffsets.persist();
  }
  await snapshot;
  const consumed = JSON.parse(readFileSync(join(target, "config", "consumerOffset.json"), "utf8")).offsetTable["TopicA@group"]["0"];
  t.true(consumed >= 1 && consumed <= numbersIn(target).length, `consumed=${consumed} messages=${numbersIn(target).length}`);
});

test.serial("a segment that is shared with a snapshot is forced before the snapshot has its name", async (t) => {
  const failing: Fault = { operation: "force", path: "backup.new/commitlog/00000000000000000000", after: 0, code: "EIO" };
  const store = await openStore(t, SMALL, [failing]);
  for (let n = 0; n < 200; n++) await store.putMessage(numbered(n, 700));
  const parent = temporaryDirectory(t);
  await t.throwsAsync(store.snapshot(join(parent, "backup")), { code: "ERR_COPY_FAILED", message: /EIO/ });
  t.deepEqual(readdirSync(parent), []);
});

test.serial("what the system says of a snapshot's place has a code", async (t) => {
  const store = await openStore(t, SMALL);
  const parent = temporaryDirectory(t);
  const snapshot = store.snapshot(join(parent, "backup"));
  mkdirSync(join(parent, "backup", "in its way"), { recursive: true });
  await t.throwsAsync(snapshot, { code: "ERR_COPY_FAILED", message: /ENOTEMPTY/ });
  writeFileSync(join(parent, "file"), "");
  await t.throwsAsync(store.snapshot(join(parent, "file", "below")), { code: "ERR_COPY_FAILED", message: /ENOTDIR/ });
  t.deepEqual(readdirSync(parent), ["backup", "file"]);
});

test.serial("a copy taken while the store was open is refused, and the refusal says what it is", async (t) => {
  const store = await openStore(t, { ...SMALL, flushDiskType: "SYNC_FLUSH" });
  const root = store.config.storePathRootDir;
  for (let n = 0; n < 20; n++) await store.putMessage(numbered(n, 700));
  const copy = join(temporaryDirectory(t), "copy");
  mkdirSync(copy);
  cpSync(join(root, "commitlog"), join(copy, "commitlog"), { recursive: true }); // in the order of names, and it takes its time
  for (let n = 20; n < 40; n++) await store.putMessage(numbered(n, 700));
  await store.close();
  for (const name of ["millrace.watermark", "abort.bak"]) cpSync(join(root, name), join(copy, name));
  writeFileSync(join(copy, "abort"), "1");
  const message = /a copy taken while the store was open.*store\.snapshot/;
  await t.throwsAsync(openStore(t, { ...SMALL, storePathRootDir: copy }), { code: "ERR_COMMIT_LOG_CORRUPT", message });
});

test.serial("who opens a snapshot does not deliver again what was delivered before it", async (t) => {
  const delayed = { ...SMALL, messageDelayLevel: "0s", flushDelayOffsetInterval: 3_600_000 };
  const store = await openStore(t, delayed);
  for (let n = 0; n < 5; n++) await store.putMessage(numbered(n, 16, { delayTimeLevel: 1 }));
  await until(() => store.stats().schedule.delivered === 5);
  const target = join(temporaryDirectory(t), "copy");
  await store.snapshot(target);
  const copy = await openStore(t, { ...delayed, storePathRootDir: target });
  await copy.putMessage(numbered(5, 16, { delayTimeLevel: 1 }));
  await until(() => copy.stats().schedule.levels[0]?.delayOffset === 6);
  await dispatchedAll(copy);
  t.deepEqual(
    messagesOf(copy).map(({ body }) => numberOf(body)),
    [0, 1, 2, 3, 4, 5],
  );
});
