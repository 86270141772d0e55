import { MillraceError } from "@millrace/format";
import test from "ava";
import type { MessageScheduler } from "#store/broker/delay/message-scheduler.js";
import { tellDeliveries } from "#store/open/delivery-events.js";
import { type ScheduleFixture, scheduleFixture, settle } from "../../../../support/schedule-fixture.js";

const TEN_SECONDS = 10_000;
const failed = (): MillraceError => new MillraceError("ERR_ALLOCATE_FAILED", "x", { status: "CREATE_MAPPED_FILE_FAILED" });
const busy = (): MillraceError => new MillraceError("ERR_OS_PAGE_CACHE_BUSY", "x", { status: "OS_PAGE_CACHE_BUSY" });

async function pass({ clock }: ScheduleFixture, service: MessageScheduler, ms: number): Promise<void> {
  clock.pass(ms);
  service.deliverDue();
  await settle();
}

const heldUp = (service: MessageScheduler): number[] => service.stats().levels.map(({ heldUpMs }) => heldUpMs);

test("a level whose puts fail again and again is told once, and once more when it goes on", async (t) => {
  const fixture = scheduleFixture(t);
  const { store, clock, held, start } = fixture;
  for (let i = 0; i < 3; i++) store.schedule(1, clock.now());
  let isBroken = true;
  store.answer = ({ body }) => (isBroken && Buffer.from(body).toString() !== "body 0" ? failed() : undefined);
  const service = start();
  await settle();
  const { physicalOffset } = store.queue(1).units[1] as { physicalOffset: number };
  const place = `topic="TopicA" queueId=3 delayTimeLevel=1 queueOffset=1 physicalOffset=${physicalOffset}`;
  const told = `${place} code=ERR_ALLOCATE_FAILED reason=x`;
  t.deepEqual(held, [told]);
  for (let n = 0; n < 5; n++) await pass(fixture, service, TEN_SECONDS);
  t.deepEqual(held, [told]);
  t.deepEqual(heldUp(service), [5 * TEN_SECONDS]);
  isBroken = false;
  await pass(fixture, service, TEN_SECONDS);
  t.deepEqual(held, [told, "goes on"]);
  t.deepEqual([service.stats().delivered, heldUp(service)], [3, [0]]);
  isBroken = true;
  store.schedule(1, clock.now());
  await pass(fixture, service, 0);
  t.is(held.length, 3, "it is told anew");
});

test("what is put behind a message that fails does not say that its level goes on", async (t) => {
  const fixture = scheduleFixture(t);
  const { store, clock, held, start } = fixture;
  for (let i = 0; i < 5; i++) store.schedule(1, clock.now());
  store.answer = ({ body }) => (Buffer.from(body).toString() === "body 0" ? failed() : undefined);
  const service = start();
  await settle();
  await pass(fixture, service, TEN_SECONDS);
  t.deepEqual([store.put.length, held.length, heldUp(service)], [4, 1, [TEN_SECONDS]]);
});

test("levels are told one by one, and that they go on when the last of them does", async (t) => {
  const fixture = scheduleFixture(t);
  const { store, clock, held, start } = fixture;
  const broken = new Set(["first", "second"]);
  for (const [level, body] of [
    [1, "first"],
    [2, "second"],
  ] as const)
    store.schedule(level, clock.now(), undefined, body);
  store.answer = ({ body }) => (broken.has(Buffer.from(body).toString()) ? failed() : undefined);
  const service = start();
  await settle();
  t.deepEqual(
    held.map((reason) => /delayTimeLevel=\d/.exec(reason)?.[0]),
    ["delayTimeLevel=1", "delayTimeLevel=2"],
  );
  broken.delete("first");
  await pass(fixture, service, TEN_SECONDS);
  t.deepEqual([held.length, heldUp(service)], [2, [0, TEN_SECONDS]]);
  broken.clear();
  await pass(fixture, service, TEN_SECONDS);
  t.deepEqual([held.length, held[2], heldUp(service)], [3, "goes on", [0, 0]]);
});

test("a store that is busy for a moment is not worth a word; for ten seconds it is", async (t) => {
  const fixture = scheduleFixture(t);
  const { store, clock, held, start } = fixture;
  store.schedule(1, clock.now());
  store.answer = busy;
  const service = start();
  await settle();
  for (let n = 0; n < 99; n++) await pass(fixture, service, 100);
  t.deepEqual(held, []);
  await pass(fixture, service, 100);
  t.is(held.length, 1);
  store.answer = () => undefined;
  await pass(fixture, service, 100);
  t.is(held[1], "goes on");
});

test("a queue that cannot be read holds its level up, and one whose unit is built again meanwhile is not told", async (t) => {
  const fixture = scheduleFixture(t);
  const { store, clock, held, start } = fixture;
  store.schedule(1, clock.now());
  store.queue(1).bad.set(0, new Error("EMFILE"));
  const service = start();
  await settle();
  await pass(fixture, service, TEN_SECONDS);
  t.deepEqual([held, heldUp(service)], [["delayTimeLevel=1 reason=EMFILE"], [TEN_SECONDS]]);
  store.queue(1).bad.set(0, new MillraceError("ERR_CONSUME_QUEUE_CORRUPT", "x"));
  await pass(fixture, service, TEN_SECONDS);
  store.queue(1).bad.clear();
  await pass(fixture, service, TEN_SECONDS);
  t.deepEqual([held.slice(1), heldUp(service), store.put.length], [["goes on"], [0], 1]);
  store.schedule(1, clock.now());
  store.queue(1).bad.set(1, new MillraceError("ERR_CONSUME_QUEUE_CORRUPT", "x"));
  await pass(fixture, service, 0);
  store.queue(1).bad.clear();
  await pass(fixture, service, 100);
  t.deepEqual([held.length, store.put.length], [2, 2]);
});

test("what happens to a level comes as events", async (t) => {
  const fixture = scheduleFixture(t);
  const { store, clock, start } = fixture;
  store.schedule(1, clock.now());
  store.answer = (_, n) => (n < 2 ? failed() : undefined);
  const service = start();
  const events: unknown[] = [];
  tellDeliveries({ emit: (name, detail) => events.push([name, detail]) }, service);
  await settle();
  await pass(fixture, service, TEN_SECONDS);
  const place = `topic="TopicA" queueId=3 delayTimeLevel=1 queueOffset=0 physicalOffset=0`;
  const message = `what is due in a delay level fails, and is tried again: ${place} code=ERR_ALLOCATE_FAILED reason=x`;
  const heldUp = ["error", { service: "schedule", code: "ERR_DELAY_LEVEL_HELD_UP", message }];
  t.deepEqual(events, [heldUp]);
  await pass(fixture, service, TEN_SECONDS);
  t.deepEqual(events, [heldUp, ["recovered", { service: "schedule" }]]);
});

test("a store that takes no more puts says so itself", async (t) => {
  const { store, clock, held, start } = scheduleFixture(t);
  store.schedule(1, clock.now());
  store.answer = () => new MillraceError("ERR_STORE_FENCED", "x");
  start();
  await settle();
  t.deepEqual(held, []);
});
