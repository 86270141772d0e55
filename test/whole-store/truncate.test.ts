import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName, storePaths } from "@millrace/format";
import type { Fault } from "@millrace/mapped-file";
import { MessageStore, type MessageStoreOptions, type StoreEventMap } from "@millrace/store";
import test from "ava";
import { readFlushedWatermark } from "#store/marks/flushed-watermark.js";
import { truncateStore } from "#store/open/truncate-store.js";
import { realStorage } from "../support/index-log.js";
import { readLog } from "../support/stored-log.js";
import { assertQueuesComplete } from "../support/stored-queues.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { numbered, numberOf, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";
import { dispatchedAll, until } from "../support/until.js";

const COUNT = 300;
const OPTIONS = { mappedFileSizeCommitLog: SEGMENT_SIZE, maxHashSlotNum: 100, maxIndexNum: 200 };

async function putNumbers(store: MessageStore, from: number, to: number): Promise<number[]> {
  const results = await Promise.all(
    Array.from({ length: to - from }, (_, i) => store.putMessage(numbered(from + i, 700, { keys: `k${from + i}` }))),
  );
  return results.map(({ appendResult }) => appendResult?.wroteOffset ?? -1);
}

async function stored(options: MessageStoreOptions): Promise<{ offsets: number[]; end: number }> {
  await using store = await MessageStore.open(options);
  const offsets = await putNumbers(store, 0, COUNT);
  store.consumerOffsets.commit("group", "TopicA", 0, COUNT);
  return { offsets, end: store.maxPhysicalOffset };
}

for (const [what, kept, shift] of [
  ["in the middle of a record of an earlier segment", 100, 5],
  ["at a record's beginning", 100, 0],
  ["in the last segment", COUNT - 1, 5],
  ["at the log's beginning", 0, 0],
] as const) {
  test(`a log that is cut ${what} ends there, in queues and index too, and goes on`, async (t) => {
    const storePathRootDir = temporaryDirectory(t);
    const options = { ...OPTIONS, storePathRootDir };
    const { offsets, end } = await stored(options);
    const report = await MessageStore.truncate(options, (offsets[kept] ?? 0) + shift);
    t.like(report, { maxOffset: offsets[kept], endedAt: end });
    t.is(readFlushedWatermark(realStorage, storePaths(storePathRootDir).watermark)?.flushedOffset, offsets[kept]);
    t.is(readLog(storePathRootDir).messages.length, kept);
    const store = await openStore(t, { ...options, verifyOnOpen: "all" });
    t.is(store.maxPhysicalOffset, offsets[kept] ?? -1);
    t.is(store.getMaxOffsetInQueue("TopicA", 0), kept);
    t.is(store.consumerOffsets.get("group", "TopicA", 0) ?? 0, kept);
    t.deepEqual(store.queryMessage({ topic: "TopicA", key: "k299" }).messages, []);
    await putNumbers(store, kept, kept + 50);
    await dispatchedAll(store);
    t.is(store.getMaxOffsetInQueue("TopicA", 0), kept + 50);
    using found = store.getMessage({ topic: "TopicA", queueId: 0, queueOffset: kept + 9, maxMessages: 1 });
    t.is(numberOf(found.messages[0]?.body ?? new Uint8Array()), kept + 9);
    await store.close();
    assertQueuesComplete(t, storePathRootDir);
  });
}

test("a log that is cut is reported as that, whatever is aborted afterwards", async (t) => {
  const options = { ...OPTIONS, storePathRootDir: temporaryDirectory(t) };
  const { offsets } = await stored(options);
  const segments = (): number => readdirSync(join(options.storePathRootDir, "commitlog")).length;
  const before = segments();
  const { signal } = new AbortController();
  Object.defineProperty(signal, "aborted", { get: () => segments() < before });
  t.like(await MessageStore.truncate({ ...options, signal }, offsets[100] ?? 0), { maxOffset: offsets[100] });
  t.true(signal.aborted);
});

for (const [operation, code, state] of [
  ["syncDirectory", "EIO", "fenced"],
  ["syncDirectory", "EMFILE", "running"],
  ["force", "EIO", "fenced"],
  ["write", "EIO", "running"],
] as const) {
  test(`a cut whose ${operation} of the log fails with ${code} leaves the store ${state}`, async (t) => {
    const options = { ...OPTIONS, storePathRootDir: temporaryDirectory(t) };
    const { offsets } = await stored(options);
    const cutAt = offsets[100] ?? 0;
    const isOfNames = operation === "syncDirectory";
    const path = isOfNames ? "commitlog" : `commitlog/${segmentFileName(cutAt - (cutAt % SEGMENT_SIZE))}`;
    const after = isOfNames ? 1 : 0; // the opening before it syncs once
    const faults: Fault[] = [{ operation, path, after, times: 1, code }];
    await t.throwsAsync(truncateStore(options, cutAt, { kind: "faulty", faults }), { code: "ERR_PATH_UNUSABLE" });
    const next = await openStore(t, options);
    t.is(next.stats().state, state);
    t.true(next.maxPhysicalOffset >= cutAt);
    await next.close();
    if (state !== "running") return;
    t.is((await MessageStore.truncate(options, cutAt)).maxOffset, cutAt);
  });
}

test("a log is not cut where it is not, or while it is open", async (t) => {
  const options = { ...OPTIONS, storePathRootDir: temporaryDirectory(t) };
  const { end } = await stored(options);
  const cut = (offset: number) => MessageStore.truncate(options, offset);
  for (const offset of [-1, end + 1, 1.5, Number.NaN])
    await t.throwsAsync(cut(offset), { code: "ERR_TRUNCATE_OFFSET" }, `${offset}`);
  t.like(await cut(end), { maxOffset: end, endedAt: end, segmentsRemoved: [] });
  const store = await openStore(t, options);
  await t.throwsAsync(cut(0), { code: "ERR_STORE_LOCKED" });
  await store.close();
  t.is(readLog(options.storePathRootDir).messages.length, COUNT);
});

function log(root: string): Map<string, Buffer> {
  const { commitLog } = storePaths(root);
  return new Map(readdirSync(commitLog).map((name) => [name, readFileSync(join(commitLog, name))]));
}

test("a slave that has diverged says where, is cut there, and follows again", async (t) => {
  const master = await openStore(t, { ...OPTIONS, haListenPort: 0 });
  const slave = {
    ...OPTIONS,
    storePathRootDir: temporaryDirectory(t),
    brokerRole: "SLAVE",
    haMasterAddress: `127.0.0.1:${master.stats().ha?.listen?.port}`,
  } as const;
  await putNumbers(master, 0, 100);
  const follow = async (): Promise<void> => {
    const store = await openStore(t, slave);
    await until(() => store.maxPhysicalOffset === master.maxPhysicalOffset);
    await store.close();
  };
  await follow();
  const { brokerRole, haMasterAddress, ...own } = slave;
  const astray = await openStore(t, own);
  await putNumbers(astray, 1000, 1003);
  await astray.close();
  await putNumbers(master, 100, 200);
  const diverging = await openStore(t, slave);
  const events: StoreEventMap["diverged"][] = [];
  diverging.on("diverged", (event) => events.push(event));
  await until(() => events.length > 0);
  await diverging.close();
  const offset = Number(/ offset=(\d+)/.exec(events[0]?.message ?? "")?.[1]);
  const report = await MessageStore.truncate(slave, offset);
  t.true(report.maxOffset <= offset && report.maxOffset < report.endedAt);
  await follow();
  await master.close();
  const theirs = log(master.config.storePathRootDir);
  for (const [name, bytes] of log(slave.storePathRootDir)) t.true(theirs.get(name)?.equals(bytes), name);
});
