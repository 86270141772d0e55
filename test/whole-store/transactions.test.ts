import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TRANS_HALF_TOPIC, TRANS_OP_HALF_TOPIC } from "@millrace/format";
import type { MessageStore, PreparedMessage, UndecidedMessage, UndecidedRequest } from "@millrace/store";
import test from "ava";
import { OpenStore } from "#store/open/open-store.js";
import { leftByCrash } from "../support/left-by-crash.js";
import { messagesOf } from "../support/stored-messages.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { message, numbered, numberOf, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";
import { dispatchedAll, until } from "../support/until.js";

const numbers = (messages: Iterable<{ readonly body: Uint8Array }>): number[] => Array.from(messages, ({ body }) => numberOf(body));

async function prepare(store: MessageStore, n: number): Promise<PreparedMessage> {
  const { prepared } = await store.prepareMessage(numbered(n));
  if (prepared === null) throw new Error("not prepared");
  return prepared;
}

async function undecided(store: MessageStore, request?: UndecidedRequest): Promise<UndecidedMessage[]> {
  const found: UndecidedMessage[] = [];
  for await (const one of store.undecidedMessages(request)) found.push(one);
  return found;
}

test.serial("a prepared message is seen when it is committed, as it was given", async (t) => {
  const store = await openStore(t);
  const given = message({
    queueId: 2,
    body: Buffer.from("hello"),
    tags: "TagA",
    keys: "K1",
    properties: { a: "b" },
    flag: 5,
    bornTimestamp: 1_700_000_000_000,
  });
  const result = await store.prepareMessage(given);
  t.is(result.status, "PUT_OK");
  const prepared = result.prepared as PreparedMessage;
  t.deepEqual(prepared, { physicalOffset: 0, queueOffset: 0, msgId: result.appendResult?.msgId ?? "" });
  await dispatchedAll(store);
  t.deepEqual([store.topics(), store.topics({ systemTopics: true })], [[], [TRANS_HALF_TOPIC]]);
  t.is((await store.commitMessage(prepared)).status, "PUT_OK");
  await dispatchedAll(store);
  const [seen] = messagesOf(store, "TopicA", 2);
  t.is(Buffer.from(seen?.body ?? []).toString(), "hello");
  t.like(seen, { tags: "TagA", flag: 5, bornTimestamp: 1_700_000_000_000, preparedTransactionOffset: 0, sysFlag: 8 });
  t.deepEqual([...(seen?.properties ?? [])].sort(), [
    ["KEYS", "K1"],
    ["TAGS", "TagA"],
    ["a", "b"],
  ]);
});

test.serial("the half message and the op record are RocketMQ's", async (t) => {
  const store = await openStore(t);
  const first = await prepare(store, 1);
  const second = await store.prepareMessage(numbered(2, 16, { sysFlag: 4 | 1 }));
  await store.rollbackMessage(second.prepared as PreparedMessage);
  await store.commitMessage(first);
  await dispatchedAll(store);
  const halfs = messagesOf(store, TRANS_HALF_TOPIC);
  t.deepEqual(numbers(halfs), [1, 2]);
  t.deepEqual(
    halfs.map(({ sysFlag }) => sysFlag),
    [0, 1],
  );
  for (const half of halfs) {
    t.deepEqual([half.property("REAL_TOPIC"), half.property("REAL_QID"), half.property("TRAN_MSG")], ["TopicA", "0", "true"]);
  }
  const ops = messagesOf(store, TRANS_OP_HALF_TOPIC);
  t.deepEqual(numbers(ops), [1, 0]);
  t.deepEqual(
    ops.map(({ tags }) => tags),
    ["d", "d"],
  );
  t.deepEqual(numbers(messagesOf(store)), [1]);
});

test.serial("who decides twice is told, and nothing is put twice", async (t) => {
  const store = await openStore(t);
  const committed = await prepare(store, 1);
  const rolledBack = await prepare(store, 2);
  const both = await Promise.allSettled([store.commitMessage(committed), store.commitMessage(committed)]);
  t.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  await store.rollbackMessage(rolledBack);
  for (const prepared of [committed, rolledBack]) {
    await t.throwsAsync(store.commitMessage(prepared), { code: "ERR_TRANSACTION_DECIDED" });
    await t.throwsAsync(store.rollbackMessage(prepared), { code: "ERR_TRANSACTION_DECIDED" });
  }
  await dispatchedAll(store);
  t.deepEqual(numbers(messagesOf(store)), [1]);
  t.is(store.getMaxOffsetInQueue(TRANS_OP_HALF_TOPIC, 0), 2);
});

test.serial("a name that no half message has", async (t) => {
  const store = await openStore(t);
  const prepared = await prepare(store, 1);
  const other = await store.putMessage(numbered(2));
  await dispatchedAll(store);
  const names: unknown[] = [
    { ...prepared, queueOffset: 1 },
    { ...prepared, physicalOffset: 1e9 },
    { ...prepared, physicalOffset: other.appendResult?.wroteOffset },
    { ...prepared, physicalOffset: -1 },
    { ...prepared, physicalOffset: "0" },
    {},
    null,
  ];
  for (const name of names) {
    await t.throwsAsync(store.commitMessage(name as PreparedMessage), { code: "ERR_TRANSACTION_UNKNOWN" }, JSON.stringify(name));
  }
  await t.throwsAsync(store.rollbackMessage({ ...prepared, physicalOffset: 7 }), { code: "ERR_TRANSACTION_UNKNOWN" });
  t.is((await undecided(store)).length, 1);
});

test.serial("what is no message is refused before anything is put", async (t) => {
  const store = await openStore(t);
  await t.throwsAsync(store.prepareMessage(message({ topic: "a/b" })), { code: "ERR_TOPIC_ILLEGAL" });
  await t.throwsAsync(store.prepareMessage(message({ topic: TRANS_HALF_TOPIC })), { code: "ERR_TOPIC_ILLEGAL" });
  await t.throwsAsync(store.prepareMessage(message({ queueId: -1 })), { code: "ERR_QUEUE_ILLEGAL" });
  await t.throwsAsync(store.prepareMessage(message({ delayTimeLevel: 1 })), { code: "ERR_TRANSACTION_DELAYED" });
  await t.throwsAsync(store.prepareMessage(message({ properties: 7 as never })), { code: "ERR_PROPERTY_ILLEGAL" });
  await t.throwsAsync(store.prepareMessage(null as never), { code: "ERR_MESSAGE_ILLEGAL" });
  const large = await store.prepareMessage(message({ body: new Uint8Array(store.config.maxMessageSize + 1) }));
  t.is(large.status, "MESSAGE_ILLEGAL");
  t.is(large.prepared, null);
  t.is(store.maxPhysicalOffset, 0);
});

test.serial("the undecided are listed, oldest first, when they are old enough", async (t) => {
  const store = await openStore(t);
  const all = [];
  for (let n = 0; n < 10; n++) all.push(await prepare(store, n));
  await store.commitMessage(all[0] as PreparedMessage);
  await store.rollbackMessage(all[4] as PreparedMessage);
  await dispatchedAll(store);
  const found = await undecided(store);
  t.deepEqual(numbers(found.map((one) => one.message)), [1, 2, 3, 5, 6, 7, 8, 9]);
  t.deepEqual(found[0]?.prepared, all[1]);
  t.like(found[0], { topic: "TopicA", queueId: 0, storeTimestamp: found[0]?.message.storeTimestamp as number });
  t.deepEqual(numbers((await undecided(store, { limit: 2 })).map((one) => one.message)), [1, 2]);
  t.deepEqual(await undecided(store, { olderThanMs: 60_000 }), []);
  t.deepEqual(await undecided(store, { signal: AbortSignal.abort() }), []);
  for await (const one of store.undecidedMessages()) await store.rollbackMessage(one.prepared);
  t.deepEqual(await undecided(store), []);
  await t.throwsAsync(undecided(store, { olderThanMs: -1 }), { code: "ERR_UNDECIDED_ILLEGAL" });
});

test.serial("a closed store decides nothing, lists nothing, and says why", async (t) => {
  const store = await openStore(t);
  const prepared = await prepare(store, 1);
  await dispatchedAll(store);
  await store.close();
  await t.throwsAsync(store.commitMessage(prepared), { code: "ERR_STORE_CLOSED" });
  await t.throwsAsync(store.rollbackMessage(prepared), { code: "ERR_STORE_CLOSED" });
  await t.throwsAsync(undecided(store), { code: "ERR_STORE_CLOSED" });
  if (process.platform === "linux") t.false(readFileSync("/proc/self/maps", "utf8").includes(store.config.storePathRootDir));
});

test.serial("after a restart, what was decided stays decided, and names are still good", async (t) => {
  const storePathRootDir = temporaryDirectory(t);
  const first = await openStore(t, { storePathRootDir });
  const all: PreparedMessage[] = [];
  for (let n = 0; n < 6; n++) all.push(await prepare(first, n));
  await first.commitMessage(all[0] as PreparedMessage);
  await first.rollbackMessage(all[2] as PreparedMessage);
  await first.commitMessage(all[5] as PreparedMessage);
  await first.close();
  const names = JSON.parse(JSON.stringify(all)) as PreparedMessage[];
  const second = await openStore(t, { storePathRootDir });
  t.deepEqual(numbers((await undecided(second)).map((one) => one.message)), [1, 3, 4]);
  for (const n of [0, 2, 5]) {
    await t.throwsAsync(second.commitMessage(names[n] as PreparedMessage), { code: "ERR_TRANSACTION_DECIDED" });
  }
  for (const n of [1, 3, 4]) await second.commitMessage(names[n] as PreparedMessage);
  await second.close();
  const offsets = JSON.parse(readFileSync(join(storePathRootDir, "config", "consumerOffset.json"), "utf8")).offsetTable;
  t.deepEqual(offsets[`${TRANS_HALF_TOPIC}@CID_RMQ_SYS_TRANS`], { 0: 6 });
  t.deepEqual(offsets[`${TRANS_OP_HALF_TOPIC}@CID_RMQ_SYS_TRANS`], { 0: 6 });
  const third = await openStore(t, { storePathRootDir });
  t.deepEqual(await undecided(third), []);
  await t.throwsAsync(third.commitMessage(names[1] as PreparedMessage), { code: "ERR_TRANSACTION_DECIDED" });
  t.deepEqual(numbers(messagesOf(third)).sort(), [0, 1, 3, 4, 5]);
});

test.serial("after a crash it is known from the op records alone", async (t) => {
  const root = temporaryDirectory(t);
  const store = await openStore(t, { storePathRootDir: root });
  const all: PreparedMessage[] = [];
  for (let n = 0; n < 5; n++) all.push(await prepare(store, n));
  await store.commitMessage(all[1] as PreparedMessage);
  await store.rollbackMessage(all[3] as PreparedMessage);
  const after = await openStore(t, { storePathRootDir: leftByCrash(t, root) });
  t.deepEqual(numbers((await undecided(after)).map((one) => one.message)), [0, 2, 4]);
  await t.throwsAsync(after.rollbackMessage(all[1] as PreparedMessage), { code: "ERR_TRANSACTION_DECIDED" });
});

test.serial("op records of RocketMQ 5 name several half messages; what is no offset is passed over", async (t) => {
  const options = { storePathRootDir: temporaryDirectory(t), mappedFileSizeCommitLog: SEGMENT_SIZE };
  const before = await openStore(t, options);
  for (let n = 0; n < 6; n++) await prepare(before, n);
  await before.close();
  const broker = await OpenStore.open(options, { kind: "real" });
  for (const [body, tags] of [
    ["0,2,3", "d"],
    ["4", "other"],
    ["x,,-1,1e3,99999999999999999999,8000000000000000", "d"],
  ] as const) {
    await broker.put.putOwnMessage(message({ topic: TRANS_OP_HALF_TOPIC, body: Buffer.from(body), tags }));
  }
  await broker.close();
  const store = await openStore(t, options);
  await dispatchedAll(store);
  t.deepEqual(numbers((await undecided(store)).map((one) => one.message)), [1, 4, 5]);
});

test.serial("with the pool a message that was just prepared can be committed at once", async (t) => {
  const store = await openStore(t, { transientStorePoolEnable: true, commitIntervalCommitLog: 50 });
  await store.commitMessage(await prepare(store, 1));
  await until(() => messagesOf(store).length === 1);
  t.pass();
});
