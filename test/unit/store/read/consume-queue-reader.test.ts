import { writeFileSync } from "node:fs";
import { createStorage } from "@millrace/mapped-file";
import { queueColumns } from "@millrace/shared-memory";
import test from "ava";
import { ConsumeQueueUnit } from "#format/consume-queue-unit.js";
import { resolveConfig } from "#store/config/message-store-config.js";
import { ConsumeQueueReader } from "#store/read/consume-queue-reader.js";
import { BuiltStore, UNITS_PER_FILE } from "../../../support/built-store.js";
import { CommitLogBuilder } from "../../../support/commit-log-builder.js";

function logOf(count: number, queues = 1): CommitLogBuilder {
  const builder = new CommitLogBuilder();
  for (let n = 0; n < count; n++) builder.add({ queueId: n % queues });
  return builder;
}

test("the units of a queue are read one after the other, over its files", (t) => {
  const builder = logOf(35);
  const store = new BuiltStore(t, builder);
  const queue = store.reader.consumeQueues.find("TopicA", 0);
  const unit = new ConsumeQueueUnit();
  for (const [n, { offset, length }] of builder.records.entries()) {
    t.true(queue?.unit(n, unit));
    t.deepEqual([unit.physicalOffset, unit.size, unit.isMessage], [offset, length, true]);
  }
  t.false(queue?.unit(-1, unit));
  t.false(queue?.unit(35, unit));
  t.false(queue?.unit(Number.NaN, unit));
  t.is(queue?.rollNextFile(3), 10);
  t.is(queue?.rollNextFile(10), 20);
});

test("a unit that changes after it was read, to the record of another topic with its size and queue offset, is found", (t) => {
  const builder = new CommitLogBuilder();
  for (let n = 0; n < 30; n++) for (const topic of ["TopicA", "TopicB"]) builder.add({ topic });
  const store = new BuiltStore(t, builder);
  const get = (queueOffset: number, maxMessages: number): void =>
    store.reader.getMessage({ topic: "TopicA", queueId: 0, queueOffset, maxMessages }).release();
  get(0, 30);
  const [at = 0, size = 0] = [builder.records[2 * 7 + 1]?.offset, builder.records[2 * 7]?.length];
  store.setUnit("TopicA", 0, 7, { physicalOffset: at, size, tagsCode: 0 });
  for (let again = 0; again < 2; again++) t.throws(() => get(7, 1), { code: "ERR_CONSUME_QUEUE_CORRUPT" });
  get(6, 1);
});

test("a tags code is a hash with its sign, or a time of delivery", (t) => {
  const builder = logOf(3);
  const store = new BuiltStore(t, builder);
  const unit = new ConsumeQueueUnit();
  for (const [n, tagsCode] of [-1, -2147483648, 1_700_000_000_123].entries()) {
    const { offset: physicalOffset = -1, length: size = -1 } = builder.records[n] ?? {};
    store.setUnit("TopicA", 0, n, { physicalOffset, size, tagsCode });
    store.reader.consumeQueues.find("TopicA", 0)?.unit(n, unit);
    t.deepEqual([unit.physicalOffset, unit.tagsCode], [physicalOffset, tagsCode]);
  }
});

test("what is written into a mapped file is seen", (t) => {
  const builder = logOf(4);
  const { offset: physicalOffset = -1, length: size = -1 } = builder.records[3] ?? {};
  const store = new BuiltStore(t, builder);
  store.setQueue("TopicA", 0, { max: 3 });
  const unit = new ConsumeQueueUnit();
  const queue = store.reader.consumeQueues.find("TopicA", 0);
  t.true(queue?.unit(2, unit));
  t.false(queue?.unit(3, unit));
  store.setUnit("TopicA", 0, 3, { physicalOffset, size, tagsCode: 5 });
  store.setQueue("TopicA", 0, { max: 4 });
  t.true(queue?.unit(3, unit));
  t.deepEqual([unit.physicalOffset, unit.size, unit.tagsCode], [physicalOffset, size, 5]);
});

test("the number of mapped files is bounded, and what was unmapped is mapped again", (t) => {
  const builder = logOf(300, 3);
  const store = new BuiltStore(t, builder);
  const config = resolveConfig({
    storePathRootDir: store.root,
    mappedFileSizeConsumeQueue: UNITS_PER_FILE * 20,
  });
  const columns = queueColumns(store.queues, store.main);
  const reader = new ConsumeQueueReader(createStorage({ kind: "real" }), config, columns, store.topics, undefined, 8);
  t.teardown(() => reader.close());
  const unit = new ConsumeQueueUnit();
  for (let round = 0; round < 3; round++) {
    for (const [n, { offset }] of builder.records.entries()) {
      t.true(reader.find("TopicA", n % 3)?.unit(Math.floor(n / 3), unit));
      t.is(unit.physicalOffset, offset);
      t.true(reader.mappedFiles <= 8);
    }
  }
  reader.close();
  t.is(reader.mappedFiles, 0);
});

test("files below a queue's new minimum are let go of, those of a deleted queue too", (t) => {
  const store = new BuiltStore(t, logOf(35));
  const { consumeQueues } = store.reader;
  const unit = new ConsumeQueueUnit();
  const queue = consumeQueues.find("TopicA", 0);
  for (const n of [0, 10, 20, 30]) queue?.unit(n, unit);
  t.is(consumeQueues.mappedFiles, 4);
  store.setQueue("TopicA", 0, { min: 25 });
  store.reader.forgetExpired();
  t.is(consumeQueues.mappedFiles, 2);
  consumeQueues.forgetQueue(queue?.slot ?? -1);
  t.is(consumeQueues.mappedFiles, 0);
});

test("a file that is too short is not mapped", (t) => {
  const store = new BuiltStore(t, logOf(5));
  writeFileSync(store.queuePath("TopicA", 0, 0), Buffer.alloc(100));
  t.throws(() => store.reader.getMessage({ topic: "TopicA", queueId: 0, queueOffset: 0 }), { code: "ERR_SEGMENT_SIZE" });
});
