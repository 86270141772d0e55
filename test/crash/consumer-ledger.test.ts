import test from "ava";
import { ConsumerLedger } from "./consumer-ledger.js";

test("a group finds what it committed, or the end of the queue where a crash has left less than that", (t) => {
  const ledger = new ConsumerLedger();
  for (const offset of [3, 9]) ledger.committed(0, offset);
  ledger.persisted(0, 9);
  const others = [-1, -1, -1];
  t.deepEqual(ledger.found([6, ...others], [6, 0, 0, 0]), []);
  ledger.committed(0, 8);
  t.deepEqual(ledger.found([7, ...others], [8, 0, 0, 0]), ["producer 0: 7 found as consumed, 6 saved, 8 committed last"]);
});
