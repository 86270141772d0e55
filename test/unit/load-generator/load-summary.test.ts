import { LatencyHistogram } from "@millrace/shared-memory";
import test from "ava";
import type { Consumption } from "#scripts/load-generator/load-consumers.js";
import { parseLoadOptions } from "#scripts/load-generator/load-options.js";
import { isGood, summarize } from "#scripts/load-generator/load-summary.js";
import type { Verification } from "#scripts/load-generator/log-verifier.js";

const LATENCY = new LatencyHistogram().snapshot();
const VERIFIED: Verification = { verified: 10, lost: 0, unexpected: 0, problems: [] };
const CONSUMED: Consumption = {
  consumed: 10,
  e2eLatencyUs: LATENCY,
  duplicates: 0,
  outOfOrder: 0,
  foreign: 0,
  missing: 0,
  problems: [],
};

function isRunGood({
  verification = VERIFIED,
  consumption = CONSUMED,
  failed = 0,
  acked = 10,
  closeFailure,
}: {
  verification?: Verification;
  consumption?: Consumption;
  failed?: number;
  acked?: number;
  closeFailure?: string;
}): boolean {
  const figures = {
    messages: 10,
    acked,
    unreplicated: 0,
    failed,
    firstFailure: undefined,
    seconds: 1,
    latencyUs: LATENCY,
    forces: 1,
    rolls: 0,
    interrupted: false,
    restartSeconds: undefined,
    consumption,
    fromOffset: 0,
    closeFailure,
  };
  return isGood(summarize(parseLoadOptions([]), figures, verification, 1, 1));
}

test("a run is good only when nothing at all is wrong with it", (t) => {
  t.true(isRunGood({}));
  t.false(isRunGood({ verification: { ...VERIFIED, lost: 1 } }));
  t.false(isRunGood({ verification: { ...VERIFIED, verified: 9 } }));
  t.false(isRunGood({ verification: { ...VERIFIED, unexpected: 1 } }));
  t.false(isRunGood({ failed: 1 }));
  t.false(isRunGood({ closeFailure: "ERR_STORE_FENCED a force failed" }));
  for (const name of ["duplicates", "outOfOrder", "foreign", "missing"] as const)
    t.false(isRunGood({ consumption: { ...CONSUMED, [name]: 1 } }), name);
  // Consumers that failed, or whose offsets were not kept, may have seen everything all the same.
  t.false(isRunGood({ consumption: { ...CONSUMED, problems: ["the committed offset is not there"] } }));
});
