import test from "ava";
import { LOG_TABLE } from "#store/recover/log/recovery-decision.js";
import { combinations } from "../support/fact-combinations.js";

test("nothing before the watermark is ever cut, and nothing is cut in the middle of a log that was closed cleanly", (t) => {
  for (const found of combinations(LOG_TABLE.facts)) {
    const { verdict } = LOG_TABLE.decide(found);
    if (found.isBelowWatermark || (found.lastExitOk && found.hasDataBehind)) t.not(verdict, "cut", JSON.stringify(found));
  }
});

test("an ending that is not complete never lets the log go on", (t) => {
  for (const found of combinations(LOG_TABLE.facts)) {
    if (found.ending !== "complete") t.not(LOG_TABLE.decide(found).verdict, "roll");
  }
});
