import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Fault } from "@millrace/mapped-file";
import type { MessageStore, MessageStoreOptions } from "@millrace/store";
import test from "ava";
import { OpenStore } from "#store/open/open-store.js";
import { leftByCrash } from "../support/left-by-crash.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { numbered, openStore } from "../support/temporary-store.js";
import { dispatchedAll } from "../support/until.js";

const OPTIONS: MessageStoreOptions = {
  mappedFileSizeCommitLog: 16 * 1024,
  mappedFileSizeConsumeQueue: 140,
  maxHashSlotNum: 10,
  maxIndexNum: 100,
  fileReservedTime: 0,
  deleteCommitLogFilesInterval: 0,
  deleteConsumeQueueFilesInterval: 0,
};

/** Delayed, prepared, timed and popped messages wait in them; the broker's own notes are in the others. */
const BROKERS_TOPICS = [
  "SCHEDULE_TOPIC_XXXX",
  "RMQ_SYS_TRANS_HALF_TOPIC",
  "RMQ_SYS_TRANS_OP_HALF_TOPIC",
  "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC",
  "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC",
  "TRANS_CHECK_MAX_TIME_TOPIC",
  "SELF_TEST_TOPIC",
  "OFFSET_MOVED_EVENT",
  "rmq_sys_wheel_timer",
  "rmq_sys_REVIVE_LOG_DefaultCluster",
];

async function put(store: MessageStore, count: number, topic: string, queueId = 0): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, n) => store.putMessage(numbered(n, 100, { topic, queueId }))));
}

/** [minOffset, maxOffset] of a queue. */
function bounds(store: MessageStore, topic: string, queueId = 0): [number, number] {
  using found = store.getMessage({ topic, queueId, queueOffset: 0 });
  return [found.minOffset, found.maxOffset];
}

function topicDirectories(store: MessageStore): string[] {
  return readdirSync(join(store.config.storePathRootDir, "consumequeue")).sort();
}

test.serial("a deleted topic is gone with its directories, and begins again when it is put again", async (t) => {
  const store = await openStore(t, OPTIONS);
  await put(store, 20, "Doomed");
  await put(store, 5, "Doomed", 3);
  await put(store, 4, "Other");
  await store.deleteTopic("Doomed");
  await dispatchedAll(store);
  t.deepEqual(topicDirectories(store), ["Other"]);
  t.deepEqual(bounds(store, "Doomed"), [0, 0]);
  t.deepEqual(bounds(store, "Other"), [0, 4]);
  t.is((await store.putMessage(numbered(7, 100, { topic: "Doomed" }))).appendResult?.queueOffset, 0);
  await dispatchedAll(store);
  t.deepEqual(bounds(store, "Doomed"), [0, 1]);
  t.deepEqual(bounds(store, "Doomed", 3), [0, 0]);
});

test.serial("records of a deleted topic do not come back, neither after a clean end nor after a crash; new ones do", async (t) => {
  const store = await openStore(t, OPTIONS);
  await put(store, 20, "Doomed");
  await put(store, 4, "Other");
  await store.deleteTopic("Doomed");
  await put(store, 3, "Doomed");
  await dispatchedAll(store);
  await store.flush();
  const copy = leftByCrash(t, store.config.storePathRootDir);
  await store.close();
  for (const [storePathRootDir, lastExitOk] of [
    [store.config.storePathRootDir, true],
    [copy, false],
  ] as const) {
    const again = await openStore(t, { ...OPTIONS, storePathRootDir });
    t.is(again.recovery.lastExitOk, lastExitOk);
    t.deepEqual(bounds(again, "Doomed"), [0, 3]);
    t.deepEqual(bounds(again, "Other"), [0, 4]);
    t.is((await again.putMessage(numbered(3, 100, { topic: "Doomed" }))).appendResult?.queueOffset, 3);
    await again.close();
  }
});

test.serial("a topic deleted for good does not come back after a restart", async (t) => {
  const store = await openStore(t, OPTIONS);
  await put(store, 20, "Doomed");
  await store.deleteTopic("Doomed");
  await store.close();
  const again = await openStore(t, { ...OPTIONS, storePathRootDir: store.config.storePathRootDir });
  t.deepEqual(bounds(again, "Doomed"), [0, 0]);
  t.is((await again.putMessage(numbered(3, 100, { topic: "Doomed" }))).appendResult?.queueOffset, 0);
});

test.serial("a deletion that stops half-way is told; a restart ends it", async (t) => {
  const fault: Fault = { operation: "remove", path: "Doomed", after: 1, code: "EIO" };
  const store = await openStore(t, OPTIONS, [fault]);
  await put(store, 20, "Doomed");
  await dispatchedAll(store);
  await t.throwsAsync(store.deleteTopic("Doomed"), { code: "ERR_TOPIC_NOT_DELETED" });
  t.true(existsSync(join(store.config.storePathRootDir, "consumequeue/Doomed/0")));
  t.deepEqual(bounds(store, "Doomed"), [0, 0]);
  await store.close();
  const again = await openStore(t, { ...OPTIONS, storePathRootDir: store.config.storePathRootDir });
  t.deepEqual(bounds(again, "Doomed"), [0, 0]);
  t.is((await again.putMessage(numbered(0, 100, { topic: "Doomed" }))).appendResult?.queueOffset, 0);
  await dispatchedAll(again);
  t.deepEqual(bounds(again, "Doomed"), [0, 1]);
});

test.serial("puts of a topic that is being deleted are refused, those before are deleted, and others go on", async (t) => {
  const store = await openStore(t, OPTIONS);
  const before = Array.from({ length: 50 }, (_, n) => store.putMessage(numbered(n, 100, { topic: "Doomed" })));
  const deletion = store.deleteTopic("Doomed");
  await Promise.resolve();
  await t.throwsAsync(store.putMessage(numbered(0, 100, { topic: "Doomed" })), { code: "ERR_TOPIC_SUSPENDED" });
  await put(store, 3, "Other");
  await deletion;
  t.true((await Promise.all(before)).every(({ status }) => status === "PUT_OK"));
  await put(store, 2, "Doomed");
  await dispatchedAll(store);
  t.deepEqual(bounds(store, "Doomed"), [0, 2]);
  t.deepEqual(bounds(store, "Other"), [0, 3]);
});

test.serial("a topic that is not there is deleted without a word; what is no topic is refused", async (t) => {
  const store = await openStore(t, OPTIONS);
  await store.deleteTopic("Nothing");
  for (const name of ["../commitlog", "", undefined, 5] as string[]) {
    await t.throwsAsync(store.deleteTopic(name), { code: "ERR_TOPIC_ILLEGAL" });
  }
});

test.serial("cleanUnusedTopics deletes nothing for what is no list of topics", async (t) => {
  const store = await openStore(t, OPTIONS);
  await put(store, 2, "Kept");
  for (const retain of [undefined, null, "Kept", 5, [undefined], ["Kept", 5]] as string[][]) {
    await t.throwsAsync(store.cleanUnusedTopics(retain), { code: "ERR_TOPIC_ILLEGAL" });
  }
  t.deepEqual(store.topics(), ["Kept"]);
});

test.serial("cleanUnusedTopics keeps the retained ones, RocketMQ's own, and those of groups", async (t) => {
  const store = await openStore(t, OPTIONS);
  for (const topic of ["Kept", "Unused", "TBW102", "rmq_sys_x", "%RETRY%group", "%DLQ%group", "Unused-2"])
    await put(store, 2, topic);
  await store.putMessage(numbered(0, 100, { topic: "Kept", delayTimeLevel: 3 }));
  t.deepEqual(await store.cleanUnusedTopics(["Kept"]), ["Unused", "Unused-2"]);
  await dispatchedAll(store);
  t.deepEqual(topicDirectories(store), ["%DLQ%group", "%RETRY%group", "Kept", "SCHEDULE_TOPIC_XXXX", "TBW102", "rmq_sys_x"]);
});

test.serial("cleanExpiredConsumerQueue deletes the queues whose records are all gone, and only those", async (t) => {
  const store = await openStore(t, OPTIONS);
  await put(store, 9, "Old", 0);
  await put(store, 9, "Old", 1);
  await put(store, 9, "BenchmarkTest");
  await put(store, 200, "New");
  await put(store, 1, "Old", 1);
  await store.flush();
  await dispatchedAll(store);
  t.deepEqual(await store.cleanExpiredConsumerQueue(), []);
  t.true((await store.deleteExpiredFiles()).deletedSegments > 0);
  t.deepEqual(bounds(store, "Old"), [9, 9]);
  t.deepEqual(await store.cleanExpiredConsumerQueue(), [{ topic: "Old", queueId: 0 }]);
  t.deepEqual(readdirSync(join(store.config.storePathRootDir, "consumequeue/Old")), ["1"]);
  t.deepEqual(bounds(store, "Old"), [0, 0]);
  t.deepEqual(bounds(store, "Old", 1), [9, 10]);
  t.deepEqual(bounds(store, "BenchmarkTest"), [9, 9]);
  t.is((await store.putMessage(numbered(0, 100, { topic: "Old" }))).appendResult?.queueOffset, 0);
  await dispatchedAll(store);
  t.deepEqual(bounds(store, "Old"), [0, 1]);
});

test.serial("topics in which RocketMQ itself keeps messages are never deleted", async (t) => {
  const storePathRootDir = temporaryDirectory(t);
  const open = await OpenStore.open({ ...OPTIONS, storePathRootDir }, { kind: "real" });
  for (const topic of BROKERS_TOPICS) await open.put.putOwnMessage(numbered(0, 100, { topic }));
  await open.close();
  const store = await openStore(t, { ...OPTIONS, storePathRootDir });
  for (const topic of BROKERS_TOPICS) await t.throwsAsync(store.deleteTopic(topic), { code: "ERR_TOPIC_ILLEGAL" }, topic);
  t.deepEqual(await store.cleanUnusedTopics([]), []);
  t.deepEqual(topicDirectories(store), [...BROKERS_TOPICS].sort());
});

test.serial("a consumer group begins again with a topic that was deleted, and keeps its other offsets", async (t) => {
  const store = await openStore(t);
  await store.putMessage(numbered(1));
  const { topic } = numbered(1);
  await store.putMessage(numbered(1, 16, { topic: "Other" }));
  store.consumerOffsets.commit("group", topic, 0, 1);
  store.consumerOffsets.commit("group", "Other", 0, 1);
  await store.deleteTopic(topic);
  await store.close();
  const reopened = await openStore(t, { storePathRootDir: store.config.storePathRootDir });
  t.is(reopened.consumerOffsets.get("group", topic, 0), undefined);
  t.is(reopened.consumerOffsets.get("group", "Other", 0), 1);
});
