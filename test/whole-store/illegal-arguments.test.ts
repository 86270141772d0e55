import { existsSync } from "node:fs";
import { join } from "node:path";
import { MessageStore, type MessageStoreReads } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { message, openStore } from "../support/temporary-store.js";
import { dispatchedAll } from "../support/until.js";

const NO_INTEGERS: readonly unknown[] = [Number.NaN, 0.5, "0", null, undefined, 2 ** 53, Number.POSITIVE_INFINITY];
const NO_QUEUE_IDS: readonly unknown[] = [...NO_INTEGERS, -1];
const NO_NAMES: readonly unknown[] = [5, "a b", "", null, undefined, "a/b"];

/** Those of a store and those of a reader beside it. */
async function readsOf(t: ExecutionContext, store: MessageStore): Promise<readonly (readonly [string, MessageStoreReads])[]> {
  const reader = await MessageStore.openReadOnly(store.config.storePathRootDir);
  t.teardown(() => reader.close());
  return [
    ["store", store],
    ["reader", reader],
  ];
}

async function filled(t: ExecutionContext): Promise<MessageStore> {
  const store = await openStore(t);
  await store.putMessage(message({ topic: "T" }));
  await store.putMessage(message({ topic: "T" }));
  await dispatchedAll(store);
  return store;
}

test("reads refuse offsets that are none, and take nothing for damage", async (t) => {
  const store = await filled(t);
  const damage: unknown[] = [];
  for (const event of ["error", "corrupt", "rebuilt"] as const) store.on(event, (said) => damage.push(said));
  const code = "ERR_GET_ILLEGAL";
  for (const [who, reads] of await readsOf(t, store)) {
    for (const offset of NO_INTEGERS as number[]) {
      const what = `${who} ${String(offset)}`;
      t.throws(() => reads.getMessageStoreTimestamp("T", 0, offset), { code }, what);
      t.throws(() => reads.getMessageStoreTimestamp("None", 0, offset), { code }, what);
      t.throws(() => reads.lookMessageByOffset(offset), { code }, what);
      t.throws(() => reads.getMessage({ topic: "T", queueId: 0, queueOffset: offset }), { code }, what);
    }
    t.throws(() => reads.lookMessageByOffset(-1), { code }, who);
    t.is(reads.getMessageStoreTimestamp("T", 0, -1), undefined, "none, as in RocketMQ");
    t.is(reads.getMessageStoreTimestamp("T", 0, 2), undefined);
    t.true((reads.getMessageStoreTimestamp("T", 0, 1) ?? 0) > 0);
    t.throws(() => reads.getMaxOffsetInQueue("T", 0, "false" as never), { code }, who);
    for (const time of [Number.NaN, "0", null, new Date(Number.NaN)])
      t.throws(() => reads.getOffsetInQueueByTime("T", 0, time as never), { code }, who);
  }
  t.deepEqual(damage, []);
});

test("reads and consumer offsets refuse what can name no topic, queue or group, whether there is one or not", async (t) => {
  const store = await filled(t);
  store.consumerOffsets.commit("g", "T", 0, 1);
  await store.consumerOffsets.persist();
  for (const [who, reads] of await readsOf(t, store)) {
    const { consumerOffsets } = reads as MessageStore;
    for (const topic of NO_NAMES as string[]) {
      const expected = { code: "ERR_TOPIC_ILLEGAL" };
      t.throws(() => reads.queues(topic), expected, `${who} ${topic}`);
      t.throws(() => reads.getMinOffsetInQueue(topic, 0), expected, `${who} ${topic}`);
      t.throws(() => reads.getEarliestMessageTime(topic, 0), expected, `${who} ${topic}`);
      t.throws(() => consumerOffsets.get("g", topic, 0), expected, `${who} ${topic}`);
    }
    for (const queueId of NO_QUEUE_IDS as number[]) {
      const expected = { code: "ERR_QUEUE_ILLEGAL" };
      t.throws(() => reads.getMaxOffsetInQueue("T", queueId), expected, `${who} ${queueId}`);
      t.throws(() => reads.getMessageStoreTimestamp("T", queueId, 0), expected, `${who} ${queueId}`);
      t.throws(() => reads.getEarliestMessageTime("T", queueId), expected, `${who} ${queueId}`);
      t.throws(() => consumerOffsets.get("g", "T", queueId), expected, `${who} ${queueId}`);
    }
    for (const group of NO_NAMES as string[]) {
      const expected = { code: "ERR_GROUP_ILLEGAL" };
      t.throws(() => consumerOffsets.get(group, "T", 0), expected, `${who} ${group}`);
      t.throws(() => consumerOffsets.committed(group), expected, `${who} ${group}`);
    }
    t.is(consumerOffsets.get("g", "T", 0), 1);
    t.is(consumerOffsets.get("g", "T", 1), undefined);
    t.is(consumerOffsets.get("g", "None", 0), undefined);
    t.is(consumerOffsets.get("none", "T", 0), undefined);
    t.deepEqual(consumerOffsets.committed("none"), []);
    t.deepEqual(reads.queues("T"), [0]);
    t.deepEqual(reads.queues("None"), []);
    t.true((reads.getEarliestMessageTime() ?? 0) > 0);
  }
  for (const group of NO_NAMES as string[]) t.throws(() => store.consumerOffsets.deleteGroup(group), { code: "ERR_GROUP_ILLEGAL" });
  t.false(store.consumerOffsets.deleteGroup("none"));
});

test("what is no batch is refused with the name and the value of what is wrong", async (t) => {
  const store = await openStore(t);
  const host = { address: "10.0.0.1", port: 1 };
  for (const [batch, end] of [
    [[], "batch=[]"],
    ["text", 'batch="text"'],
    [[message(), message({ topic: "TopicB" })], 'topic="TopicB"'],
    [[message(), message({ queueId: 1 })], "queueId=1"],
    [[message(), message({ waitStoreMsgOK: false })], "waitStoreMsgOK=false"],
    [[message(), message({ bornHost: host })], "bornHost={ address: '10.0.0.1', port: 1 }"],
    [[message(), message({ storeHost: host })], "storeHost={ address: '10.0.0.1', port: 1 }"],
  ] as const) {
    const error = await t.throwsAsync(store.putMessages(batch as never), { code: "ERR_BATCH_ILLEGAL" });
    t.true(error.message.endsWith(`: ${end}`), error.message);
  }
});

test("a truncation makes no store where none is, and refuses an offset that is none before it opens one", async (t) => {
  const root = join(temporaryDirectory(t), "typo");
  await t.throwsAsync(MessageStore.truncate({ storePathRootDir: root }, 0), { code: "ERR_PATH_UNUSABLE" });
  t.false(existsSync(root));
  const store = await filled(t);
  await store.close();
  const { storePathRootDir } = store.config;
  for (const offset of [...NO_INTEGERS, -1])
    await t.throwsAsync(MessageStore.truncate({ storePathRootDir }, offset as number), { code: "ERR_TRUNCATE_OFFSET" });
  t.false(existsSync(join(storePathRootDir, "abort")));
});
