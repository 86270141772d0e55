import { MillraceError } from "@millrace/format";
import test from "ava";
import type { PassedOverMessage } from "#store/broker/delay/delay-level-queue.js";
import { refused } from "#store/put/put-message-result.js";
import { scheduleFixture, settle } from "../../../../support/schedule-fixture.js";

for (const [what, properties] of [
  ["no topic of its own", "REAL_QID\x013\x02"],
  ["no queue of its own", "REAL_TOPIC\x01TopicA\x02"],
  ["a queue that is no number", "REAL_TOPIC\x01TopicA\x02REAL_QID\x01-1\x02"],
  ["the schedule topic itself, which would never end", "REAL_TOPIC\x01SCHEDULE_TOPIC_XXXX\x02REAL_QID\x010\x02"],
  ["the topic of half messages", "REAL_TOPIC\x01RMQ_SYS_TRANS_HALF_TOPIC\x02REAL_QID\x010\x02"],
] as const) {
  test(`passed over, counted and told: a message with ${what}`, async (t) => {
    const { store, clock, passedOver, start } = scheduleFixture(t);
    store.schedule(1, clock.now(), properties);
    store.schedule(1, clock.now());
    const service = start();
    await settle();
    t.deepEqual(store.bodies, ["body 1"]);
    t.is(service.stats().levels[0]?.delayOffset, 2);
    t.like(service.stats(), { delivered: 1, skipped: 1 });
    const reason = "reason=it does not say where it belongs, or names a reserved topic";
    t.deepEqual(passedOver, [{ level: 1, queueOffset: 0, physicalOffset: 0, real: undefined, reason }]);
  });
}

test("passed over, counted and told: what the store says is no message", async (t) => {
  const { store, clock, passedOver, start } = scheduleFixture(t);
  for (let i = 0; i < 3; i++) store.schedule(1, clock.now());
  store.answer = (_, n) => {
    if (n === 0) return new MillraceError("ERR_TOPIC_ILLEGAL", "x", { status: "MESSAGE_ILLEGAL" });
    return n === 1 ? refused("PROPERTIES_SIZE_EXCEEDED", "ERR_PROPERTIES_TOO_LARGE", "too large") : undefined;
  };
  const service = start();
  await settle();
  t.deepEqual(store.bodies, ["body 2"]);
  t.is(service.stats().levels[0]?.delayOffset, 3);
  t.like(service.stats(), { delivered: 1, retried: 0, skipped: 2 });
  const real = { topic: "TopicA", queueId: 3 };
  const physicalOffset = store.queue(1).units[1]?.physicalOffset;
  t.like(passedOver, [
    { level: 1, queueOffset: 0, physicalOffset: 0, real, reason: "code=ERR_TOPIC_ILLEGAL reason=x" },
    { level: 1, queueOffset: 1, physicalOffset, real, reason: "code=ERR_PROPERTIES_TOO_LARGE reason=too large" },
  ] as PassedOverMessage[]);
  t.is(passedOver.length, 2);
});

test("passed over, counted and told: what is put in vain however often, which holds nothing up behind it", async (t) => {
  const { store, clock, passedOver, start } = scheduleFixture(t);
  for (let i = 0; i < 3; i++) store.schedule(1, clock.now());
  store.answer = (_, n) => [new MillraceError("ERR_TOO_MANY_QUEUES", "x"), new MillraceError("ERR_QUEUE_FULL", "y")][n];
  const service = start();
  await settle();
  store.schedule(1, clock.now());
  service.deliverDue();
  await settle();
  t.deepEqual(store.bodies, ["body 2", "body 3"]);
  t.is(service.stats().levels[0]?.delayOffset, 4);
  t.like(service.stats(), { delivered: 2, retried: 0, skipped: 2 });
  t.deepEqual(
    passedOver.map(({ queueOffset, reason }) => [queueOffset, reason]),
    [
      [0, "code=ERR_TOO_MANY_QUEUES reason=x"],
      [1, "code=ERR_QUEUE_FULL reason=y"],
    ],
  );
});

test("passed over and counted: units whose record, file or queue head is gone", async (t) => {
  const { store, clock, start } = scheduleFixture(t);
  const queue = store.queue(1);
  for (let i = 0; i < 3; i++) store.schedule(1, clock.now());
  queue.minOffset = 2; // 0 and 1 went with their file
  queue.units.push({ physicalOffset: 1e12, size: 100, tagsCode: 0 }); // 3: its record is gone
  queue.units.push({ physicalOffset: 0, size: 0, tagsCode: 0 }); // 4: a hole
  for (let i = 5; i < 10; i++) queue.units.push(undefined); // 5 to 9: the file is gone
  store.schedule(1, clock.now());
  const service = start();
  await settle();
  t.deepEqual(store.bodies, ["body 2", "body 10"]);
  t.is(service.stats().levels[0]?.delayOffset, 11);
  t.like(service.stats(), { delivered: 2, skipped: 9 });
});
