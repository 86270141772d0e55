import { readFileSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName } from "@millrace/format";
import type { Fault } from "@millrace/mapped-file";
import { MessageStore, type MessageStoreOptions, type MessageView, type PreparedMessage } from "@millrace/store";
import test from "ava";
import { truncateStore } from "#store/open/truncate-store.js";
import { messagesOf } from "../support/stored-messages.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { message, numbered, numberOf, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";
import { dispatchedAll, until } from "../support/until.js";

const numbersIn = (store: MessageStore, topic = "TopicA"): number[] => messagesOf(store, topic).map(({ body }) => numberOf(body));

const savedOffsets = (root: string): unknown =>
  JSON.parse(readFileSync(join(root, "config", "delayOffset.json"), "utf8")).offsetTable;

/** Delayed messages, all put before the first of them is delivered, in the order of the levels. Physical offsets as delivered. */
async function delivered(options: MessageStoreOptions, levels: readonly number[], length = 16): Promise<number[]> {
  await using first = await MessageStore.open({ ...options, messageDelayLevel: "1h 1h" });
  for (const [n, level] of levels.entries()) await first.putMessage(numbered(n, length, { delayTimeLevel: level, keys: `k${n}` }));
  await first.close();
  await using second = await MessageStore.open({ ...options, messageDelayLevel: "0s 0s" });
  await until(() => second.stats().schedule.delivered === levels.length);
  await dispatchedAll(second);
  const offsets: number[] = [];
  for (const { body, physicalOffset } of messagesOf(second)) offsets[numberOf(body)] = physicalOffset;
  return offsets;
}

/** What is there when the store has been opened again and has delivered what it has to. */
async function afterwards(store: MessageStore, count: number): Promise<number[]> {
  await until(() => store.getMaxOffsetInQueue("TopicA", 0) >= count);
  await dispatchedAll(store);
  return numbersIn(store);
}

for (const [where, length] of [
  ["in the last segment", 16],
  ["in an earlier segment", 9000],
] as const) {
  test(`delayed messages are delivered again whose delivered form a cut takes away ${where}, and no others`, async (t) => {
    const storePathRootDir = temporaryDirectory(t);
    const options = { storePathRootDir, mappedFileSizeCommitLog: SEGMENT_SIZE };
    const offsets = await delivered(options, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1], length);
    t.deepEqual(savedOffsets(storePathRootDir), { 1: 10 });
    await MessageStore.truncate(options, offsets[6] as number);
    t.deepEqual(savedOffsets(storePathRootDir), { 1: 6 });
    const store = await openStore(t, { ...options, messageDelayLevel: "0s 0s" });
    t.deepEqual(await afterwards(store, 10), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await until(() => store.stats().schedule.delivered === 4);
  });
}

test("of several delay levels those go back that a cut has taken something from", async (t) => {
  const storePathRootDir = temporaryDirectory(t);
  const options = { storePathRootDir, mappedFileSizeCommitLog: SEGMENT_SIZE };
  const offsets = await delivered(options, [1, 2, 1, 2, 1, 2, 1]); // 0, 2, 4, 6 before 1, 3, 5
  await MessageStore.truncate(options, offsets[3] as number);
  t.deepEqual(savedOffsets(storePathRootDir), { 1: 4, 2: 1 });
  const store = await openStore(t, { ...options, messageDelayLevel: "0s 0s" });
  t.deepEqual(await afterwards(store, 7), [0, 2, 4, 6, 1, 3, 5]);
});

test("delayed messages that are the same are delivered as often as they were put", async (t) => {
  const storePathRootDir = temporaryDirectory(t);
  const options = { storePathRootDir, mappedFileSizeCommitLog: SEGMENT_SIZE };
  const bornTimestamp = 1_700_000_000_000;
  const first = await MessageStore.open({ ...options, messageDelayLevel: "1h 1h" });
  for (const level of [1, 2, 1, 1]) await first.putMessage(numbered(7, 16, { delayTimeLevel: level, bornTimestamp }));
  await first.close();
  const second = await MessageStore.open({ ...options, messageDelayLevel: "0s 0s" });
  await until(() => second.stats().schedule.delivered === 4);
  await dispatchedAll(second);
  const [, , third] = messagesOf(second) as [unknown, unknown, MessageView];
  await second.close();
  await MessageStore.truncate(options, third.physicalOffset);
  t.deepEqual(savedOffsets(storePathRootDir), { 1: 2, 2: 0 });
  const store = await openStore(t, { ...options, messageDelayLevel: "0s 0s" });
  t.deepEqual(await afterwards(store, 4), [7, 7, 7, 7]);
});

test("what is cut together with its delivered form, or was not delivered, moves no offset; a deleted topic gets nothing", async (t) => {
  const storePathRootDir = temporaryDirectory(t);
  const options = { storePathRootDir, mappedFileSizeCommitLog: SEGMENT_SIZE, messageDelayLevel: "0s 1h" };
  const first = await MessageStore.open(options);
  const put = async (topic: string, delayTimeLevel: number): Promise<number> =>
    (await first.putMessage(message({ topic, delayTimeLevel }))).appendResult?.wroteOffset ?? -1;
  await put("TopicA", 1);
  await put("TopicB", 1);
  await until(() => first.stats().schedule.delivered === 2);
  await dispatchedAll(first);
  const [b] = messagesOf(first, "TopicB") as [MessageView];
  await put("TopicA", 2);
  await dispatchedAll(first);
  await first.deleteTopic("TopicB");
  await put("TopicC", 1);
  await until(() => first.stats().schedule.delivered === 3);
  await first.close();
  await MessageStore.truncate(options, b.physicalOffset);
  const store = await openStore(t, options);
  await dispatchedAll(store);
  t.deepEqual(store.stats().schedule, {
    delivered: 0,
    retried: 0,
    skipped: 0,
    levels: [{ level: 1, delayOffset: 2, maxOffset: 2, heldUpMs: 0 }],
  });
});

test("the offsets go back before the log is cut: a cut that fails loses none", async (t) => {
  const storePathRootDir = temporaryDirectory(t);
  const options = { storePathRootDir, mappedFileSizeCommitLog: SEGMENT_SIZE };
  const offsets = await delivered(options, [1, 1, 1]);
  const faults: Fault[] = [{ operation: "write", path: `commitlog/${segmentFileName(0)}`, after: 0, times: 1, code: "EIO" }];
  const cut = truncateStore(options, offsets[1] as number, { kind: "faulty", faults });
  await t.throwsAsync(cut, { code: "ERR_PATH_UNUSABLE" });
  t.deepEqual(savedOffsets(storePathRootDir), { 1: 1 });
});

test("half messages are undecided again whose decision a cut takes away, and no others", async (t) => {
  const options = { storePathRootDir: temporaryDirectory(t), mappedFileSizeCommitLog: SEGMENT_SIZE };
  const first = await MessageStore.open(options);
  const prepared: PreparedMessage[] = [];
  for (let n = 0; n < 6; n++) prepared.push((await first.prepareMessage(numbered(n))).prepared as PreparedMessage);
  const ends: number[] = [];
  for (const n of [2, 0, 1, 4, 3, 5]) {
    ends.push(first.maxPhysicalOffset);
    if (n % 2 === 0) await first.commitMessage(prepared[n] as PreparedMessage);
    else await first.rollbackMessage(prepared[n] as PreparedMessage);
  }
  await first.close();
  await MessageStore.truncate(options, ends[4] as number); // what has become of 3 and 5
  const store = await openStore(t, options);
  const undecided = async (): Promise<number[]> => {
    const found: number[] = [];
    for await (const { message: half } of store.undecidedMessages()) found.push(numberOf(half.body));
    return found;
  };
  t.deepEqual(await undecided(), [3, 5]);
  await store.commitMessage(prepared[3] as PreparedMessage);
  for (const n of [0, 1, 2, 4])
    await t.throwsAsync(store.commitMessage(prepared[n] as PreparedMessage), { code: "ERR_TRANSACTION_DECIDED" });
  t.deepEqual(await undecided(), [5]);
  await dispatchedAll(store);
  t.deepEqual(numbersIn(store), [2, 0, 4, 3]);
});
