import test from "ava";
import { MasterDeliveries } from "#store/broker/delay/master-deliveries.js";

const MINUTE = 60_000;

/** The log goes on without a break, a second from one look to the next. Returns its newest store timestamp. */
function goesOn(deliveries: MasterDeliveries, fromMs: number, durationMs: number): number {
  for (let at = fromMs; at <= fromMs + durationMs; at += 1000) deliveries.cameTo(at, at);
  return fromMs + durationMs;
}

test("what was due has been delivered when the log has gone on for five minutes, and not before", (t) => {
  const deliveries = new MasterDeliveries();
  t.is(deliveries.deliveredTo, undefined);
  let at = goesOn(deliveries, 0, 5 * MINUTE - 1000);
  t.is(deliveries.deliveredTo, undefined);
  at = goesOn(deliveries, at, 1000);
  t.is(deliveries.deliveredTo?.storeTimestamp, 0);
  goesOn(deliveries, at, 10 * MINUTE);
  t.like(deliveries.deliveredTo, { storeTimestamp: 10 * MINUTE, monotonicMs: 10 * MINUTE });
});

test("a log that stands still says nothing, however long", (t) => {
  const deliveries = new MasterDeliveries();
  for (let at = 0; at < 60 * MINUTE; at += 1000) deliveries.cameTo(1, at);
  t.is(deliveries.deliveredTo, undefined);
});

test("when the master was down for long, what was due meanwhile waits until the log has gone on for five minutes", (t) => {
  const deliveries = new MasterDeliveries();
  const down = goesOn(deliveries, 0, 20 * MINUTE);
  const back = down + 24 * 60 * MINUTE;
  const almost = goesOn(deliveries, back, 5 * MINUTE - 11_000);
  // What was due just before it went down, too: the leap counts as ten seconds.
  t.true((deliveries.deliveredTo?.storeTimestamp ?? 0) < down);
  const later = goesOn(deliveries, almost, 1000);
  t.is(deliveries.deliveredTo?.storeTimestamp, down);
  goesOn(deliveries, later, 10_000);
  t.is(deliveries.deliveredTo?.storeTimestamp, back);
});

test("a master's clock that is set back takes back what was due by it", (t) => {
  const deliveries = new MasterDeliveries();
  goesOn(deliveries, 0, 2 * MINUTE);
  const ahead = goesOn(deliveries, 60 * MINUTE, 2 * MINUTE);
  deliveries.cameTo(2 * MINUTE, ahead);
  const almost = goesOn(deliveries, 2 * MINUTE, 4 * MINUTE);
  t.true((deliveries.deliveredTo?.storeTimestamp ?? 0) <= 2 * MINUTE);
  const at = goesOn(deliveries, almost, MINUTE);
  t.is(deliveries.deliveredTo?.storeTimestamp, 2 * MINUTE);
  goesOn(deliveries, at, MINUTE);
  t.is(deliveries.deliveredTo?.storeTimestamp, 3 * MINUTE);
});

test("a look that comes soon after another adds nothing", (t) => {
  const deliveries = new MasterDeliveries();
  for (let at = 0; at <= 6 * MINUTE; at += 10) deliveries.cameTo(at, at);
  t.is(deliveries.deliveredTo?.storeTimestamp, MINUTE);
});
