import { setImmediate } from "node:timers/promises";
import { MillraceError } from "@millrace/format";
import test from "ava";
import { allocateFailed } from "#store/put/put-message-result.js";
import { topicSuspended } from "#store/put/topic-table.js";
import { scheduleFixture, settle } from "../../../../support/schedule-fixture.js";

const HOUR = 3_600_000;

test("a message is put when its time has come, and not before", async (t) => {
  const { store, clock, start } = scheduleFixture(t);
  const service = start();
  store.schedule(2, clock.now() + 10_000);
  service.deliverDue();
  clock.pass(9999);
  service.deliverDue();
  await settle();
  t.is(store.put.length, 0);
  clock.pass(1);
  service.deliverDue();
  await settle();
  t.is(store.put.length, 1);
  t.deepEqual(service.stats(), {
    delivered: 1,
    retried: 0,
    skipped: 0,
    levels: [{ level: 2, delayOffset: 1, maxOffset: 1, heldUpMs: 0 }],
  });
});

test("what is put has its own topic and queue, no DELAY, and everything else as it was", async (t) => {
  const { store, clock, start } = scheduleFixture(t);
  const properties =
    "REAL_TOPIC\x01TopicD\x02DELAY\x011\x02TAGS\x01TagD\x02REAL_QID\x013\x02KEYS\x01a b\x02__proto__\x01x\x02WAIT\x01true\x02";
  store.schedule(1, clock.now(), properties, "hello");
  start();
  await settle();
  const [message] = store.put;
  t.like(message, { topic: "TopicD", queueId: 3, tags: "TagD", keys: "a b", waitStoreMsgOK: false, flag: 7, sysFlag: 0 });
  t.like(message, { bornTimestamp: 1_700_000_000_000, reconsumeTimes: 1, bornHost: { address: "127.0.0.1", port: 10911 } });
  t.is(message?.delayTimeLevel, undefined);
  t.is(store.bodies[0], "hello");
  t.deepEqual(Object.entries(message?.properties ?? {}).sort(), [
    ["REAL_QID", "3"],
    ["REAL_TOPIC", "TopicD"],
    ["__proto__", "x"],
  ]);
});

test("what waits in a level that the store has no more is kept, and shown, until the store has it again", async (t) => {
  const { store, clock, offsets, start } = scheduleFixture(t);
  const service = start();
  store.schedule(5, clock.now() + 500);
  const { physicalOffset } = store.queue(5).units[0] ?? {};
  store.schedule(1, clock.now() + 500);
  clock.pass(HOUR);
  service.deliverDue();
  await settle();
  t.is(store.put.length, 1);
  t.deepEqual(service.stats().levels, [
    { level: 1, delayOffset: 1, maxOffset: 1, heldUpMs: 0 },
    { level: 5, delayOffset: 0, maxOffset: 1, heldUpMs: 0 },
  ]);
  t.is(service.delayedFrom(), physicalOffset, "not deleted");
  offsets.set(5, 1);
  const later = start();
  t.deepEqual(
    later.stats().levels.map(({ level }) => level),
    [1],
    "it has been delivered",
  );
});

test("levels do not wait for one another", async (t) => {
  const { store, clock, start } = scheduleFixture(t);
  store.schedule(3, clock.now() + 2 * HOUR, undefined, "late");
  store.schedule(1, clock.now() + 500, undefined, "soon");
  const service = start();
  clock.pass(1000);
  service.deliverDue();
  await settle();
  t.deepEqual(store.bodies, ["soon"]);
});

test("a burst is put in order, at most 256 at a time", async (t) => {
  const { store, clock, start } = scheduleFixture(t);
  for (let i = 0; i < 1000; i++) store.schedule(1, clock.now());
  store.answer = () => setImmediate(undefined);
  const service = start();
  for (let i = 0; i < 20; i++) await settle();
  t.is(store.put.length, 1000);
  t.deepEqual(
    store.bodies,
    Array.from({ length: 1000 }, (_, i) => `body ${i}`),
  );
  t.is(store.mostInFlight, 256);
  t.is(service.stats().levels[0]?.delayOffset, 1000);
});

test("large messages are put a few at a time", async (t) => {
  const { store, clock, start } = scheduleFixture(t);
  const body = "x".repeat(600 * 1024);
  for (let i = 0; i < 100; i++) store.schedule(1, clock.now(), undefined, body);
  store.answer = () => setImmediate(undefined);
  start();
  for (let i = 0; i < 20; i++) await settle();
  t.is(store.put.length, 100);
  t.true(store.mostInFlight <= 28, String(store.mostInFlight));
});

test("a failed put is tried again after ten seconds; the offset waits for it, the others are not put twice", async (t) => {
  const { store, clock, offsets, start } = scheduleFixture(t);
  for (let i = 0; i < 5; i++) store.schedule(1, clock.now());
  store.answer = (_, n) => (n === 2 ? allocateFailed() : undefined);
  const service = start();
  await settle();
  t.deepEqual(store.bodies, ["body 0", "body 1", "body 3", "body 4"]);
  t.is(offsets.get(1), 2);
  t.like(service.stats(), { delivered: 4, retried: 1, skipped: 0 });
  clock.pass(9999);
  service.deliverDue();
  await settle();
  t.is(store.put.length, 4);
  clock.pass(1);
  service.deliverDue();
  await settle();
  t.is(store.bodies[4], "body 2");
  t.is(offsets.get(1), 5);
});

test("behind a put that fails again and again only so many others are put", async (t) => {
  const { store, clock, offsets, start } = scheduleFixture(t);
  for (let i = 0; i < 5000; i++) store.schedule(1, clock.now());
  let isBroken = true;
  store.answer = ({ body }) => (isBroken && Buffer.from(body).toString() === "body 10" ? allocateFailed() : undefined);
  const service = start();
  for (let i = 0; i < 100; i++) {
    await settle();
    clock.pass(10_000);
    service.deliverDue();
  }
  t.is(offsets.get(1), 10);
  t.is(store.put.length, 10 + 4095);
  isBroken = false;
  for (let i = 0; i < 100; i++) {
    await settle();
    clock.pass(10_000);
    service.deliverDue();
  }
  t.is(offsets.get(1), 5000);
  t.is(new Set(store.bodies).size, 5000);
  t.is(store.put.length, 5000);
});

test("a record that cannot be read for now is read again after ten seconds, also when its put has to be tried again", async (t) => {
  const { store, clock, offsets, start } = scheduleFixture(t);
  for (let i = 0; i < 3; i++) store.schedule(1, clock.now());
  const message = store.message.bind(store);
  let reads = 0;
  store.message = (physicalOffset, size) => {
    reads++;
    if (reads === 2 || reads === 5) throw new Error("EMFILE");
    return message(physicalOffset, size);
  };
  store.answer = (_, n) => (n === 1 ? allocateFailed() : undefined);
  const service = start();
  await settle();
  t.like(service.lastError, { message: "EMFILE" });
  t.is(offsets.get(1), 1);
  for (let i = 0; i < 3; i++) {
    clock.pass(10_000);
    service.deliverDue();
    await settle();
  }
  t.is(offsets.get(1), 3);
  t.deepEqual(store.bodies.toSorted(), ["body 0", "body 1", "body 2"]);
});

test("a message whose unit is built again meanwhile is put soon, also when its put has to be tried again", async (t) => {
  const { store, clock, start } = scheduleFixture(t);
  for (let i = 0; i < 3; i++) store.schedule(1, clock.now());
  const { bad } = store.queue(1);
  const builtAgain = new MillraceError("ERR_CONSUME_QUEUE_CORRUPT", "is built again");
  bad.set(1, builtAgain);
  store.answer = (_, n) => (n === 0 ? allocateFailed() : undefined);
  const service = start();
  await settle();
  bad.set(0, builtAgain);
  clock.pass(10_000);
  service.deliverDue();
  t.is(service.lastError, builtAgain);
  bad.clear();
  clock.pass(100);
  service.deliverDue();
  await settle();
  t.like(service.stats(), { delivered: 3, skipped: 0 });
});

test("a store that is full for the moment is tried again soon", async (t) => {
  const { store, clock, start } = scheduleFixture(t);
  store.schedule(1, clock.now());
  store.answer = (_, n) => (n === 0 ? new MillraceError("ERR_RING_FULL", "full", { status: "OS_PAGE_CACHE_BUSY" }) : undefined);
  const service = start();
  await settle();
  t.is(store.put.length, 0);
  clock.pass(100);
  service.deliverDue();
  await settle();
  t.is(store.put.length, 1);
});

test("a message whose topic is being deleted is tried again soon, and holds the others of its level no longer than that", async (t) => {
  const { store, clock, start } = scheduleFixture(t);
  for (let i = 0; i < 3; i++) store.schedule(1, clock.now(), undefined, `due ${i}`);
  store.answer = (_, n) => (n === 0 ? topicSuspended("TopicA") : undefined);
  const service = start();
  store.schedule(1, clock.now(), undefined, "later");
  await settle();
  t.deepEqual(store.bodies, ["due 1", "due 2"]);
  clock.pass(100);
  service.deliverDue();
  await settle();
  t.deepEqual(store.bodies, ["due 1", "due 2", "due 0", "later"]);
});

test("an offset beyond the queue is corrected when the store opens", (t) => {
  const { store, clock, offsets, start } = scheduleFixture(t);
  offsets.set(1, 50);
  offsets.set(2, 7);
  store.schedule(1, clock.now() + 500);
  t.is(start().stats().levels[0]?.delayOffset, 1);
  t.is(offsets.get(1), 1);
  t.is(offsets.get(2), 0);
});

test("a queue that was deleted and begins again is delivered from its start", async (t) => {
  const { store, clock, start } = scheduleFixture(t);
  for (let i = 0; i < 3; i++) store.schedule(1, clock.now());
  const service = start();
  await settle();
  store.queuesById.clear();
  service.deliverDue();
  store.schedule(1, clock.now(), undefined, "new");
  service.deliverDue();
  await settle();
  t.deepEqual(store.bodies, ["body 0", "body 1", "body 2", "new"]);
});

test("a clock that is set back delays nothing beyond the level", async (t) => {
  const { store, clock, start } = scheduleFixture(t);
  const service = start();
  store.schedule(2, clock.now() + 10_000);
  service.deliverDue();
  clock.pass(4000);
  clock.wallMs -= 24 * HOUR;
  // The store's own timestamps stand still until the clock has caught up.
  store.schedule(2, clock.now() + 24 * HOUR + 10_000);
  service.deliverDue();
  clock.pass(5990);
  service.deliverDue();
  await settle();
  t.is(store.put.length, 0);
  clock.pass(10);
  service.deliverDue();
  await settle();
  t.deepEqual(store.bodies, ["body 0"]);
  clock.pass(3990);
  service.deliverDue();
  await settle();
  t.is(store.put.length, 1, "the second has its whole delay too");
  clock.pass(10);
  service.deliverDue();
  await settle();
  t.deepEqual(store.bodies, ["body 0", "body 1"]);
});

test("a clock that is wrong by years at the start delays nothing beyond the level", async (t) => {
  const { store, clock, start } = scheduleFixture(t);
  for (let i = 0; i < 3; i++) store.schedule(2, clock.now() + 10_000 + i);
  clock.wallMs -= 24 * 365 * HOUR;
  const service = start();
  clock.pass(9999);
  service.deliverDue();
  await settle();
  t.is(store.put.length, 0);
  clock.pass(1);
  service.deliverDue();
  await settle();
  t.is(store.put.length, 3);
});

test("a clock that jumps forward makes messages due", async (t) => {
  const { store, clock, start } = scheduleFixture(t);
  store.schedule(3, clock.now() + 2 * HOUR);
  const service = start();
  clock.wallMs += 3 * HOUR;
  service.deliverDue();
  await settle();
  t.is(store.put.length, 1);
});

test("the offsets are saved after the interval, after what was delivered is durable, and when the service closes", async (t) => {
  const { store, clock, saved, start } = scheduleFixture(t);
  store.schedule(1, clock.now());
  const service = start(20);
  const deadline = Date.now() + 5000;
  while (saved.length === 0 && Date.now() < deadline) await setImmediate();
  t.deepEqual(saved, ['{"1":1}']);
  t.is(store.flushes, 1);
  store.schedule(1, clock.now());
  service.deliverDue();
  await service.close();
  t.deepEqual(saved, ['{"1":1}', '{"1":2}']);
  t.is(store.flushes, 2);
  await service.close();
  t.is(saved.length, 2);
});

test("what cannot be made durable is not saved, and tried again", async (t) => {
  const { store, clock, saved, start } = scheduleFixture(t);
  store.schedule(1, clock.now());
  const flush = store.flush.bind(store);
  store.flush = async () => {
    await flush();
    if (store.flushes < 3) throw new Error("disk");
  };
  const service = start(1);
  const deadline = Date.now() + 5000;
  while (saved.length === 0 && Date.now() < deadline) await setImmediate();
  t.deepEqual(saved, ['{"1":1}']);
  t.is(store.flushes, 3);
  t.is(service.lastError, undefined);
});

test("closing waits for the puts under way", async (t) => {
  const { store, clock, saved, start } = scheduleFixture(t);
  for (let i = 0; i < 10; i++) store.schedule(1, clock.now());
  const answers: (() => void)[] = [];
  store.answer = () => new Promise((resolve) => answers.push(() => resolve(undefined)));
  const service = start();
  const closed = service.close();
  await settle();
  t.is(answers.length, 10);
  t.deepEqual(saved, []);
  for (const answer of answers) answer();
  await closed;
  t.deepEqual(saved, ['{"1":10}']);
});

test("a store that takes no more puts ends the service without a save", async (t) => {
  const { store, clock, saved, start } = scheduleFixture(t);
  for (let i = 0; i < 3; i++) store.schedule(1, clock.now());
  store.answer = (_, n) => (n === 1 ? new MillraceError("ERR_STORE_FENCED", "x", { status: "SERVICE_NOT_AVAILABLE" }) : undefined);
  const service = start();
  await settle();
  t.like(service.lastError, { code: "ERR_STORE_FENCED" });
  await service.close();
  t.deepEqual(saved, []);
});
