import { setImmediate } from "node:timers/promises";
import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { DelayLevels } from "#format/delay-levels.js";
import { ArrivalTimes } from "#store/broker/delay/arrival-times.js";
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

test("what waits is given the time of nothing else when the queue has lost its tail", (t) => {
  const times = new ArrivalTimes(
    10_000,
    [
      { endOffset: 3, waitedMs: 9000 },
      { endOffset: 8, waitedMs: 8000 },
    ],
    5,
    100_000,
  );
  times.seen(6, 100_000);
  t.is(times.deadlineMs(0), 101_000);
  t.is(times.deadlineMs(4), 102_000);
  t.is(times.deadlineMs(5), 110_000);
});
