import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { segmentFileName } from "@millrace/format";
import { type Message, RecordCorruptError } from "@millrace/store";
import test from "ava";
import { BODY_OFFSET } from "#format/message-descriptor.js";
import type { ConsumeOptions } from "#store/consume/consume-options.js";
import type { MessageConsumer } from "#store/consume/message-consumer.js";
import { MessageConsumers } from "#store/consume/message-consumers.js";
import { ConsumingStore } from "../../../support/consuming-store.js";
import { flipBit } from "../../../support/flip-bit.js";
import { message, numbered, numberOf } from "../../../support/temporary-store.js";
import { until } from "../../../support/until.js";

const QUEUE = { topic: "TopicA", queueId: 0 };

async function put(store: ConsumingStore, count: number, from = 0, changes: Partial<Message> = {}, length = 100): Promise<void> {
  const puts = Array.from({ length: count }, (_, n) => store.putMessage(numbered(from + n, length, changes)));
  for (const { status } of await Promise.all(puts)) if (status !== "PUT_OK") throw new Error(`put: status=${status}`);
}

/** Numbers of the messages, until there are so many of them or the consumer ends. */
async function take(consumer: MessageConsumer, count: number): Promise<number[]> {
  const numbers: number[] = [];
  for (;;) {
    const { done, value } = await consumer.next();
    if (done === true) return numbers;
    numbers.push(...value.messages.map(({ body }) => numberOf(body)));
    if (numbers.length >= count) return numbers;
  }
}

function upTo(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, n) => from + n);
}

test.serial("a consumer sees every message once and in order, across segments, while they are put", async (t) => {
  const store = await ConsumingStore.open(t);
  const consumer = store.consume({ ...QUEUE, from: "earliest" });
  const taken = take(consumer, 10_000);
  for (let n = 0; n < 10_000; n += 500) await put(store, 500, n);
  t.deepEqual(await taken, upTo(10_000));
});

test.serial("a batch is iterable, says how to go on, and owns its bytes", async (t) => {
  const store = await ConsumingStore.open(t);
  await put(store, 40);
  let expected = 0;
  const kept = [];
  for await (const batch of store.consume({ ...QUEUE, from: "earliest", maxMessages: 10 })) {
    t.is(batch.messages.length, 10);
    t.is(batch.skipped, 0);
    for (const { body, queueOffset, topic } of batch) {
      t.is(queueOffset, expected);
      t.is(topic, "TopicA");
      t.is(numberOf(body), expected++);
    }
    t.is(batch.nextOffset, expected);
    kept.push(...batch.messages);
    if (expected === 40) break;
  }
  await store.close();
  t.deepEqual(
    kept.map(({ body }) => numberOf(body)),
    upTo(40),
  );
});

test.serial("a consumer begins where it is told to", async (t) => {
  const store = await ConsumingStore.open(t);
  await put(store, 50);
  await until(() => store.reader.getMaxOffsetInQueue("TopicA", 0) === 50);
  const lastPut = Date.now();
  await until(() => Date.now() > lastPut);
  const between = new Date();
  await until(() => Date.now() > between.getTime());
  await put(store, 50, 50);
  const consumers = {
    earliest: store.consume({ ...QUEUE, from: "earliest" }),
    latest: store.consume({ ...QUEUE, from: "latest" }),
    offset: store.consume({ ...QUEUE, from: 30 }),
    beyond: store.consume({ ...QUEUE, from: 1000 }),
    future: store.consume({ ...QUEUE, from: new Date(Date.now() + 1e9) }),
  };
  await until(() => store.reader.getMaxOffsetInQueue("TopicA", 0) === 100);
  const date = store.consume({ ...QUEUE, from: between });
  t.is((await take(consumers.earliest, 1))[0], 0);
  t.is((await take(consumers.offset, 1))[0], 30);
  t.is((await take(date, 1))[0], 50);
  const waiting = [consumers.latest, consumers.beyond, consumers.future].map((consumer) => take(consumer, 1));
  await until(() => store.arrivals.waiting === 3);
  await put(store, 1, 100);
  for (const numbers of waiting) t.deepEqual(await numbers, [100]);
});

test.serial("a queue that does not exist yet is waited for", async (t) => {
  const store = await ConsumingStore.open(t);
  const consumers = (["earliest", "latest", 7, new Date()] as const).map((from) => store.consume({ ...QUEUE, from }));
  const taken = consumers.map((consumer) => take(consumer, 3));
  await put(store, 1, 0, { queueId: 1 });
  await setImmediate();
  await put(store, 3);
  for (const numbers of taken) t.deepEqual(await numbers, [0, 1, 2]);
});

test.serial("a filter passes its tags only, and goes through what does not match", async (t) => {
  const store = await ConsumingStore.open(t);
  await put(store, 3000, 0, { tags: "TagB" });
  await put(store, 1, 3000, { tags: "TagA" });
  await put(store, 1, 3001);
  await put(store, 1, 3002, { tags: "TagC" });
  const consumer = store.consume({ ...QUEUE, from: "earliest", filter: { tags: ["TagA", "TagC"] } });
  t.deepEqual(await take(consumer, 2), [3000, 3002]);
  const next = consumer.next();
  await put(store, 1, 3003, { tags: "TagB" });
  await put(store, 1, 3004, { tags: "TagA" });
  const { value } = await next;
  t.deepEqual(
    value?.messages.map(({ body }) => numberOf(body)),
    [3004],
  );
  t.is(value?.skipped, 0);
});

test.serial(
  "after each thousand that do not match comes a batch without messages, whose nextOffset can be committed",
  async (t) => {
    const store = await ConsumingStore.open(t);
    await put(store, 2500, 0, { tags: "TagB" });
    const consumer = store.consume({ ...QUEUE, from: "earliest", filter: { tags: ["TagA"] } });
    let looked = 0;
    for (let batches = 0; batches < 2; batches++) {
      const { value } = await consumer.next();
      t.deepEqual([value?.messages, value?.skipped, value?.corrupt], [[], 0, 0]);
      const { nextOffset = 0 } = value ?? {};
      t.true(nextOffset >= looked + 1000 && nextOffset <= 2500, `${nextOffset}`);
      looked = nextOffset;
    }
    const next = consumer.next();
    await put(store, 1, 2500, { tags: "TagA" });
    const { value } = await next;
    t.deepEqual([value?.messages.length, value?.nextOffset], [1, 2501]);
  },
);

test.serial("without a filter there is no batch without messages", async (t) => {
  const store = await ConsumingStore.open(t);
  await put(store, 2500);
  const consumer = store.consume({ ...QUEUE, from: "earliest" });
  for (let taken = 0; taken < 2500; ) {
    const { value } = await consumer.next();
    t.true((value?.messages.length ?? 0) > 0);
    taken += value?.messages.length ?? 0;
  }
});

test.serial("an aborted signal ends the consumer normally, waiting or not", async (t) => {
  const store = await ConsumingStore.open(t);
  await put(store, 100);
  const aborted = store.consume({ ...QUEUE, from: "earliest", signal: AbortSignal.abort() });
  t.deepEqual(await take(aborted, 1), []);
  const controller = new AbortController();
  const seen: number[] = [];
  for await (const batch of store.consume({ ...QUEUE, from: "earliest", signal: controller.signal, maxMessages: 10 })) {
    seen.push(batch.nextOffset);
    if (seen.length === 2) controller.abort();
  }
  t.deepEqual(seen, [10, 20]);
  const waiting = new AbortController();
  const consumer = store.consume({ ...QUEUE, from: "latest", signal: waiting.signal });
  const next = consumer.next();
  await until(() => store.arrivals.waiting === 1);
  waiting.abort();
  t.deepEqual(await next, { done: true, value: undefined });
  t.is(store.arrivals.waiting, 0);
  t.deepEqual(await consumer.next(), { done: true, value: undefined });
});

test.serial("return ends a consumer that waits, and calls of next are answered in their order", async (t) => {
  const store = await ConsumingStore.open(t);
  const consumer = store.consume({ ...QUEUE, from: "earliest" });
  const calls = [consumer.next(), consumer.next(), consumer.next()];
  await until(() => store.arrivals.waiting === 1);
  await put(store, 1);
  t.is((await calls[0])?.value?.nextOffset, 1);
  await put(store, 1, 1);
  t.is((await calls[1])?.value?.nextOffset, 2);
  t.deepEqual(await consumer.return(), { done: true, value: undefined });
  t.deepEqual(await calls[2], { done: true, value: undefined });
  t.is(store.arrivals.waiting, 0);
});

test.serial("when the store closes every consumer ends, waiting or not, and no new one begins", async (t) => {
  const store = await ConsumingStore.open(t);
  await put(store, 100);
  const waiting = Array.from({ length: 10 }, () => store.consume({ ...QUEUE, from: "latest" }).next());
  const between = store.consume({ ...QUEUE, from: "earliest", maxMessages: 1 });
  await between.next();
  await until(() => store.arrivals.waiting === 10);
  const closing = store.close();
  for (const next of waiting) t.deepEqual(await next, { done: true, value: undefined });
  t.deepEqual(await between.next(), { done: true, value: undefined });
  t.throws(() => store.consume({ ...QUEUE, from: "latest" }), { code: "ERR_STORE_CLOSED" });
  await closing;
});

test.serial("when the store has failed, consumers take what is there and then get its error", async (t) => {
  const store = await ConsumingStore.open(t);
  await put(store, 100);
  await until(() => store.reader.getMaxOffsetInQueue("TopicA", 0) === 100);
  const waiting = store.consume({ ...QUEUE, from: "latest" }).next();
  const behind = store.consume({ ...QUEUE, from: "earliest" });
  await until(() => store.arrivals.waiting === 1);
  const error = new Error("the store's");
  store.consumers.fail(error);
  store.consumers.fail(new Error("a later one"));
  t.is(await t.throwsAsync(waiting), error);
  t.deepEqual(await take(behind, 100), upTo(100));
  t.is(await t.throwsAsync(behind.next()), error);
  t.deepEqual(await behind.next(), { done: true, value: undefined });
});

test.serial("consumers of different speeds do not disturb one another, and hold nothing between batches", async (t) => {
  const store = await ConsumingStore.open(t);
  const slow = store.consume({ ...QUEUE, from: "earliest", maxMessages: 1 });
  await put(store, 1);
  await slow.next();
  const fast = [0, 1, 2].map(() => take(store.consume({ ...QUEUE, from: "earliest" }), 5000));
  await put(store, 4999, 1);
  for (const numbers of fast) t.deepEqual(await numbers, upTo(5000));
  t.is(store.reader.commitLog.heldFrom(), undefined);
  t.deepEqual(await take(slow, 3), [1, 2, 3]);
});

test.serial("consumers that always find something leave the event loop its turns", async (t) => {
  const store = await ConsumingStore.open(t);
  await put(store, 2000);
  await until(() => store.reader.getMaxOffsetInQueue("TopicA", 0) === 2000);
  let turns = 0;
  let running = true;
  const count = (): void => {
    turns++;
    if (running) globalThis.setImmediate(count);
  };
  globalThis.setImmediate(count);
  const consumers = Array.from({ length: 4 }, () => take(store.consume({ ...QUEUE, from: "earliest", maxMessages: 1 }), 2000));
  for (const numbers of consumers) t.deepEqual(await numbers, upTo(2000));
  running = false;
  t.true(turns >= (4 * 2000) / 16 / 2, `turns=${turns}`);
});

test.serial("a thousand consumers that wait cost one arrival little, and each hears of its own queue", async (t) => {
  const store = await ConsumingStore.open(t);
  const controller = new AbortController();
  const { signal } = controller;
  const warnings: unknown[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning.message);
  process.on("warning", onWarning);
  const woken: number[] = [];
  const consumers = Array.from({ length: 1000 }, async (_, queueId) => {
    for await (const batch of store.consume({ topic: "TopicA", queueId, from: "earliest", signal })) {
      for (const one of batch) woken.push(one.queueId);
    }
  });
  await until(() => store.arrivals.waiting === 1000);
  const times: number[] = [];
  const queues = Array.from({ length: 300 }, (_, n) => (n % 100) * 7);
  for (const queueId of queues) {
    const started = performance.now();
    await store.putMessage(message({ queueId }));
    while (woken.length === times.length) await setImmediate();
    times.push(performance.now() - started);
  }
  t.deepEqual(woken, queues);
  // The first hundred make their queues' files. What the re-check timer finds takes 25 ms on average.
  const medianMs = times.slice(100).sort((a, b) => a - b)[100] ?? 0;
  t.true(medianMs < 10, `medianMs=${medianMs}`);
  await until(() => store.arrivals.waiting === 1000);
  controller.abort();
  await Promise.all(consumers);
  t.is(store.arrivals.waiting, 0);
  process.off("warning", onWarning);
  t.deepEqual(warnings, []);
});

test.serial("bad arguments are refused at the call", async (t) => {
  const store = await ConsumingStore.open(t);
  const good: ConsumeOptions = { ...QUEUE, from: "earliest" };
  const wrong: [object | null, string][] = [
    [null, "ERR_CONSUME_ILLEGAL"],
    [{ ...good, topic: "" }, "ERR_TOPIC_ILLEGAL"],
    [{ ...good, topic: "a b" }, "ERR_TOPIC_ILLEGAL"],
    [{ ...good, topic: 1 }, "ERR_TOPIC_ILLEGAL"],
    [{ ...good, queueId: -1 }, "ERR_QUEUE_ILLEGAL"],
    [{ ...good, queueId: 2 ** 31 }, "ERR_QUEUE_ILLEGAL"],
    [{ ...good, queueId: "0" }, "ERR_QUEUE_ILLEGAL"],
    [{ ...good, from: undefined }, "ERR_CONSUME_ILLEGAL"],
    [{ ...good, from: "newest" }, "ERR_CONSUME_ILLEGAL"],
    [{ ...good, from: -1 }, "ERR_CONSUME_ILLEGAL"],
    [{ ...good, from: 0.5 }, "ERR_CONSUME_ILLEGAL"],
    [{ ...good, from: new Date(Number.NaN) }, "ERR_CONSUME_ILLEGAL"],
    [{ ...good, signal: {} }, "ERR_CONSUME_ILLEGAL"],
    [{ ...good, maxMessages: 0 }, "ERR_CONSUME_ILLEGAL"],
    [{ ...good, maxMessages: 1.5 }, "ERR_CONSUME_ILLEGAL"],
    [{ ...good, filter: { tags: [] } }, "ERR_FILTER_ILLEGAL"],
    [{ ...good, filter: {} }, "ERR_FILTER_ILLEGAL"],
  ];
  for (const [options, code] of wrong) t.throws(() => store.consume(options as ConsumeOptions), { code }, JSON.stringify(options));
});

test.serial("a consumer ends at a corrupt record, or goes on behind it and counts it", async (t) => {
  const store = await ConsumingStore.open(t, { mappedFileSizeCommitLog: 64 * 1024 });
  await put(store, 1000);
  await until(() => store.reader.getMaxOffsetInQueue("TopicA", 0) === 1000);
  const { physicalOffset = 0 } = store.reader.getMessage({ ...QUEUE, queueOffset: 40 }).messages[0] ?? {};
  flipBit(join(store.root, "commitlog", segmentFileName(0)), physicalOffset + BODY_OFFSET + 50);
  const reader = store.freshReader();
  const consumers = new MessageConsumers(reader, store.arrivals);
  const throwing = consumers.consume({ ...QUEUE, from: "earliest" });
  t.deepEqual(await take(throwing, 32), upTo(32));
  t.deepEqual(await take(throwing, 8), upTo(8, 32));
  await t.throwsAsync(throwing.next(), { instanceOf: RecordCorruptError, code: "ERR_RECORD_CORRUPT" });
  t.true((await throwing.next()).done);
  let corrupt = 0;
  const numbers: number[] = [];
  for await (const batch of consumers.consume({ ...QUEUE, from: "earliest", onCorrupt: "skip" })) {
    corrupt += batch.corrupt;
    t.is(batch.skipped, 0);
    numbers.push(...batch.messages.map(({ body }) => numberOf(body)));
    if (batch.nextOffset === 1000) break;
  }
  t.is(corrupt, 1);
  t.deepEqual(numbers, [...upTo(40), ...upTo(959, 41)]);
  t.throws(() => store.consume({ ...QUEUE, from: 0, onCorrupt: "ignore" as "skip" }), { code: "ERR_CONSUME_ILLEGAL" });
});
