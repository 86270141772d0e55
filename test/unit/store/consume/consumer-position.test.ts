import { rmSync } from "node:fs";
import type { MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { CONSUME_QUEUE_FILL_SIZE } from "#format/consume-queue-descriptor.js";
import { ArrivalSignal } from "#store/consume/arrival-signal.js";
import type { ConsumedBatch } from "#store/consume/consumed-batch.js";
import type { MessageConsumer } from "#store/consume/message-consumer.js";
import { MessageConsumers } from "#store/consume/message-consumers.js";
import { BuiltStore } from "../../../support/built-store.js";
import { CommitLogBuilder } from "../../../support/commit-log-builder.js";
import { until } from "../../../support/until.js";

const QUEUE = { topic: "TopicA", queueId: 0 };

class Scene {
  readonly builder = new CommitLogBuilder();
  readonly store: BuiltStore;
  readonly arrivals: ArrivalSignal;
  readonly consumers: MessageConsumers;

  constructor(t: ExecutionContext, messages: number, options: Partial<MessageStoreOptions> = {}) {
    for (let n = 0; n < messages; n++) this.builder.add();
    this.store = new BuiltStore(t, this.builder, options);
    this.arrivals = new ArrivalSignal(this.store.main, this.store.queues, this.store.topics);
    this.consumers = new MessageConsumers(this.store.reader, this.arrivals);
    t.teardown(() => this.consumers.close());
    t.teardown(() => this.arrivals.close());
  }

  /** Another message arrives. */
  arrive(): void {
    this.builder.add();
    this.store.write(this.builder);
    this.store.main.counters.reputFromOffset.nudge();
  }

  physicalOffset(n: number): number {
    return this.builder.records[n]?.offset ?? -1;
  }
}

async function nextBatch(consumer: MessageConsumer): Promise<{ offsets: number[]; skipped: number; nextOffset: number }> {
  const { value } = await consumer.next();
  const { messages, skipped, nextOffset } = value as ConsumedBatch;
  return { offsets: messages.map(({ queueOffset }) => queueOffset), skipped, nextOffset };
}

test("where retention has moved the queue's beginning, the consumer goes on there, and says how much is gone", async (t) => {
  const { store, consumers } = new Scene(t, 30);
  const consumer = consumers.consume({ ...QUEUE, from: "earliest", maxMessages: 3 });
  t.deepEqual(await nextBatch(consumer), { offsets: [0, 1, 2], skipped: 0, nextOffset: 3 });
  store.setQueue("TopicA", 0, { min: 20 });
  t.deepEqual(await nextBatch(consumer), { offsets: [20, 21, 22], skipped: 17, nextOffset: 23 });
  t.deepEqual(await nextBatch(consumer), { offsets: [23, 24, 25], skipped: 0, nextOffset: 26 });
});

test("messages whose log is gone although their queue is not are passed over, and counted", async (t) => {
  const scene = new Scene(t, 60);
  const consumer = scene.consumers.consume({ ...QUEUE, from: "earliest", maxMessages: 3 });
  await consumer.next();
  const first = scene.builder.records.findIndex(({ offset }) => offset === 4096);
  t.true(first > 3);
  scene.store.setMinOffset(4096);
  rmSync(scene.store.segmentPath(0));
  const batch = await nextBatch(consumer);
  t.is(batch.offsets[0], first);
  t.is(batch.skipped, first - 3);
});

test("what a filtered consumer passes over counts only when nobody could look at it", async (t) => {
  const scene = new Scene(t, 30);
  scene.builder.add({ properties: "TAGS\x01TagB\x02" });
  scene.store.write(scene.builder);
  const consumer = scene.consumers.consume({ ...QUEUE, from: "earliest", filter: { tags: ["TagB"] } });
  t.deepEqual(await nextBatch(consumer), { offsets: [30], skipped: 0, nextOffset: 31 });
  const other = scene.consumers.consume({ ...QUEUE, from: "earliest", filter: { tags: ["TagB"] } });
  scene.store.setQueue("TopicA", 0, { min: 7 });
  t.deepEqual(await nextBatch(other), { offsets: [30], skipped: 7, nextOffset: 31 });
});

test("when everything is deleted the consumer waits, and says it with the next message", async (t) => {
  const scene = new Scene(t, 20);
  const consumer = scene.consumers.consume({ ...QUEUE, from: "earliest", maxMessages: 5 });
  await consumer.next();
  scene.store.setQueue("TopicA", 0, { min: 20 });
  const next = nextBatch(consumer);
  await until(() => scene.arrivals.waiting === 1);
  scene.arrive();
  t.deepEqual(await next, { offsets: [20], skipped: 15, nextOffset: 21 });
});

test("a queue file that is gone is passed over as a whole", async (t) => {
  const { store, consumers } = new Scene(t, 30);
  rmSync(store.queuePath("TopicA", 0, 10));
  const consumer = consumers.consume({ ...QUEUE, from: 8 });
  t.deepEqual(await nextBatch(consumer), { offsets: [8, 9], skipped: 0, nextOffset: 10 });
  t.deepEqual(await nextBatch(consumer), { offsets: [20, 21, 22, 23, 24, 25, 26, 27, 28, 29], skipped: 10, nextOffset: 30 });
});

test("the last queue file gone: what is put next is not missed", async (t) => {
  const scene = new Scene(t, 25);
  rmSync(scene.store.queuePath("TopicA", 0, 20));
  const consumer = scene.consumers.consume({ ...QUEUE, from: 21 });
  const next = nextBatch(consumer);
  await until(() => scene.arrivals.waiting === 1);
  scene.arrive();
  t.deepEqual(await next, { offsets: [25], skipped: 4, nextOffset: 26 });
});

test("a unit that fills a hole is passed over", async (t) => {
  const scene = new Scene(t, 9);
  for (const queueOffset of [3, 6])
    scene.store.setUnit("TopicA", 0, queueOffset, { physicalOffset: 0, size: CONSUME_QUEUE_FILL_SIZE, tagsCode: 0 });
  const consumer = scene.consumers.consume({ ...QUEUE, from: 3 });
  t.deepEqual(await nextBatch(consumer), { offsets: [4, 5], skipped: 1, nextOffset: 6 });
  t.deepEqual(await nextBatch(consumer), { offsets: [7, 8], skipped: 1, nextOffset: 9 });
  const next = nextBatch(consumer);
  scene.arrive();
  t.deepEqual((await next).offsets, [9]);
});

test("while the dispatcher catches up a consumer keeps its place; beyond all that was put it is taken back", async (t) => {
  const scene = new Scene(t, 10);
  scene.store.setQueue("TopicA", 0, { next: 12, max: 10 });
  const inside = nextBatch(scene.consumers.consume({ ...QUEUE, from: 11 }));
  const beyond = nextBatch(scene.consumers.consume({ ...QUEUE, from: 500 }));
  const latest = nextBatch(scene.consumers.consume({ ...QUEUE, from: "latest" }));
  await until(() => scene.arrivals.waiting === 3);
  scene.arrive();
  scene.arrive();
  t.deepEqual((await inside).offsets, [11]);
  t.is(scene.arrivals.waiting, 2);
  scene.arrive();
  t.deepEqual((await beyond).offsets, [12]);
  t.deepEqual((await latest).offsets, [12]);
});

test("a queue that begins again after its topic was deleted is consumed from its beginning, waiting or not", async (t) => {
  const scene = new Scene(t, 10);
  const { store, consumers, arrivals } = scene;
  const between = consumers.consume({ ...QUEUE, from: 5, maxMessages: 2 });
  await between.next();
  const waiting = nextBatch(consumers.consume({ ...QUEUE, from: "latest" }));
  await until(() => arrivals.waiting === 1);
  store.topics.forget("TopicA");
  store.setQueue("TopicA", 0, { next: 3, max: 3 });
  store.main.counters.reputFromOffset.nudge();
  t.deepEqual((await waiting).offsets, [0, 1, 2]);
  t.deepEqual((await nextBatch(between)).offsets, [0, 1]);
});

test("a consumer whose topic was deleted waits for it to come again", async (t) => {
  const { store, consumers, arrivals } = new Scene(t, 10);
  const consumer = consumers.consume({ ...QUEUE, from: 5, maxMessages: 2 });
  await consumer.next();
  store.topics.forget("TopicA");
  const next = nextBatch(consumer);
  await until(() => arrivals.waiting === 1);
  store.setQueue("TopicA", 0, { next: 1, max: 1 });
  store.main.counters.reputFromOffset.nudge();
  t.deepEqual((await next).offsets, [0]);
});

test("on a slave a consumer keeps its queue offset until its queue has come from the master", async (t) => {
  const scene = new Scene(t, 0, { brokerRole: "SLAVE", haMasterAddress: "none" });
  const consumer = scene.consumers.consume({ ...QUEUE, from: 5 });
  t.is(consumer.nextOffset, 5);
  const next = nextBatch(consumer);
  for (const messages of [3, 5]) {
    await until(() => scene.arrivals.waiting === 1);
    for (let n = 0; n < messages; n++) scene.arrive();
  }
  t.deepEqual(await next, { offsets: [5, 6, 7], skipped: 0, nextOffset: 8 });
});

test("on a master a consumer of a queue that is not there begins at its beginning", async (t) => {
  const scene = new Scene(t, 0);
  const next = nextBatch(scene.consumers.consume({ ...QUEUE, from: 5 }));
  await until(() => scene.arrivals.waiting === 1);
  scene.arrive();
  t.deepEqual(await next, { offsets: [0], skipped: 0, nextOffset: 1 });
});

test("an error of the disk ends the consumer with it", async (t) => {
  const { store, consumers } = new Scene(t, 10);
  store.reader.close();
  const consumer = consumers.consume({ ...QUEUE, from: 0 });
  await t.throwsAsync(consumer.next(), { code: "ERR_STORE_CLOSED" });
  t.deepEqual(await consumer.next(), { done: true, value: undefined });
});
