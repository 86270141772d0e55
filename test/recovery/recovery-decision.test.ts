import test from "ava";
import type { RecoveryFinding } from "#store/recover/log/recovery-decision.js";
import { decideRecovery, matchesRow, RECOVERY_TABLE } from "#store/recover/log/recovery-decision.js";

const BOTH = [false, true];

function* findings(): Generator<RecoveryFinding> {
  for (const ending of ["complete", "empty", "damaged", "forbidden"] as const)
    for (const isLast of BOTH)
      for (const isBelowWatermark of BOTH)
        for (const hasDataBehind of BOTH)
          for (const lastExitOk of BOTH)
            for (const isOld of BOTH) yield { ending, isLast, isBelowWatermark, hasDataBehind, lastExitOk, isOld };
}

test("every finding matches exactly one row, and every row matches some finding", (t) => {
  const seen = new Set<string>();
  for (const finding of findings()) {
    const rows = RECOVERY_TABLE.filter((row) => matchesRow(row, finding)).map((row) => row.name);
    t.is(rows.length, 1, JSON.stringify([finding, rows]));
    seen.add(decideRecovery(finding).name);
  }
  t.deepEqual([...seen].sort(), RECOVERY_TABLE.map((row) => row.name).sort());
});

test("nothing before the watermark is ever cut, and nothing is cut in the middle of a log that was closed cleanly", (t) => {
  for (const finding of findings()) {
    const { verdict } = decideRecovery(finding);
    if (finding.isBelowWatermark || (finding.lastExitOk && finding.hasDataBehind)) t.not(verdict, "cut", JSON.stringify(finding));
  }
});

test("an ending that is not complete never lets the log go on", (t) => {
  for (const finding of findings()) {
    if (finding.ending !== "complete") t.not(decideRecovery(finding).verdict, "roll");
  }
});
