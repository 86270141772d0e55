import { cpSync, existsSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "@millrace/format";
import { createStorage, type Fault } from "@millrace/mapped-file";
import type { MessageStore, MessageStoreOptions, MillraceError } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { CommitLogScrub } from "#store/allocate/commit-log-scrub.js";
import { IndexFileScrub } from "#store/allocate/index-scrub.js";
import { openOn } from "#store/message-store.js";
import type { IndexScrubCursor, LogScrubCursor } from "#store/pipeline/controls.js";
import { chosenSeed, seededRandom } from "../support/random.js";
import { haPort } from "../support/raw-slave.js";
import { follows, openSlave } from "../support/replica-pair.js";
import { memoryDirectory } from "../support/temporary-directory.js";
import { KIB, numbered, numberOf, openStore } from "../support/temporary-store.js";
import { dispatchedAll, until } from "../support/until.js";

/** Of cases; by hand hundreds. */
const ROUNDS = Number(process.env.MILLRACE_DESCRIPTOR_ROUNDS ?? 6);
const LANES = 4;
const PATHS = ["", "commitlog", "consumequeue", "/index", "millrace.", "checkpoint", "config", "abort", "TopicA", "000"];
const AFTER_LIMIT = 24;
const TIMES_LIMIT = 4;
const BEFORE = 60;
const DURING = 60;
const BURST = 15;
const BODY_LENGTH = 700;
const EXPIRED = new Date("2020-01-01");
const GONE = "TopicGone";
const GROUP = "group";

const MODES: Record<string, MessageStoreOptions> = {
  mapped: {},
  sync: { flushDiskType: "SYNC_FLUSH", syncFlushTimeout: 60_000 },
  channel: { writeWithoutMmap: true },
  pool: { transientStorePoolEnable: true, transientStorePoolSize: 3 },
};

interface Case {
  readonly mode: string;
  readonly fault: Fault;
}

function optionsOf(mode: string, storePathRootDir: string): MessageStoreOptions {
  return {
    storePathRootDir,
    mappedFileSizeCommitLog: 16 * KIB,
    mappedFileSizeConsumeQueue: 400,
    maxHashSlotNum: 16,
    maxIndexNum: 40,
    messageDelayLevel: "1s 1h",
    flushIntervalConsumeQueue: 20,
    flushConsumeQueueLeastPages: 0,
    flushConsumeQueueThoroughInterval: 40,
    flushDelayOffsetInterval: 50,
    deleteCommitLogFilesInterval: 0,
    deleteConsumeQueueFilesInterval: 0,
    osPageCacheBusyTimeOutMills: 60_000,
    logger: { error: () => {} },
    ...MODES[mode],
  };
}

/** What only the system refuses has a code of ours, too. */
function assertCoded(t: ExecutionContext, error: unknown, what: string): void {
  const { code } = error as { code?: unknown };
  t.true(error instanceof Error && typeof code === "string" && code.startsWith("ERR_"), `${what}: ${String(error)}`);
}

/** Undefined when it was refused, with a code. */
async function coded<T>(t: ExecutionContext, what: string, call: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    assertCoded(t, error, what);
    return undefined;
  }
}

/** Puts messages `first` up to `end`. Answers which of them the log has. */
async function put(t: ExecutionContext, store: MessageStore, first: number, end: number): Promise<number[]> {
  const there: number[] = [];
  for (let n = first; n < end; n += BURST) {
    const burst = Array.from({ length: Math.min(BURST, end - n) }, (_, i) => n + i);
    await Promise.all(
      burst.map(async (i) => {
        const topic = i % 3 === 0 ? "TopicB" : "TopicA";
        const message = numbered(i, BODY_LENGTH, { topic, queueId: i % 2, keys: [`key${i}`] });
        const result = await coded(t, "put", () => store.putMessage(message));
        if (result?.appendResult != null) there.push(i);
      }),
    );
  }
  return there;
}

/** Numbers of all messages in the queues, each as often as it is there. */
function consumed(store: MessageStore): number[] {
  const numbers: number[] = [];
  for (const topic of store.topics()) {
    for (const queueId of [0, 1]) {
      for (let offset = store.getMinOffsetInQueue(topic, queueId); ; ) {
        using result = store.getMessage({ topic, queueId, queueOffset: offset });
        for (const { body } of result.messages) numbers.push(numberOf(body));
        if (result.status !== "FOUND") break;
        offset = result.nextBeginOffset;
      }
    }
  }
  return numbers.sort((a, b) => a - b);
}

async function use(t: ExecutionContext, store: MessageStore): Promise<void> {
  store.consumerOffsets.commit(GROUP, "TopicA", 0, 5);
  await coded(t, "persist", () => store.consumerOffsets.persist());
  await coded(t, "getMessage", () => consumed(store));
  await coded(t, "queryMessage", () => store.queryMessage({ topic: "TopicA", key: "key1" }));
  await coded(t, "flush", () => store.flush());
  await coded(t, "deleteExpiredFiles", () => store.deleteExpiredFiles());
  const report = await coded(t, "verify", () => store.verify());
  if (report !== undefined) t.deepEqual([report.corrupt, report.damagedIndexFiles], [[], []]);
  await coded(t, "deleteTopic", () => store.deleteTopic(GONE));
  const copy = join(store.config.storePathRootDir, "..", "copy");
  await coded(t, "snapshot", () => store.snapshot(copy));
}

async function assertAll(t: ExecutionContext, store: MessageStore, there: readonly number[]): Promise<void> {
  const numbers = consumed(store);
  t.deepEqual(numbers, [...new Set(numbers)], "some are there twice");
  t.deepEqual(
    there.filter((n) => !numbers.includes(n)),
    [],
    "some are lost",
  );
  const newest = there.at(-1) ?? 0;
  const { messages } = store.queryMessage({ topic: newest % 3 === 0 ? "TopicB" : "TopicA", key: `key${newest}` });
  t.deepEqual(
    messages.map(({ body }) => numberOf(body)),
    [newest],
    "the index",
  );
}

/** A life with the fault, up to its close. Answers which messages the log has. */
async function life(t: ExecutionContext, { mode, fault }: Case, root: string, first: number): Promise<number[]> {
  const store = await coded(t, "open", () => openOn(optionsOf(mode, root), { kind: "faulty", faults: [fault] }));
  if (store === undefined) return [];
  try {
    const events: unknown[] = [];
    store.on("fenced", (event) => events.push(event));
    store.on("faulted", (event) => events.push(event));
    store.on("corrupt", (event) => events.push(event));
    store.on("rebuilt", (event) => events.push(event));
    store.on("error", (event) => {
      if (event.code.endsWith("_CORRUPT")) events.push(event);
    });
    const arrived: number[] = [];
    store.onMessageArriving(({ properties }) => arrived.push(Number(properties.get("KEYS")?.slice("key".length))));
    const there = await put(t, store, first, first + DURING / 2);
    await use(t, store);
    there.push(...(await put(t, store, first + DURING / 2, first + DURING)));
    // The descriptors are back after so many calls: everything is tried again, and then it is right.
    const before = there.length;
    await until(async () => there.push(...(await put(t, store, first + DURING, first + DURING + 1))) > before);
    await dispatchedAll(store);
    await until(async () => (await coded(t, "getMessage", () => consumed(store))) !== undefined);
    await until(async () => (await coded(t, "deleteTopic", () => store.deleteTopic(GONE).then(() => true))) === true);
    await until(async () => (await coded(t, "flush", () => store.flush())) !== undefined);
    await until(
      async () => (await coded(t, "queryMessage", () => store.queryMessage({ topic: "TopicA", key: "a" }))) !== undefined,
    );
    await assertAll(t, store, there);
    await until(() => there.every((n) => arrived.includes(n)));
    t.is(arrived.length, new Set(arrived).size, "a listener is notified twice");
    t.deepEqual([store.stats().state, events], ["running", []]);
    return there;
  } finally {
    await store.close().catch((error: unknown) => {
      assertCoded(t, error, "close");
      t.is((error as MillraceError).code, "ERR_PATH_UNUSABLE", String(error));
    });
  }
}

/** A directory at rest, with a topic to be deleted, and segments that have expired. */
async function builtDirectory(t: ExecutionContext): Promise<{ readonly root: string; readonly there: number[] }> {
  const root = join(memoryDirectory(t), "store");
  const store = await openStore(t, optionsOf("mapped", root));
  await put(t, store, 0, 30);
  for (let n = 0; n < 10; n++) await store.putMessage(numbered(10_000 + n, BODY_LENGTH, { topic: GONE }));
  const there = await put(t, store, 30, BEFORE);
  await store.putMessage(numbered(20_000, BODY_LENGTH, { topic: "TopicDelayed", delayTimeLevel: 1 }));
  await dispatchedAll(store);
  await store.close();
  const log = join(root, "commitlog");
  for (const name of readdirSync(log).sort().slice(0, 2)) utimesSync(join(log, name), EXPIRED, EXPIRED);
  return { root, there: there.filter((n) => n >= 40) };
}

/** Of an assertion that failed. */
function textOf(error: { readonly message: string; readonly stack?: string }): string {
  const { formattedDetails = [] } = error as { formattedDetails?: { label: string; formatted: string }[] };
  const details = formattedDetails.map(({ label, formatted }) => `${label} ${formatted}`);
  return [error.message, ...details, error.stack?.match(/passing-descriptors.test.ts:\d+/)?.[0]].join(" ");
}

function caseNumber(random: (below: number) => number): Case {
  const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
  const path = pick(PATHS);
  const after = random(path === "" ? 8 * AFTER_LIMIT : AFTER_LIMIT);
  const code = pick(["EMFILE", "ENFILE"]);
  return { mode: pick(Object.keys(MODES)), fault: { operation: "descriptor", path, after, times: 1 + random(TIMES_LIMIT), code } };
}

test("a time without descriptors passes: nothing ends, nothing is lost, and what failed comes right", async (t) => {
  t.timeout(600_000);
  const seed = chosenSeed();
  t.log(`MILLRACE_SEED=${seed}`);
  const random = seededRandom(seed);
  const { root, there } = await builtDirectory(t);
  const cases = Array.from({ length: ROUNDS }, () => caseNumber(random)).values();
  const failed: string[] = [];
  const lane = async (): Promise<void> => {
    for (const one of cases) {
      const directory = join(memoryDirectory(t), "store");
      cpSync(root, directory, { recursive: true, preserveTimestamps: true });
      const name = JSON.stringify(one);
      const result = await t.try(name, async (tt) => {
        const all = [...there, ...(await life(tt, one, directory, 1000))];
        const after = await openStore(tt, optionsOf(one.mode, directory));
        tt.is(after.stats().state, "running");
        const { rebuiltQueues, indexDamage } = after.recovery.dispatch;
        tt.deepEqual([rebuiltQueues, indexDamage], [[], undefined]);
        await assertAll(tt, after, all);
        const report = await after.verify();
        tt.deepEqual([report.corrupt, report.damagedIndexFiles], [[], []]);
        await after.close();
        tt.false(existsSync(join(directory, "abort")));
      });
      if (!result.passed) failed.push(`${name}: ${result.errors.map(textOf).join("; ")}`);
      result.discard();
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  t.deepEqual(failed, []);
});

test("an opening that a lack of descriptors or of space refuses while it recovers leaves no fence", async (t) => {
  const { root } = await builtDirectory(t);
  let refused = 0;
  for (const { operation, code, calls } of [
    { operation: "descriptor", code: "EMFILE", calls: 4 },
    { operation: "syncDirectory", code: "ENFILE", calls: 1 },
    { operation: "syncDirectory", code: "ENOSPC", calls: 1 },
  ] as const) {
    for (let after = 0; after < calls; after++) {
      const directory = join(memoryDirectory(t), "store");
      cpSync(root, directory, { recursive: true, preserveTimestamps: true });
      writeFileSync(join(directory, "abort"), ""); // as after a kill
      const options = optionsOf("mapped", directory);
      const fault: Fault = { operation, path: "commitlog", after, times: 1, code };
      const during = await coded(t, "open", () => openOn(options, { kind: "faulty", faults: [fault] }));
      if (during === undefined) refused++;
      await during?.close();
      const next = await openStore(t, options);
      t.is(next.stats().state, "running", JSON.stringify(fault));
      await next.close();
    }
  }
  t.true(refused >= 3, `refused=${refused}`);
});

test("what reads log and index again takes a lack of descriptors for no damage, and goes on where it was", async (t) => {
  const { root } = await builtDirectory(t);
  const reader = await openStore(t, optionsOf("mapped", root));
  const { config, maxPhysicalOffset: limit } = reader;
  await reader.close();
  const paths = storePaths(root);
  for (let after = 0; after < 3; after++) {
    const fault: Fault = { operation: "descriptor", path: root, after, times: 2, code: "EMFILE" };
    const storage = createStorage({ kind: "faulty", faults: [fault] });
    const log = new CommitLogScrub(storage, config, { get: () => 0 } as never, paths.segmentCrcs);
    let refused = 0;
    for (let cursor: LogScrubCursor = { offset: 0, crc: 0, isClean: true }; cursor.offset < limit; ) {
      const slice = log.scrubLog(cursor, limit);
      if (slice.isRefused) refused++;
      t.deepEqual(slice.corrupt, []);
      cursor = slice.cursor;
    }
    t.true(refused > 0, `log, after ${after}`);
    refused = 0;
    const again = createStorage({ kind: "faulty", faults: [fault] });
    const index = new IndexFileScrub(again, paths, config, { get: () => limit } as never, limit);
    for (let cursor: IndexScrubCursor | undefined = { name: "", position: 0, crc: 0 }; cursor !== undefined; ) {
      const slice = index.scrubIndex(cursor);
      if (slice.isRefused) refused++;
      t.is(slice.damaged, undefined);
      cursor = slice.cursor;
    }
    t.true(refused > 0, `index, after ${after}`);
  }
});

test("a slave that has no descriptors for a while follows its master again", async (t) => {
  for (const after of [0, 1, 2]) {
    const master = await openStore(t, { haListenPort: 0 });
    const root = memoryDirectory(t);
    const before = await openSlave(t, master, { storePathRootDir: root });
    for (let n = 0; n < 20; n++) await master.putMessage(numbered(n, 1000));
    await follows(before, master);
    await before.close();
    const haMasterAddress = `127.0.0.1:${haPort(master)}`;
    const fault: Fault = { operation: "descriptor", path: "commitlog/0", after, times: 3, code: "EMFILE" };
    const options = { storePathRootDir: root, brokerRole: "SLAVE", haMasterAddress } as const;
    const slave = await coded(t, "open", () => openStore(t, options, [fault]));
    if (slave === undefined) continue;
    for (let n = 20; n < 200; n++) await master.putMessage(numbered(n, 1000));
    await follows(slave, master);
    t.is(slave.stats().state, "running");
    await slave.close();
    await master.close();
  }
});

test("a master that cannot read its log for a slave ends the connection, and serves the next", async (t) => {
  const fault: Fault = { operation: "descriptor", path: "commitlog/0", after: 3, times: 2, code: "EMFILE" };
  const master = await openStore(t, { haListenPort: 0 }, [fault]);
  for (let n = 0; n < 500; n++) await master.putMessage(numbered(n, 1000));
  const slave = await openSlave(t, master);
  await follows(slave, master);
  t.deepEqual([master.stats().state, slave.stats().state], ["running", "running"]);
  await slave.close();
  await master.close();
});
