import test from "ava";
import { SamplePace } from "#dashboard/sample/sample-pace.js";
import { perSecond, SampleWindow } from "#dashboard/sample/sample-window.js";

test("a cheap sample is due again after its interval, a costly one so late that it takes 0.4 % of a core", (t) => {
  const pace = new SamplePace(1000);
  t.true(pace.isDue(0));
  pace.taken(0, 1);
  t.false(pace.isDue(900));
  t.true(pace.isDue(1000));
  const costly = new SamplePace(1000);
  for (let n = 0; n < 4; n++) costly.taken(1000 * n, 1000 * n + 30);
  t.false(costly.isDue(10_000));
  t.true(costly.isDue(10_501));
});

test("samples that were held up by others do not come later: the lowest of the last costs counts", (t) => {
  const pace = new SamplePace(250);
  pace.taken(0, 0.3);
  pace.taken(250, 290);
  t.true(pace.isDue(500));
  for (let n = 2; n < 10; n++) pace.taken(250 * n, 250 * n + 40);
  t.false(pace.isDue(2500), "when all of them are costly, it is the sample");
});

test("the first samples come in their intervals, whatever they cost: cold code on a busy machine says nothing of the next", (t) => {
  const pace = new SamplePace(250);
  for (const atMs of [0, 250, 500]) {
    t.true(pace.isDue(atMs));
    pace.taken(atMs, atMs + 140);
    t.false(pace.isDue(atMs + 150));
  }
  pace.taken(750, 751);
  t.true(pace.isDue(1000));
});

test("a window keeps what it needs for its length, and begins again after a pause", (t) => {
  const window = new SampleWindow<{ atMs: number }>(1000);
  t.is(window.before(1000), undefined);
  for (let atMs = 0; atMs <= 3000; atMs += 250) window.add({ atMs });
  t.is(window.before(0)?.atMs, 3000);
  t.is(window.before(1000)?.atMs, 2000);
  t.is(window.before(9000)?.atMs, 2000, "the oldest that is kept");
  window.add({ atMs: 9000 });
  t.is(window.before(1000)?.atMs, 9000);
});

test("a rate is never negative, and 0 between equal times", (t) => {
  t.is(perSecond(10, 30, 500), 40);
  t.is(perSecond(30, 10, 500), 0);
  t.is(perSecond(10, 30, 0), 0);
});
