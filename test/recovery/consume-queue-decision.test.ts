import test from "ava";
import { QUEUE_TABLE } from "#store/recover/queues/consume-queue-decision.js";
import { combinations } from "../support/fact-combinations.js";

test("a queue that lacks records of the log is dispatched again, whatever else is found", (t) => {
  for (const found of combinations(QUEUE_TABLE.facts)) {
    if (found.log !== "records" || (found.front === "good" && found.reachesEnd)) continue;
    t.true(["dispatch", "cutAndDispatch", "rebuild"].includes(QUEUE_TABLE.decide(found).verdict), JSON.stringify(found));
  }
});
