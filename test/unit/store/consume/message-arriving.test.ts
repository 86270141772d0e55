import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  MAGIC_OFFSET,
  SCHEDULE_TOPIC,
  SYS_FLAG_COMMIT,
  SYS_FLAG_PREPARED,
  SYS_FLAG_ROLLBACK,
  segmentFileName,
  tagsCode,
} from "@millrace/format";
import test from "ava";
import { DelayLevels } from "#format/delay-levels.js";
import { BODY_OFFSET } from "#format/message-descriptor.js";
import { ArrivalSignal } from "#store/consume/arrival-signal.js";
import { type MessageArrival, MessageArriving } from "#store/consume/message-arriving.js";
import { BuiltStore } from "../../../support/built-store.js";
import { CommitLogBuilder } from "../../../support/commit-log-builder.js";
import { ConsumingStore } from "../../../support/consuming-store.js";
import { flipBit } from "../../../support/flip-bit.js";
import { message } from "../../../support/temporary-store.js";
import { until } from "../../../support/until.js";

const PROCESS = join(import.meta.dirname, "consuming-process.js");

test.serial("a listener hears of every message in order, once it can be read, across segments", async (t) => {
  const store = await ConsumingStore.open(t);
  await store.putMessage(message());
  await until(() => store.isDispatched);
  const heard: MessageArrival[] = [];
  const unreadable: number[] = [];
  store.onMessageArriving((arrival) => {
    heard.push(arrival);
    if (store.reader.getMaxOffsetInQueue(arrival.topic, arrival.queueId) <= arrival.queueOffset)
      unreadable.push(arrival.queueOffset);
  });
  const puts = Array.from({ length: 4000 }, (_, n) =>
    store.putMessage(message({ queueId: n % 3, tags: `Tag${n % 5}`, properties: { n: String(n) }, body: new Uint8Array(100) })),
  );
  const results = await Promise.all(puts);
  await until(() => heard.length === 4000);
  for (const [n, { appendResult }] of results.entries()) {
    const arrival = heard[n] as MessageArrival;
    t.like(arrival, {
      topic: "TopicA",
      queueId: n % 3,
      queueOffset: appendResult?.queueOffset ?? -1,
      tagsCode: tagsCode(`Tag${n % 5}`),
      storeTimestamp: appendResult?.storeTimestamp ?? -1,
    });
    t.is(arrival.properties.get("n"), String(n));
    t.is(arrival.properties.get("TAGS"), `Tag${n % 5}`);
    t.false(arrival.properties.has("__CRC32#"));
  }
  t.deepEqual(unreadable, []);
});

test.serial("only what can be consumed is told, delayed messages with the time when they are due", async (t) => {
  const store = await ConsumingStore.open(t, { messageDelayLevel: "1s 1h" });
  const heard: MessageArrival[] = [];
  store.onMessageArriving((arrival) => heard.push(arrival), { systemTopics: true });
  const shown: string[] = [];
  store.onMessageArriving(({ topic }) => shown.push(topic));
  const sysFlags = [0, SYS_FLAG_PREPARED, SYS_FLAG_ROLLBACK, SYS_FLAG_COMMIT];
  for (const sysFlag of sysFlags) await store.putMessage(message({ sysFlag }));
  const delayed = await store.putMessage(message({ delayTimeLevel: 2 }));
  await until(() => heard.length === 3);
  t.deepEqual(
    heard.map(({ topic, queueId, queueOffset }) => ({ topic, queueId, queueOffset })),
    [
      { topic: "TopicA", queueId: 0, queueOffset: 0 },
      { topic: "TopicA", queueId: 0, queueOffset: 1 },
      { topic: SCHEDULE_TOPIC, queueId: 1, queueOffset: 0 },
    ],
  );
  t.deepEqual(shown, ["TopicA", "TopicA"]);
  t.is(heard[0]?.tagsCode, 0);
  t.is(heard[2]?.tagsCode, (delayed.appendResult?.storeTimestamp ?? 0) + 3_600_000);
});

test.serial("each listener hears from its own beginning to its own end", async (t) => {
  const store = await ConsumingStore.open(t);
  const heard: Record<"first" | "second", number[]> = { first: [], second: [] };
  const endFirst = store.onMessageArriving(({ queueOffset }) => heard.first.push(queueOffset));
  await store.putMessage(message());
  await until(() => heard.first.length === 1);
  const endSecond = store.onMessageArriving(({ queueOffset }) => {
    heard.second.push(queueOffset);
    if (queueOffset === 2) endSecond();
  });
  await store.putMessage(message());
  await until(() => heard.second.length === 1);
  endFirst();
  endFirst();
  await store.putMessage(message());
  await until(() => heard.second.length === 2);
  await store.putMessage(message());
  await until(() => store.isDispatched);
  const third: number[] = [];
  store.onMessageArriving(({ queueOffset }) => third.push(queueOffset));
  await store.putMessage(message());
  await until(() => third.length === 1);
  t.deepEqual({ ...heard, third }, { first: [0, 1], second: [1, 2], third: [4] });
});

test.serial("what is no listener is refused at the call", async (t) => {
  const store = await ConsumingStore.open(t);
  for (const listener of [undefined, null, "listener", {}]) {
    t.throws(() => store.onMessageArriving(listener as never), { code: "ERR_LISTENER_ILLEGAL" });
  }
});

test.serial("a long backlog is told in turns", async (t) => {
  const store = await ConsumingStore.open(t);
  let inTurn = 0;
  let most = 0;
  let heard = 0;
  const endTurn = (): void => {
    inTurn = 0;
    if (heard < 5000) setImmediate(endTurn);
  };
  store.onMessageArriving(() => {
    heard++;
    most = Math.max(most, ++inTurn);
  });
  setImmediate(endTurn);
  await Promise.all(Array.from({ length: 5000 }, () => store.putMessage(message())));
  await until(() => heard === 5000);
  t.true(most <= 512, `most=${most}`);
});

test("a listener that comes while others are behind is not told of what was there before it", async (t) => {
  const builder = new CommitLogBuilder();
  const store = new BuiltStore(t, builder);
  const arrivals = new ArrivalSignal(store.main, store.queues, store.topics);
  t.teardown(() => arrivals.close());
  const arriving = new MessageArriving(store.reader.commitLog, store.main, arrivals, DelayLevels.parse("1s"));
  const first: number[] = [];
  const second: number[] = [];
  const arrive = (): void => {
    for (let n = 0; n < 3; n++) builder.add();
    store.write(builder);
  };
  arriving.add(({ queueOffset }) => first.push(queueOffset));
  arrive();
  arriving.add(({ queueOffset }) => second.push(queueOffset));
  arrive();
  store.main.counters.reputFromOffset.nudge();
  await until(() => first.length === 6);
  t.deepEqual({ first, second }, { first: [0, 1, 2, 3, 4, 5], second: [3, 4, 5] });
});

test("messages that are deleted before their turn are passed over", async (t) => {
  const builder = new CommitLogBuilder();
  const store = new BuiltStore(t, builder);
  const arrivals = new ArrivalSignal(store.main, store.queues, store.topics);
  t.teardown(() => arrivals.close());
  const arriving = new MessageArriving(store.reader.commitLog, store.main, arrivals, DelayLevels.parse("1s"));
  const heard: number[] = [];
  arriving.add(({ queueOffset }) => heard.push(queueOffset));
  for (let n = 0; n < 100; n++) builder.add();
  const first = builder.records.findIndex(({ offset }) => offset === 4096);
  t.true(first > 0 && builder.offset > 8192);
  store.setMinOffset(4096);
  store.write(builder);
  store.main.counters.reputFromOffset.nudge();
  await until(() => heard.at(-1) === 99);
  t.deepEqual(
    heard,
    Array.from({ length: 100 - first }, (_, n) => first + n),
  );
});

test("a corrupt record is passed over, and no other", async (t) => {
  const builder = new CommitLogBuilder();
  const store = new BuiltStore(t, builder);
  const arrivals = new ArrivalSignal(store.main, store.queues, store.topics);
  t.teardown(() => arrivals.close());
  const arriving = new MessageArriving(store.reader.commitLog, store.main, arrivals, DelayLevels.parse("1s"));
  const heard: number[] = [];
  arriving.add(({ queueOffset }) => heard.push(queueOffset));
  for (let n = 0; n < 60; n++) builder.add();
  const [magic, body] = [builder.records[3]?.offset ?? 0, builder.records[6]?.offset ?? 0];
  t.true(builder.offset > 4096 && body < 4096);
  store.write(builder);
  const segment = join(store.root, "commitlog", segmentFileName(0));
  flipBit(segment, magic + MAGIC_OFFSET, 0);
  flipBit(segment, body + BODY_OFFSET, 0);
  store.main.counters.reputFromOffset.nudge();
  await until(() => heard.at(-1) === 59);
  t.deepEqual(
    heard,
    Array.from({ length: 60 }, (_, n) => n).filter((n) => n !== 3 && n !== 6),
  );
});

const PRINTED = { waits: "consumed 1", listens: "", throws: "heard 3 uncaught 3" };

for (const [what, printed] of Object.entries(PRINTED)) {
  test.serial(`in a process that does nothing else, somebody ${what}`, async (t) => {
    const { stdout } = await promisify(execFile)(process.execPath, [PROCESS, what], { timeout: 20_000 });
    t.is(stdout.trim(), printed);
  });
}
