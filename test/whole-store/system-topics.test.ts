import { inspect } from "node:util";
import { SCHEDULE_TOPIC, TRANS_HALF_TOPIC, TRANS_OP_HALF_TOPIC } from "@millrace/format";
import type { PreparedMessage, UndecidedMessage } from "@millrace/store";
import test from "ava";
import { message, numbered, openStore } from "../support/temporary-store.js";
import { dispatchedAll, until } from "../support/until.js";

const RESERVED = [
  SCHEDULE_TOPIC,
  TRANS_HALF_TOPIC,
  TRANS_OP_HALF_TOPIC,
  "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC",
  "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC",
  "TRANS_CHECK_MAX_TIME_TOPIC",
  "SELF_TEST_TOPIC",
  "OFFSET_MOVED_EVENT",
];
const REFUSED = { code: "ERR_TOPIC_ILLEGAL", message: /topic=/ };

test("nobody puts into the store's own topics, in whatever way, and nothing is left of the attempt", async (t) => {
  const store = await openStore(t);
  for (const topic of RESERVED) {
    await t.throwsAsync(store.putMessage(message({ topic })), REFUSED, topic);
    await t.throwsAsync(store.putMessage(message({ topic, delayTimeLevel: 1 })), REFUSED, topic);
    await t.throwsAsync(store.putMessages([message({ topic }), message({ topic })]), REFUSED, topic);
    await t.throwsAsync(store.prepareMessage(message({ topic })), REFUSED, topic);
  }
  t.is(store.maxPhysicalOffset, 0);
  t.is((await store.putMessage(message({ topic: "TBW102" }))).status, "PUT_OK", "a broker lets others put there");
});

test("the store's own puts go on, and its topics are shown to those only who ask for them", async (t) => {
  const store = await openStore(t, { messageDelayLevel: "1s 1h" });
  const arrived: string[] = [];
  store.onMessageArriving(({ topic }) => arrived.push(topic));
  t.is((await store.putMessage(numbered(1, 16, { delayTimeLevel: 1 }))).status, "PUT_OK");
  const first = await store.prepareMessage(numbered(2));
  const second = await store.prepareMessage(numbered(3));
  t.is((await store.commitMessage(first.prepared as PreparedMessage)).status, "PUT_OK");
  t.is((await store.rollbackMessage(second.prepared as PreparedMessage)).status, "PUT_OK");
  await until(() => store.getMaxOffsetInQueue("TopicA", 0) === 2);
  await until(() => arrived.length === 2);
  t.deepEqual(arrived, ["TopicA", "TopicA"]);
  t.deepEqual(store.topics(), ["TopicA"]);
  t.deepEqual(store.topics({ systemTopics: true }), [TRANS_HALF_TOPIC, TRANS_OP_HALF_TOPIC, SCHEDULE_TOPIC, "TopicA"]);
  t.throws(() => store.topics({ systemTopic: true } as never), { code: "ERR_GET_ILLEGAL", message: /systemTopics/ });
  t.throws(() => store.onMessageArriving(() => {}, { systemTopic: true } as never), { code: "ERR_LISTENER_ILLEGAL" });
});

test("an undecided message shows the topic, the queue and the properties that its producer gave it", async (t) => {
  const store = await openStore(t);
  await store.prepareMessage(message({ topic: "Orders", queueId: 3, body: Buffer.from("b"), keys: ["k"], properties: { a: "1" } }));
  await dispatchedAll(store);
  const found: UndecidedMessage[] = [];
  for await (const one of store.undecidedMessages()) found.push(one);
  const [undecided] = found;
  t.is(found.length, 1);
  for (const shown of [undecided?.message, undecided?.message.copy(), undecided?.message.toObject()]) {
    t.like(shown, { topic: "Orders", queueId: 3, queueOffset: 0, keys: ["k"] });
    t.is(Buffer.from(shown?.body ?? []).toString(), "b");
  }
  t.deepEqual([...(undecided?.message.properties ?? [])].sort(), [
    ["KEYS", "k"],
    ["a", "1"],
  ]);
  t.is(undecided?.message.property("REAL_TOPIC"), undefined);
  t.is(undecided?.message.property("a"), "1");
  t.notRegex(inspect(undecided), /RMQ_SYS/);
});
