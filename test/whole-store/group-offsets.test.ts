import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import type { MessageStore } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { encodeDelayArrivals, readDelayArrivals } from "#store/marks/delay-arrivals.js";
import { copyAlive, leftByCrash } from "../support/left-by-crash.js";
import { message, numbered, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const GROUP = "billing";

async function put(store: MessageStore, count: number, topic = "TopicA"): Promise<void> {
  for (let n = 0; n < count; n++) await store.putMessage(message({ topic }));
  await until(() => store.getMaxOffsetInQueue(topic, 0) === store.getMaxOffsetInQueue(topic, 0, false));
}

/** A power failure has taken the end of the log, and left the small files: those of `store` as they are now go to `root`. */
function keepConfig(store: MessageStore, root: string): void {
  copyAlive(join(store.config.storePathRootDir, "config"), join(root, "config"));
}

test("offsets beyond the log are cut to the queue's end when the store opens, reported, and new messages are consumed", async (t) => {
  const store = await openStore(t);
  await put(store, 5);
  const root = leftByCrash(t, store.config.storePathRootDir);
  await put(store, 5);
  store.consumerOffsets.commit(GROUP, "TopicA", 0, 10);
  store.consumerOffsets.commit("other", "TopicA", 0, 4);
  await store.consumerOffsets.persist();
  keepConfig(store, root);
  const again = await openStore(t, { storePathRootDir: root });
  const cut = { group: GROUP, topic: "TopicA", queueId: 0, offset: 10, cutTo: 5, reason: "beyond-end" };
  t.deepEqual(again.recovery.progress, { damagedFiles: [], cutOffsets: [cut] });
  t.is(again.consumerOffsets.get(GROUP, "TopicA", 0), 5);
  t.is(again.consumerOffsets.get("other", "TopicA", 0), 4);
  await put(again, 3);
  const from = again.consumerOffsets.get(GROUP, "TopicA", 0) ?? -1;
  using found = again.getMessage({ topic: "TopicA", queueId: 0, queueOffset: from });
  t.is(found.messages.length, 3);
});

test("delay offsets beyond the log are cut and reported too", async (t) => {
  const store = await openStore(t, { messageDelayLevel: "1h 2h" });
  await store.putMessage(message({ delayTimeLevel: 2 }));
  await store.close();
  const root = store.config.storePathRootDir;
  mkdirSync(join(root, "config"), { recursive: true });
  writeFileSync(join(root, "config", "delayOffset.json"), '{"offsetTable":{2:7}}');
  const again = await openStore(t, { storePathRootDir: root, messageDelayLevel: "1h 2h" });
  t.like(again.recovery.progress.cutOffsets, [{ group: undefined, queueId: 1, offset: 7, cutTo: 1, reason: "beyond-end" }]);
});

test("what was cut stays cut when the process is killed before anything is committed", async (t) => {
  const store = await openStore(t);
  await put(store, 5);
  const root = leftByCrash(t, store.config.storePathRootDir);
  await put(store, 5);
  store.consumerOffsets.commit(GROUP, "TopicA", 0, 10);
  await store.consumerOffsets.persist();
  keepConfig(store, root);
  const again = await openStore(t, { storePathRootDir: root });
  await put(again, 7);
  const third = await openStore(t, { storePathRootDir: leftByCrash(t, again.config.storePathRootDir) });
  t.deepEqual(third.recovery.progress.cutOffsets, []);
  t.is(third.consumerOffsets.get(GROUP, "TopicA", 0), 5);
});

test("delay offsets and arrivals that were cut stay cut when the process is killed before the next save", async (t) => {
  const storage = createStorage({ kind: "real" });
  const store = await openStore(t, { messageDelayLevel: "1h 2h" });
  await store.putMessage(message({ delayTimeLevel: 2 }));
  await store.close();
  const root = store.config.storePathRootDir;
  const { delayArrivals, delayOffset } = storePaths(root);
  mkdirSync(join(root, "config"), { recursive: true });
  writeFileSync(delayOffset, '{"offsetTable":{2:7}}');
  const groups = [1, 4, 9].map((end) => [end, 1000] as const);
  writeFileSync(delayArrivals, encodeDelayArrivals({ savedMs: 2000, levels: new Map([[2, groups]]) }));
  const again = await openStore(t, { storePathRootDir: root, messageDelayLevel: "1h 2h" });
  t.deepEqual(readDelayArrivals(storage, delayArrivals), { savedMs: 2000, levels: new Map([[2, [[1, 1000]]]]) });
  for (let n = 0; n < 8; n++) await again.putMessage(message({ delayTimeLevel: 2 }));
  await until(() => again.dispatchBehindBytes === 0);
  const third = await openStore(t, { storePathRootDir: leftByCrash(t, again.config.storePathRootDir), messageDelayLevel: "1h 2h" });
  t.deepEqual(third.recovery.progress.cutOffsets, []);
  t.like(third.stats().schedule.levels, [{ level: 2, delayOffset: 1, maxOffset: 9 }]);
});

test("offsets that were saved when the log was longer are as old as the log that is left", async (t) => {
  const store = await openStore(t);
  await put(store, 5);
  const root = leftByCrash(t, store.config.storePathRootDir);
  await put(store, 5);
  store.consumerOffsets.commit(GROUP, "TopicA", 0, 4);
  await store.consumerOffsets.persist();
  keepConfig(store, root);
  const again = await openStore(t, { storePathRootDir: root });
  t.is(again.consumerOffsets.get(GROUP, "TopicA", 0), 4);
  await again.deleteTopic("TopicA");
  await put(again, 9);
  const third = await openStore(t, { storePathRootDir: leftByCrash(t, again.config.storePathRootDir) });
  t.is(third.consumerOffsets.get(GROUP, "TopicA", 0), undefined);
});

test("a crash while the store opens forgets no deletion that saved offsets are older than", async (t) => {
  const store = await openStore(t);
  await put(store, 5);
  const root = leftByCrash(t, store.config.storePathRootDir);
  await put(store, 5);
  store.consumerOffsets.commit(GROUP, "TopicA", 0, 4);
  await store.consumerOffsets.persist();
  await store.deleteTopic("TopicA");
  keepConfig(store, root);
  const fault = { operation: "rename", path: "millrace.consumerOffset", after: 0, code: "EIO" } as const;
  await t.throwsAsync(openStore(t, { storePathRootDir: root }, [fault]), { code: "ERR_PATH_UNUSABLE" });
  const again = await openStore(t, { storePathRootDir: root });
  await put(again, 9);
  t.is(again.consumerOffsets.get(GROUP, "TopicA", 0), undefined);
});

test("a commit beyond the end of its queue counts for nothing, and says so", async (t) => {
  const store = await openStore(t);
  await put(store, 3);
  t.true(store.consumerOffsets.commit(GROUP, "TopicA", 0, 3));
  t.false(store.consumerOffsets.commit(GROUP, "TopicA", 0, 4));
  t.is(store.consumerOffsets.get(GROUP, "TopicA", 0), 3);
  t.false(store.consumerOffsets.commit(GROUP, "TopicB", 0, 1));
  t.deepEqual(store.consumerOffsets.get(GROUP, "TopicB", 0), undefined);
});

test("a batch of a queue that was deleted meanwhile cannot be committed to the queue that has its name now", async (t) => {
  const store = await openStore(t);
  await put(store, 3);
  const { value: old } = await store.consume({ topic: "TopicA", queueId: 0, from: "earliest" }).next();
  t.is(old?.nextOffset, 3);
  await store.deleteTopic("TopicA");
  await put(store, 5);
  t.false(store.consumerOffsets.commit(GROUP, "TopicA", 0, 3, old?.queueLife));
  t.is(store.consumerOffsets.get(GROUP, "TopicA", 0), undefined);
  const { value: batch } = await store.consume({ topic: "TopicA", queueId: 0, from: "earliest" }).next();
  t.true(store.consumerOffsets.commit(GROUP, "TopicA", 0, 3, batch?.queueLife));
  t.is(store.consumerOffsets.get(GROUP, "TopicA", 0), 3);
});

test("cleanUnusedTopics forgets the groups' offsets of what it deletes", async (t) => {
  const store = await openStore(t);
  for (const topic of ["TopicA", "Kept"]) {
    await put(store, 3, topic);
    store.consumerOffsets.commit(GROUP, topic, 0, 3);
  }
  t.deepEqual(await store.cleanUnusedTopics(["Kept"]), ["TopicA"]);
  t.is(store.consumerOffsets.get(GROUP, "TopicA", 0), undefined);
  t.is(store.consumerOffsets.get(GROUP, "Kept", 0), 3);
});

test("a crash right after a deletion brings no offset back: what was saved before it is of an earlier life", async (t) => {
  const store = await openStore(t);
  await put(store, 3);
  store.consumerOffsets.commit(GROUP, "TopicA", 0, 3);
  await store.consumerOffsets.persist();
  await store.deleteTopic("TopicA");
  await put(store, 5);
  const again = await openStore(t, { storePathRootDir: leftByCrash(t, store.config.storePathRootDir) });
  const cut = { group: GROUP, topic: "TopicA", queueId: 0, offset: 3, cutTo: undefined, reason: "earlier-life" };
  t.deepEqual(again.recovery.progress.cutOffsets, [cut]);
  t.is(again.consumerOffsets.get(GROUP, "TopicA", 0), undefined);
  t.is(again.getMaxOffsetInQueue("TopicA", 0), 5);
  again.consumerOffsets.commit(GROUP, "TopicA", 0, 2);
  await again.consumerOffsets.persist();
  const third = await openStore(t, { storePathRootDir: leftByCrash(t, again.config.storePathRootDir) });
  t.deepEqual(third.recovery.progress.cutOffsets, []);
  t.is(third.consumerOffsets.get(GROUP, "TopicA", 0), 2);
});

test("offsets of a broker's, of which is not known when they were saved, are kept by a topic that lives again", async (t) => {
  const store = await openStore(t);
  await put(store, 3);
  await store.deleteTopic("TopicA");
  await put(store, 5);
  await store.close();
  const root = store.config.storePathRootDir;
  rmSync(join(root, "config", "millrace.consumerOffset"), { force: true });
  writeFileSync(join(root, "config", "consumerOffset.json"), '{"offsetTable":{"TopicA@billing":{0:4,1:2}}}');
  const again = await openStore(t, { storePathRootDir: root });
  t.is(again.consumerOffsets.get(GROUP, "TopicA", 0), 4);
  t.is(again.consumerOffsets.get(GROUP, "TopicA", 1), 0, "held against the queue's end");
});

test("offsets that a broker has saved after a deletion are kept, though nothing of Millrace's was committed meanwhile", async (t) => {
  const store = await openStore(t);
  await put(store, 3);
  store.consumerOffsets.commit(GROUP, "TopicA", 0, 1);
  await put(store, 3, "TopicB");
  await store.close();
  const root = store.config.storePathRootDir;
  const second = await openStore(t, { storePathRootDir: root });
  await second.deleteTopic("TopicB");
  await put(second, 5, "TopicB");
  await second.close();
  const path = join(root, "config", "consumerOffset.json");
  cpSync(path, `${path}.bak`);
  writeFileSync(path, '{"offsetTable":{"TopicB@billing":{0:4}}}');
  const third = await openStore(t, { storePathRootDir: root });
  t.deepEqual(third.recovery.progress.cutOffsets, []);
  t.is(third.consumerOffsets.get(GROUP, "TopicB", 0), 4);
});

test("a crash after a deletion brings no offset of a broker's back", async (t) => {
  const store = await openStore(t);
  await put(store, 5);
  await store.close();
  const root = store.config.storePathRootDir;
  mkdirSync(join(root, "config"), { recursive: true });
  writeFileSync(join(root, "config", "consumerOffset.json"), '{"offsetTable":{"TopicA@billing":{0:3}}}');
  const second = await openStore(t, { storePathRootDir: root });
  t.is(second.consumerOffsets.get(GROUP, "TopicA", 0), 3);
  await second.deleteTopic("TopicA");
  await put(second, 5);
  const third = await openStore(t, { storePathRootDir: leftByCrash(t, second.config.storePathRootDir) });
  t.is(third.consumerOffsets.get(GROUP, "TopicA", 0), undefined);
});

/** A store whose queues of TopicA have had three messages each, all of which have gone with their segment. */
async function openExpired(t: ExecutionContext, queueIds: readonly number[]): Promise<MessageStore> {
  const store = await openStore(t, { fileReservedTime: 0, deleteCommitLogFilesInterval: 0, cleanResourceInterval: 3_600_000 });
  for (const queueId of queueIds) for (let n = 0; n < 3; n++) await store.putMessage(message({ queueId }));
  for (let n = 0; n < 5; n++) await store.putMessage(numbered(n, SEGMENT_SIZE / 2, { topic: "Filler" }));
  await store.flush();
  await until(() => store.dispatchBehindBytes === 0);
  t.true((await store.deleteExpiredFiles()).deletedSegments > 0);
  return store;
}

test("an offset that is committed while its expired queue is being deleted is not one of the queue that begins again", async (t) => {
  const store = await openExpired(t, [0, 1]);
  const { consumerOffsets } = store;
  const persist = consumerOffsets.persist.bind(consumerOffsets);
  const counted: boolean[] = [];
  consumerOffsets.persist = async () => {
    await persist();
    for (const queueId of [0, 1]) counted.push(consumerOffsets.commit(GROUP, "TopicA", queueId, 3));
  };
  await store.cleanExpiredConsumerQueue();
  consumerOffsets.persist = persist;
  t.deepEqual(counted.slice(0, 2), [true, true]);
  for (const queueId of [0, 1]) t.is(consumerOffsets.get(GROUP, "TopicA", queueId), undefined);
  for (const queueId of [0, 1]) for (let n = 0; n < 5; n++) await store.putMessage(message({ queueId }));
  const again = await openStore(t, { storePathRootDir: leftByCrash(t, store.config.storePathRootDir) });
  for (const queueId of [0, 1]) t.is(again.consumerOffsets.get(GROUP, "TopicA", queueId), undefined);
});

test("cleanExpiredConsumerQueue forgets the offsets durably before the queue is gone", async (t) => {
  const store = await openExpired(t, [0]);
  store.consumerOffsets.commit(GROUP, "TopicA", 0, 3);
  await store.consumerOffsets.persist();
  t.deepEqual(await store.cleanExpiredConsumerQueue(), [{ topic: "TopicA", queueId: 0 }]);
  const file = readFileSync(join(store.config.storePathRootDir, "config", "consumerOffset.json"), "utf8");
  t.false(file.includes("TopicA"));
  await put(store, 5);
  const again = await openStore(t, { storePathRootDir: leftByCrash(t, store.config.storePathRootDir) });
  t.is(again.consumerOffsets.get(GROUP, "TopicA", 0), undefined);
});

test("a damaged file of offsets is reported, and its copy counts", async (t) => {
  const store = await openStore(t, { messageDelayLevel: "0s" });
  await put(store, 3);
  store.consumerOffsets.commit(GROUP, "TopicA", 0, 2);
  await store.putMessage(message({ delayTimeLevel: 1 }));
  await until(() => store.stats().schedule.delivered === 1);
  await store.close();
  const root = store.config.storePathRootDir;
  for (const name of ["consumerOffset", "delayOffset"]) {
    const path = join(root, "config", `${name}.json`);
    writeFileSync(path, readFileSync(path, "utf8").replace("offsetTable", "offsetUable"));
  }
  const again = await openStore(t, { storePathRootDir: root, messageDelayLevel: "0s" });
  t.deepEqual(
    again.recovery.progress.damagedFiles.map(({ takenFrom }) => takenFrom),
    ["consumerOffset", "delayOffset"].map((name) => join(root, "config", `millrace.${name}`)),
  );
  t.is(again.consumerOffsets.get(GROUP, "TopicA", 0), 2);
  t.is(again.stats().schedule.levels[0]?.delayOffset, 1);
});

test("offsets that a close could not save are not saved after it: the directory may be another store's", async (t) => {
  const fault = { operation: "rename", path: "consumerOffset.json", after: 0, times: 1, code: "ENOSPC" } as const;
  const store = await openStore(t, {}, [fault]);
  const told: string[] = [];
  store.on("error", ({ code }) => told.push(code));
  await put(store, 20);
  store.consumerOffsets.commit(GROUP, "TopicA", 0, 5);
  await t.throwsAsync(store.close(), { code: "ERR_PATH_UNUSABLE" });
  const next = await openStore(t, { storePathRootDir: store.config.storePathRootDir });
  next.consumerOffsets.commit(GROUP, "TopicA", 0, 15);
  await next.consumerOffsets.persist();
  await t.throwsAsync(store.consumerOffsets.persist(), { code: "ERR_STORE_CLOSED" });
  const root = leftByCrash(t, store.config.storePathRootDir);
  const again = await openStore(t, { storePathRootDir: root });
  t.is(again.consumerOffsets.get(GROUP, "TopicA", 0), 15);
  t.deepEqual(told, ["ERR_PATH_UNUSABLE"]);
});
