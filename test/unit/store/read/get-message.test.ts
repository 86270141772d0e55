import { rmSync } from "node:fs";
import test from "ava";
import { CONSUME_QUEUE_FILL_SIZE } from "#format/consume-queue-descriptor.js";
import { ArrivalSignal } from "#store/consume/arrival-signal.js";
import { MessageConsumers } from "#store/consume/message-consumers.js";
import type { GetMessageRequest } from "#store/read/message-getter.js";
import { BuiltStore, UNITS_PER_FILE } from "../../../support/built-store.js";
import { CommitLogBuilder } from "../../../support/commit-log-builder.js";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const SLAVE = { brokerRole: "SLAVE", haMasterAddress: "127.0.0.1:10912" } as const;
const QUEUE = { topic: "TopicA", queueId: 0 };

/** `count` messages in queue 0 of TopicA, the bodies being their queue offsets. */
function logOf(count: number, segmentSize = 4096, properties = (_n: number): string => "TAGS\x01TagA\x02"): CommitLogBuilder {
  const builder = new CommitLogBuilder(segmentSize);
  for (let n = 0; n < count; n++) builder.add({ body: Buffer.from(String(n)), properties: properties(n) });
  return builder;
}

/** What a get says, its bodies as text. */
function get(store: BuiltStore, request: Partial<GetMessageRequest>) {
  using found = store.reader.getMessage({ ...QUEUE, queueOffset: 0, ...request });
  const { status, nextBeginOffset, minOffset, maxOffset, bufferTotalSize } = found;
  const bodies = found.messages.map(({ body }) => text(body));
  return { status, next: nextBeginOffset, min: minOffset, max: maxOffset, bodies, bufferTotalSize };
}

test("each message is found by its queue offset, and the next one is told", (t) => {
  const builder = logOf(100);
  const store = new BuiltStore(t, builder);
  for (let queueOffset = 0; queueOffset < 100; queueOffset++) {
    const found = get(store, { queueOffset, maxMessages: 1 });
    const { length } = builder.records[queueOffset] ?? { length: 0 };
    t.deepEqual(found, {
      status: "FOUND",
      next: queueOffset + 1,
      min: 0,
      max: 100,
      bodies: [String(queueOffset)],
      bufferTotalSize: length,
    });
  }
});

test("an offset outside the queue has a status of its own, and the offset to go on with", (t) => {
  const store = new BuiltStore(t, logOf(5));
  store.setQueue("TopicA", 0, { min: 2 });
  const nothing = { min: 2, max: 5, bodies: [], bufferTotalSize: 0 };
  t.deepEqual(get(store, { queueOffset: -1 }), { ...nothing, status: "OFFSET_TOO_SMALL", next: 2 });
  t.deepEqual(get(store, { queueOffset: 1 }), { ...nothing, status: "OFFSET_TOO_SMALL", next: 2 });
  t.deepEqual(get(store, { queueOffset: 5 }), { ...nothing, status: "OFFSET_OVERFLOW_ONE", next: 5 });
  t.deepEqual(get(store, { queueOffset: 6 }), { ...nothing, status: "OFFSET_OVERFLOW_BADLY", next: 5 });
  t.deepEqual(get(store, { queueOffset: 2 }).bodies, ["2", "3", "4"]);
});

test("a slave answers the offset asked for where there is nothing: its master may have it", (t) => {
  const store = new BuiltStore(t, logOf(5), SLAVE);
  store.setQueue("TopicA", 0, { min: 2 });
  const next = (request: Partial<GetMessageRequest>): unknown[] => {
    const found = get(store, request);
    return [found.status, found.next];
  };
  t.deepEqual(next({ queueOffset: 1 }), ["OFFSET_TOO_SMALL", 1]);
  t.deepEqual(next({ queueOffset: 6 }), ["OFFSET_OVERFLOW_BADLY", 6]);
  t.deepEqual(next({ queueOffset: 3, queueId: 8 }), ["NO_MESSAGE_IN_QUEUE", 3]);
  t.deepEqual(next({ queueOffset: 2 }), ["FOUND", 5]);
});

test("a consumer of a slave waits where its master is ahead, and goes on at the beginning of what there is", async (t) => {
  for (const [options, ahead] of [
    [SLAVE, 7],
    [{}, 5],
  ] as const) {
    const store = new BuiltStore(t, logOf(5), options);
    store.setQueue("TopicA", 0, { min: 2 });
    const consumers = new MessageConsumers(store.reader, new ArrivalSignal(store.main, store.queues, store.topics));
    const waiting = consumers.consume({ ...QUEUE, from: 7 });
    const next = waiting.next();
    const behind = await consumers.consume({ ...QUEUE, from: 0 }).next();
    t.deepEqual([waiting.nextOffset, behind.value?.skipped, behind.value?.nextOffset], [ahead, 2, 5]);
    await waiting.return();
    t.true((await next).done);
  }
});

test("a queue without messages and one that does not exist say the same", (t) => {
  const store = new BuiltStore(t, logOf(5));
  store.setQueue("TopicA", 7, {});
  const nothing = { status: "NO_MESSAGE_IN_QUEUE", next: 0, min: 0, max: 0, bodies: [], bufferTotalSize: 0 };
  t.deepEqual(get(store, { queueId: 7, queueOffset: 3 }), nothing);
  t.deepEqual(get(store, { queueId: 8, queueOffset: 3 }), nothing);
  t.deepEqual(get(store, { topic: "Other" }), nothing);
  t.deepEqual(get(store, { topic: "__proto__" }), nothing);
});

test("a queue file that is gone sends the reader to the next file", (t) => {
  const store = new BuiltStore(t, logOf(25));
  rmSync(store.queuePath("TopicA", 0, 0));
  t.like(get(store, { queueOffset: 3 }), { status: "OFFSET_FOUND_NULL", next: 10, bodies: [] });
  t.like(get(store, { queueOffset: 10 }), { status: "FOUND", next: 20 });
});

test("a slave sends nobody over a queue file that is gone, and its consumers, who would wait for ever, pass over it", async (t) => {
  for (const travelCqFileNumWhenGetMessage of [1, 3]) {
    const store = new BuiltStore(t, logOf(25), { ...SLAVE, travelCqFileNumWhenGetMessage });
    rmSync(store.queuePath("TopicA", 0, 10));
    t.like(get(store, { queueOffset: 13 }), { status: "OFFSET_FOUND_NULL", next: 13, bodies: [] });
    const next = travelCqFileNumWhenGetMessage === 1 ? "NO_MATCHED_MESSAGE" : "OFFSET_FOUND_NULL";
    t.like(get(store, { queueOffset: 3, filter: { tags: ["Other"] } }), { status: next, next: 10 });
    const consumers = new MessageConsumers(store.reader, new ArrivalSignal(store.main, store.queues, store.topics));
    const consumer = consumers.consume({ ...QUEUE, from: 13 });
    const { value } = await consumer.next();
    t.deepEqual([value?.skipped, value?.nextOffset], [7, 25]);
  }
});

test("a get ends with the queue's file, whatever else is wanted", (t) => {
  const store = new BuiltStore(t, logOf(25));
  t.like(get(store, { queueOffset: 3, maxMessages: 20 }), { next: 10, bodies: ["3", "4", "5", "6", "7", "8", "9"] });
  t.like(get(store, { queueOffset: 20, maxMessages: 20 }), { next: 25, bodies: ["20", "21", "22", "23", "24"] });
});

test("no more messages are given than wanted, or than one transfer may hold", (t) => {
  const builder = logOf(100, 64 * 1024);
  const large = { mappedFileSizeConsumeQueue: 4000 };
  const store = new BuiltStore(t, builder, large);
  t.is(get(store, {}).bodies.length, 32);
  t.is(get(store, { maxMessages: 20 }).bodies.length, 20);
  t.like(get(store, { queueOffset: 5, maxMessages: 64 }), { next: 37 });
  const less = new BuiltStore(t, builder, { ...large, maxTransferCountOnMessageInMemory: 10 });
  t.is(get(less, { maxMessages: 32 }).bodies.length, 10);
  const more = new BuiltStore(t, builder, { ...large, maxTransferCountOnMessageInMemory: 1000 });
  t.is(get(more, { maxMessages: 64 }).bodies.length, 64);
});

test("bytes limit a get, but not its first message", (t) => {
  const builder = logOf(10);
  const { length } = builder.records[0] ?? { length: 0 };
  const store = new BuiltStore(t, builder);
  t.is(get(store, { maxBytes: 1 }).bodies.length, 1, "100 bytes are the least, and the first comes in any case");
  t.is(get(store, { maxBytes: 3 * length }).bodies.length, 3);
  t.is(get(store, { maxBytes: 3 * length - 1 }).bodies.length, 2);
  const small = new BuiltStore(t, builder, { maxTransferBytesOnMessageInMemory: 2 * length });
  t.is(get(small, {}).bodies.length, 2);
  const tiny = new BuiltStore(t, builder, { maxTransferBytesOnMessageInMemory: 1 });
  t.like(get(tiny, { queueOffset: 4 }), { bodies: ["4"], next: 5 });
});

test("what lies farther back than memory holds is given out in the smaller portions of a disk", (t) => {
  const builder = logOf(10);
  const { length } = builder.records[0] ?? { length: 0 };
  const disk = { accessMessageInMemoryMaxRatio: 0 };
  const store = new BuiltStore(t, builder, { ...disk, maxTransferCountOnMessageInDisk: 3 });
  t.is(get(store, {}).bodies.length, 3);
  using found = store.reader.getMessage({ ...QUEUE, queueOffset: 0 });
  t.true(found.suggestPullingFromSlave);
  const bytes = new BuiltStore(t, builder, { ...disk, maxTransferBytesOnMessageInDisk: 2 * length });
  t.is(get(bytes, {}).bodies.length, 2);
  using near = new BuiltStore(t, builder).reader.getMessage({ ...QUEUE, queueOffset: 0 });
  t.false(near.suggestPullingFromSlave);
});

test("a filter lets through the tags it names", (t) => {
  const tags = ["TagA", "TagB", undefined, "TagC", "größe"];
  const store = new BuiltStore(
    t,
    logOf(10, 4096, (n) => (tags[n % 5] === undefined ? "KEYS\x01k\x02" : `TAGS\x01${tags[n % 5]}\x02`)),
  );
  t.like(get(store, { filter: { tags: ["TagA", "TagC"] } }), { status: "FOUND", next: 10, bodies: ["0", "3", "5", "8"] });
  t.deepEqual(get(store, { filter: { tags: ["größe"] } }).bodies, ["4", "9"]);
  t.is(get(store, { filter: { tags: ["*"] } }).bodies.length, 10);
  t.like(get(store, { queueOffset: 1, filter: { tags: ["None"] } }), { status: "NO_MATCHED_MESSAGE", next: 10, bodies: [] });
  t.like(get(store, { queueOffset: 1, maxMessages: 1, filter: { tags: ["TagA"] } }), { next: 6, bodies: ["5"] });
});

test("a tag with the hash of another is not taken for it", (t) => {
  // "Aa" and "BB" have the same Java hash.
  const store = new BuiltStore(
    t,
    logOf(4, 4096, (n) => `TAGS\x01${n % 2 === 0 ? "Aa" : "BB"}\x02`),
  );
  t.deepEqual(get(store, { filter: { tags: ["BB"] } }).bodies, ["1", "3"]);
  t.deepEqual(get(store, { filter: { tags: ["Aa"] } }).bodies, ["0", "2"]);
  t.like(get(store, { queueOffset: 3, filter: { tags: ["Aa"] } }), { status: "NO_MATCHED_MESSAGE", next: 4 });
});

test("a filter looks at so many units and then says how far it came", (t) => {
  const builder = logOf(10);
  const store = new BuiltStore(t, builder, { maxFilterMessageSize: 60 });
  t.like(get(store, { maxMessages: 2, filter: { tags: ["None"] } }), { status: "NO_MATCHED_MESSAGE", next: 3 });
  t.like(get(store, { maxMessages: 5, filter: { tags: ["None"] } }), { status: "NO_MATCHED_MESSAGE", next: 5 });
});

test("the search goes on in the next files of the queue where that is allowed, while nothing is found", (t) => {
  const builder = logOf(40, 4096, (n) => `TAGS\x01${n === 25 ? "Rare" : "TagA"}\x02`);
  const rare = { filter: { tags: ["Rare"] } };
  t.like(get(new BuiltStore(t, builder), rare), { status: "NO_MATCHED_MESSAGE", next: 10 });
  t.like(get(new BuiltStore(t, builder, { travelCqFileNumWhenGetMessage: 2 }), rare), { status: "NO_MATCHED_MESSAGE", next: 20 });
  t.like(get(new BuiltStore(t, builder, { travelCqFileNumWhenGetMessage: 5 }), rare), {
    status: "FOUND",
    next: 30,
    bodies: ["25"],
  });
});

test("messages whose segment has been deleted are passed over", (t) => {
  const builder = logOf(40, 1 << 12);
  const gone = builder.records.filter(({ offset }) => offset < 4096).length;
  const store = new BuiltStore(t, builder);
  store.setMinOffset(4096);
  const end = Math.floor(gone / UNITS_PER_FILE) * UNITS_PER_FILE;
  t.like(get(store, { queueOffset: 0 }), { status: "MESSAGE_WAS_REMOVING", next: 10, bodies: [] });
  const found = get(store, { queueOffset: end });
  t.is(found.status, "FOUND");
  t.is(found.bodies[0], String(gone));
  // Deleted, but not yet said so.
  store.setMinOffset(4096);
  const unsaid = new BuiltStore(t, builder);
  rmSync(unsaid.segmentPath(0));
  t.like(get(unsaid, { queueOffset: 0 }), { status: "MESSAGE_WAS_REMOVING", next: 10, bodies: [] });
});

test("of a deleted segment only the first message counts for the status", (t) => {
  const builder = logOf(10, 4096, (n) => `TAGS\x01${n === 0 ? "TagA" : "TagB"}\x02`);
  builder.roll();
  builder.add({ queueId: 1 });
  const store = new BuiltStore(t, builder);
  store.setMinOffset(4096);
  t.like(get(store, { filter: { tags: ["TagA"] } }), { status: "MESSAGE_WAS_REMOVING", next: 10 });
  t.like(get(store, { filter: { tags: ["None"] } }), { status: "NO_MATCHED_MESSAGE", next: 10 });
});

test("a unit that points to no record is refused, and what lies before it is given; one that fills a hole is passed over", (t) => {
  const builder = logOf(10);
  const second = builder.records[1] ?? { offset: 0, length: 0 };
  const bad = [
    { physicalOffset: -5, size: 100 },
    { physicalOffset: second.offset + 1, size: second.length },
    { physicalOffset: second.offset, size: second.length - 1 },
    { physicalOffset: second.offset, size: 0 },
    { physicalOffset: second.offset, size: -1 },
    { physicalOffset: 2 ** 52, size: 200 },
    { physicalOffset: builder.offset - 10, size: 200 },
    { physicalOffset: 4090, size: 200 },
  ];
  for (const unit of bad) {
    const store = new BuiltStore(t, builder);
    store.setUnit("TopicA", 0, 1, { ...unit, tagsCode: 0 });
    t.throws(() => get(store, { queueOffset: 1 }), { code: "ERR_CONSUME_QUEUE_CORRUPT" }, JSON.stringify(unit));
    t.like(get(store, { queueOffset: 0 }), { bodies: ["0"], next: 1 });
  }
  const store = new BuiltStore(t, builder);
  store.setUnit("TopicA", 0, 1, { physicalOffset: 0, size: CONSUME_QUEUE_FILL_SIZE, tagsCode: 0 });
  t.deepEqual(get(store, { queueOffset: 1 }).bodies, ["2", "3", "4", "5", "6", "7", "8", "9"]);
});

test("what may not be shown yet is not", (t) => {
  const builder = logOf(10);
  const store = new BuiltStore(t, builder);
  store.setQueue("TopicA", 0, { max: 4 });
  t.like(get(store, { queueOffset: 4 }), { status: "OFFSET_OVERFLOW_ONE", next: 4 });
  t.like(get(store, { queueOffset: 0 }), { bodies: ["0", "1", "2", "3"], next: 4 });
  store.setWroteOffset(builder.records[2]?.offset ?? 0);
  t.deepEqual(get(store, { queueOffset: 0 }).bodies, ["0", "1"]);
});

test("found and missed gets are counted, and the messages", (t) => {
  const store = new BuiltStore(t, logOf(10));
  get(store, { maxMessages: 4 });
  get(store, { queueOffset: 10 });
  get(store, { topic: "Other" });
  const { entireTimeMaxMs, ...stats } = store.reader.stats();
  t.deepEqual(stats, { found: 1, miss: 2, transferredMessages: 4, corruptRecords: 0 });
  t.true(entireTimeMaxMs > 0);
});

test("arguments that make no sense are refused", (t) => {
  const store = new BuiltStore(t, logOf(1));
  const bad: object[] = [
    { queueOffset: Number.NaN },
    { queueOffset: 0.5 },
    { queueOffset: "0" },
    { maxMessages: 0 },
    { maxMessages: Infinity },
    { maxBytes: -1 },
    { maxBytes: 1.5 },
  ];
  for (const topic of ["", undefined, "../TopicA", "t".repeat(256)])
    t.throws(() => get(store, { topic } as never), { code: "ERR_TOPIC_ILLEGAL" });
  for (const queueId of [-1, 1.5, "0", 2 ** 31]) t.throws(() => get(store, { queueId } as never), { code: "ERR_QUEUE_ILLEGAL" });
  for (const changes of bad) t.throws(() => get(store, changes), { code: "ERR_GET_ILLEGAL" }, JSON.stringify(changes));
  for (const request of [undefined, null, "TopicA"]) {
    t.throws(() => store.reader.getMessage(request as never), { code: "ERR_GET_ILLEGAL" }, String(request));
  }
  for (const filter of [{}, null, { tags: [] }, { tags: "TagA" }, { tags: [""] }, { tags: [1] }]) {
    t.throws(() => get(store, { filter } as never), { code: "ERR_FILTER_ILLEGAL" }, JSON.stringify(filter));
  }
  store.reader.close();
  t.throws(() => get(store, {}), { code: "ERR_STORE_CLOSED" });
});

test("the result adds up its messages", (t) => {
  const builder = logOf(5);
  const store = new BuiltStore(t, builder);
  using found = store.reader.getMessage({ ...QUEUE, queueOffset: 1 });
  t.is(found.messages.length, 4);
  t.deepEqual(
    found.messages.map(({ queueOffset }) => queueOffset),
    [1, 2, 3, 4],
  );
  t.is(
    found.bufferTotalSize,
    builder.records.slice(1).reduce((sum, { length }) => sum + length, 0),
  );
});
