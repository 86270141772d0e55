import { rmSync } from "node:fs";
import { encodeHost, encodeMessageId } from "@millrace/format";
import test from "ava";
import { BuiltStore } from "../../../support/built-store.js";
import { CommitLogBuilder } from "../../../support/commit-log-builder.js";

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

/** Queue 0 of TopicA in several segments; the store timestamps are one millisecond apart. */
function logOf(count: number): CommitLogBuilder {
  const builder = new CommitLogBuilder();
  for (let n = 0; n < count; n++) builder.add({ body: Buffer.from(String(n)) });
  return builder;
}

test("a message is found by its offset in the log, and nothing in between is", (t) => {
  const builder = logOf(80);
  const store = new BuiltStore(t, builder);
  const starts = new Map(builder.records.map(({ offset }, n) => [offset, n]));
  for (let offset = -2; offset < builder.offset + 200; offset++) {
    const message = store.reader.lookMessageByOffset(offset);
    const n = starts.get(offset);
    t.is(text(message?.body), n === undefined ? "" : String(n));
    t.is(message?.physicalOffset, n === undefined ? undefined : offset);
  }
  for (const offset of [Number.NaN, 0.5, Infinity, -Infinity, "0" as never, undefined as never]) {
    t.is(store.reader.lookMessageByOffset(offset), undefined);
  }
  const [first] = builder.records;
  t.is(text(store.reader.lookMessageByOffset(0, first?.length)?.body), "0");
  t.is(store.reader.lookMessageByOffset(0, 1), undefined);
});

test("a body that looks like a record is not taken for one", (t) => {
  const builder = logOf(1);
  const inner = builder.image(0).slice(0, builder.offset);
  builder.add({ body: inner });
  const store = new BuiltStore(t, builder);
  const bodyAt = (builder.records[1]?.offset ?? 0) + 88;
  t.is(text(store.reader.lookMessageByOffset(bodyAt)?.body), "");
});

test("a lookup needs no lease: the message is a copy", (t) => {
  const store = new BuiltStore(t, logOf(80));
  const message = store.reader.lookMessageByOffset(0);
  t.is(store.reader.commitLog.heldFrom(), undefined);
  store.reader.close();
  t.is(text(message?.body), "0");
});

test("nothing below the log's minimum or behind what may be shown is looked up", (t) => {
  const builder = logOf(80);
  const store = new BuiltStore(t, builder);
  const { offset, length } = builder.records.at(-1) ?? { offset: 0, length: 0 };
  store.setMinOffset(4096);
  t.is(store.reader.lookMessageByOffset(0), undefined);
  t.is(text(store.reader.lookMessageByOffset(offset)?.body), "79");
  store.setWroteOffset(offset + length - 1);
  t.is(store.reader.lookMessageByOffset(offset), undefined);
  rmSync(store.segmentPath(8192), { force: true });
  store.reader.commitLog.releaseByForce(Infinity);
  t.is(store.reader.lookMessageByOffset(8192), undefined);
});

test("a message is found by its id, in either case, and by no other store's", (t) => {
  const builder = logOf(3);
  const store = new BuiltStore(t, builder);
  const { offset } = builder.records[2] ?? { offset: 0 };
  const id = encodeMessageId(encodeHost({ address: "127.0.0.1", port: 10911 }), offset);
  t.is(text(store.reader.lookMessageById(id)?.body), "2");
  t.is(store.reader.lookMessageById(id)?.msgId, id);
  t.is(text(store.reader.lookMessageById(id.toLowerCase())?.body), "2");
  t.is(store.reader.lookMessageById(encodeMessageId(encodeHost({ address: "127.0.0.2", port: 10911 }), offset)), undefined);
  t.is(store.reader.lookMessageById(encodeMessageId(encodeHost({ address: "127.0.0.1", port: 10911 }), offset + 1)), undefined);
  for (const bad of ["", "xyz", `${id}00`, undefined, 5])
    t.throws(() => store.reader.lookMessageById(bad as string), { code: "ERR_MESSAGE_ID_ILLEGAL" });
});

test("the offsets of a queue: what can be read, and what has been put", (t) => {
  const store = new BuiltStore(t, logOf(10));
  store.setQueue("TopicA", 0, { min: 2, max: 7 });
  const { reader } = store;
  t.is(reader.getMinOffsetInQueue("TopicA", 0), 2);
  t.is(reader.getMaxOffsetInQueue("TopicA", 0), 7);
  t.is(reader.getMaxOffsetInQueue("TopicA", 0, false), 10);
  t.is(reader.getMinOffsetInQueue("TopicA", 1), 0);
  t.is(reader.getMaxOffsetInQueue("TopicA", 1), 0);
  t.is(reader.getMaxOffsetInQueue("None", 0, false), 0);
  t.throws(() => reader.getMinOffsetInQueue("TopicA", -1), { code: "ERR_QUEUE_ILLEGAL" });
  t.throws(() => reader.getMaxOffsetInQueue(5 as never, 0), { code: "ERR_TOPIC_ILLEGAL" });
});

test("the store timestamp of a message, -1 where there is none", (t) => {
  const builder = logOf(80);
  const store = new BuiltStore(t, builder);
  const { reader } = store;
  t.is(reader.getMessageStoreTimestamp("TopicA", 0, 5), builder.records[5]?.storeTimestamp ?? 0);
  t.is(reader.getMessageStoreTimestamp("TopicA", 0, 80), undefined);
  t.is(reader.getMessageStoreTimestamp("TopicA", 0, -1), undefined);
  t.throws(() => reader.getMessageStoreTimestamp("TopicA", 0, Number.NaN), { code: "ERR_GET_ILLEGAL" });
  t.is(reader.getMessageStoreTimestamp("TopicA", 9, 0), undefined);
  const { offset, length, storeTimestamp } = builder.records[1] ?? { offset: 0, length: 0, storeTimestamp: 0 };
  t.is(reader.pickupStoreTimestamp(offset), storeTimestamp);
  t.is(reader.pickupStoreTimestamp(offset, length), storeTimestamp);
  t.is(reader.pickupStoreTimestamp(offset, length - 1), undefined);
  t.is(reader.pickupStoreTimestamp(offset + 1), undefined);
  store.setMinOffset(4096);
  t.is(reader.getMessageStoreTimestamp("TopicA", 0, 5), undefined);
  t.is(reader.pickupStoreTimestamp(offset, length), undefined);
});

test("the earliest message of a queue and of the log", (t) => {
  const builder = logOf(80);
  builder.add({ topic: "TopicB", queueId: 3 });
  const store = new BuiltStore(t, builder);
  t.is(store.reader.getEarliestMessageTime(), builder.records[0]?.storeTimestamp ?? 0);
  t.is(store.reader.getEarliestMessageTime("TopicB", 3), builder.lastStoreTimestamp);
  t.is(store.reader.getEarliestMessageTime("TopicB", 4), undefined);
  store.setQueue("TopicA", 0, { min: 7 });
  t.is(store.reader.getEarliestMessageTime("TopicA", 0), builder.records[7]?.storeTimestamp ?? 0);
  store.setMinOffset(4096);
  t.is(store.reader.getEarliestMessageTime(), builder.records.find(({ offset }) => offset >= 4096)?.storeTimestamp ?? 0);
  t.is(new BuiltStore(t, new CommitLogBuilder()).reader.getEarliestMessageTime(), undefined);
});

test("ids of the messages of a queue, with their queue offsets", (t) => {
  const builder = logOf(5);
  const store = new BuiltStore(t, builder);
  const ids = store.reader.getMessageIds("TopicA", 0, 1, 4);
  t.deepEqual([...ids.values()], [1, 2, 3]);
  for (const [id, queueOffset] of ids) t.is(store.reader.lookMessageById(id)?.queueOffset, queueOffset);
  t.is(store.reader.getMessageIds("TopicA", 0, -5, 500).size, 5);
  t.is(store.reader.getMessageIds("TopicA", 1, 0, 500).size, 0);
});

test("topics and queues that hold messages are listed, sorted", (t) => {
  const builder = new CommitLogBuilder();
  for (const [topic, queueId] of [
    ["b", 10],
    ["b", 9],
    ["a", 0],
    ["__proto__", 2],
  ] as const)
    builder.add({ topic, queueId });
  const store = new BuiltStore(t, builder);
  store.setQueue("named-only", 0, {});
  store.setQueue("b", 11, {});
  t.deepEqual(store.reader.topics(true), ["__proto__", "a", "b"]);
  t.deepEqual(store.reader.queues("b"), [9, 10]);
  t.deepEqual(store.reader.queues("named-only"), []);
  t.deepEqual(store.reader.queues("none"), []);
});

test("after close every lookup says so", (t) => {
  const { reader } = new BuiltStore(t, logOf(1));
  reader.close();
  const calls = [
    () => reader.lookMessageByOffset(0),
    () => reader.lookMessageById(""),
    () => reader.getMinOffsetInQueue("TopicA", 0),
    () => reader.getMaxOffsetInQueue("TopicA", 0),
    () => reader.getMessageStoreTimestamp("TopicA", 0, 0),
    () => reader.getEarliestMessageTime(),
    () => reader.getOffsetInQueueByTime("TopicA", 0, 0),
    () => reader.getMessageIds("TopicA", 0, 0, 1),
    () => reader.topics(true),
    () => reader.queues("TopicA"),
  ];
  for (const call of calls) t.throws(call, { code: "ERR_STORE_CLOSED" });
});
