import type { ExecutionContext } from "ava";
import test from "ava";
import { INDEX_TABLE } from "#store/recover/index/index-decision.js";
import { LOG_TABLE } from "#store/recover/log/recovery-decision.js";
import { QUEUE_TABLE } from "#store/recover/queues/consume-queue-decision.js";
import type { DecisionTable, FactTable } from "#store/recover/scan/decision-table.js";
import { combinations } from "../support/fact-combinations.js";

/** Exactly one row applies to each combination of facts, and each row to some. */
function exhaustiveAndExclusive<Facts extends FactTable, Verdict extends string, Row extends string>(
  t: ExecutionContext,
  table: DecisionTable<Facts, Verdict, Row>,
): void {
  const seen = new Set<string>();
  for (const found of combinations(table.facts)) {
    const rows = table.rowsFor(found);
    t.is(rows.length, 1, JSON.stringify([found, rows]));
    for (const row of rows) seen.add(row);
  }
  t.deepEqual([...seen].sort(), [...table.rowNames].sort());
}

test("exactly one row of the log's table applies to each combination of facts", (t) => {
  exhaustiveAndExclusive(t, LOG_TABLE);
});

test("exactly one row of the queues' table applies to each combination of facts", (t) => {
  exhaustiveAndExclusive(t, QUEUE_TABLE);
});

test("exactly one row of the index's table applies to each combination of facts", (t) => {
  exhaustiveAndExclusive(t, INDEX_TABLE);
});

test("no two tables share the name of a row, and every row has a reason of its own", (t) => {
  const names = [LOG_TABLE, QUEUE_TABLE, INDEX_TABLE].flatMap(({ rowNames }) => rowNames as readonly string[]);
  t.deepEqual([...new Set(names)], names);
  const reasons = [LOG_TABLE, QUEUE_TABLE, INDEX_TABLE].flatMap(({ rows }) => Object.values(rows).map(({ reason }) => reason));
  t.deepEqual([...new Set(reasons)], reasons);
});
