import test from "ava";
import { decideQueue, matchesQueueRow, QUEUE_TABLE, type QueueFinding } from "#store/recover/queues/consume-queue-decision.js";

const BOTH = [false, true];

function* findings(): Generator<QueueFinding> {
  for (const log of ["records", "none", "deleted"] as const)
    for (const front of ["good", "missing", "wrong"] as const)
      for (const reachesEnd of BOTH) for (const isTailClean of BOTH) yield { log, front, reachesEnd, isTailClean };
}

test("every finding about a queue matches exactly one row, and every row matches some finding", (t) => {
  const seen = new Set<string>();
  for (const finding of findings()) {
    const rows = QUEUE_TABLE.filter((row) => matchesQueueRow(row, finding)).map((row) => row.name);
    t.is(rows.length, 1, JSON.stringify([finding, rows]));
    seen.add(decideQueue(finding).name);
  }
  t.deepEqual([...seen].sort(), QUEUE_TABLE.map((row) => row.name).sort());
});

test("a queue that lacks records of the log is dispatched again, whatever else is found", (t) => {
  for (const finding of findings()) {
    if (finding.log !== "records" || (finding.front === "good" && finding.reachesEnd)) continue;
    t.true(["dispatch", "cutAndDispatch", "rebuild"].includes(decideQueue(finding).verdict), JSON.stringify(finding));
  }
});
