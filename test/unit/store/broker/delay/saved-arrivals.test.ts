import { setImmediate } from "node:timers/promises";
import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { DelayLevels } from "#format/delay-levels.js";
import { DelayOffsets } from "#store/broker/delay/delay-offsets.js";
import { MessageScheduler } from "#store/broker/delay/message-scheduler.js";
import { SavedArrivals } from "#store/broker/delay/saved-arrivals.js";
import { readDelayArrivals } from "#store/marks/delay-arrivals.js";
import { FakeClock, FakeScheduleStore } from "../../../../support/fake-schedule-store.js";
import { temporaryDirectory } from "../../../../support/temporary-directory.js";
import { until } from "../../../../support/until.js";

const HOUR = 3_600_000;

/** Lets puts come back, and what follows from them happen. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await setImmediate();
}

test("a delay ends at most its level's time after it was first seen, over restarts and whatever the clock says", async (t) => {
  const YEAR = 365 * 24 * HOUR;
  const storage = createStorage({ kind: "real" });
  const path = `${temporaryDirectory(t)}/arrivals`;
  const offsets = DelayOffsets.open(storage, `${path}.json`, async () => {});
  const store = new FakeScheduleStore();
  const clock = new FakeClock();
  const life = (): MessageScheduler => {
    const arrivals = SavedArrivals.open(storage, path, async (content) => storage.writeSmall(path, content));
    const service = new MessageScheduler(DelayLevels.parse("10s"), offsets, store, 5, clock, arrivals);
    service.start();
    return service;
  };
  store.schedule(1, clock.now() + YEAR); // put while the clock was a year ahead
  const first = life();
  clock.pass(4000);
  await first.close();
  clock.wallMs -= YEAR;
  const second = life();
  clock.pass(3000);
  second.deliverDue();
  await until(() => readDelayArrivals(storage, path)?.savedMs === clock.now()); // by the clock as it is now
  second.stop(); // killed: nothing is saved any more
  clock.wallMs += 2000; // closed
  const third = life();
  third.deliverDue();
  await settle();
  t.is(store.put.length, 0);
  clock.pass(999);
  third.deliverDue();
  await settle();
  t.is(store.put.length, 0);
  clock.pass(1);
  third.deliverDue();
  await settle();
  t.is(store.put.length, 1);
  await third.close();
});

test("what waits is given the time of nothing else when the queue has lost its tail", async (t) => {
  const storage = createStorage({ kind: "real" });
  const path = `${temporaryDirectory(t)}/arrivals`;
  const open = (): SavedArrivals => SavedArrivals.open(storage, path, async (content) => storage.writeSmall(path, content));
  const groups = [3, 8, 9].map((end) => [end, 10_000 + end] as const);
  await open().save({
    savedMs: 20_000,
    levels: new Map([
      [1, groups],
      [2, groups],
    ]),
  });
  const ends: Record<number, number> = { 1: 5, 2: 3 };
  const arrivals = open();
  await arrivals.hold((level) => ends[level] ?? 0);
  for (const found of [arrivals, open()]) {
    t.deepEqual(found.waiting(1, 20_000), [
      { endOffset: 3, waitedMs: 9997 },
      { endOffset: 5, waitedMs: 9992 },
    ]);
    t.deepEqual(found.waiting(2, 20_000), [{ endOffset: 3, waitedMs: 9997 }]);
  }
});
