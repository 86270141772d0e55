import test from "ava";
import { ArrivalTimes } from "#store/broker/delay/arrival-times.js";

test("a message is due its delay after it was first seen", (t) => {
  const arrivals = new ArrivalTimes(1000);
  arrivals.seen(2, 100);
  arrivals.seen(2, 500);
  arrivals.seen(3, 600);
  t.is(arrivals.deadlineMs(0), 1100);
  t.is(arrivals.deadlineMs(1), 1100);
  t.is(arrivals.deadlineMs(2), 1600);
  t.is(arrivals.deadlineMs(3), Infinity);
});

test("however many there are, about 1024 groups are kept, and none is due early or noticeably late", (t) => {
  const delayMs = 10_240;
  const arrivals = new ArrivalTimes(delayMs);
  for (let ms = 0; ms < 20_000; ms++) arrivals.seen(ms + 1, ms);
  t.true(arrivals.size <= 1026, String(arrivals.size));
  for (let ms = 19_999 - delayMs + 1; ms < 20_000; ms += 7) {
    const deadline = arrivals.deadlineMs(ms);
    t.true(deadline >= ms + delayMs && deadline < ms + delayMs + 10, `${ms}: ${deadline}`);
  }
});

test("those that are due already are due, however few groups remain of them", (t) => {
  const arrivals = new ArrivalTimes(1000);
  for (let ms = 0; ms < 10_000; ms += 10) arrivals.seen(ms / 10 + 1, ms);
  t.true(arrivals.deadlineMs(0) <= 10_000);
});
