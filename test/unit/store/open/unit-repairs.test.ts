import { setImmediate } from "node:timers/promises";
import test from "ava";
import { unitRepairs } from "#store/open/unit-repairs.js";
import { until } from "../../../support/until.js";

const queueOf = (slot: number) => ({
  slot,
  queueId: 0,
  topicView: new DataView(new ArrayBuffer(0)),
  pathOf: () => "TopicA/0/0",
  isAbove: () => true,
});

test("a unit that could not be built again is tried again when its queue was deleted and has begun again in its place", async (t) => {
  const asked: number[][] = [];
  const repairUnit = async (slot: number, queueOffset: number) => {
    asked.push([slot, queueOffset]);
    return { isDone: true, isRight: false };
  };
  const onBadUnit = unitRepairs({ isStopping: false, repairUnit });
  t.false(onBadUnit(queueOf(3), 7));
  await setImmediate();
  t.true(onBadUnit(queueOf(3), 7));
  t.false(onBadUnit(queueOf(4), 7));
  await setImmediate();
  t.deepEqual(asked, [
    [3, 7],
    [4, 7],
  ]);
});

test("a unit for which log or queue could not be read is tried again, after a pause, and is no corrupt record meanwhile", async (t) => {
  const asked: number[] = [];
  const repairUnit = async () => {
    asked.push(performance.now());
    return asked.length < 3 ? { isDone: true, isRight: false, isUnread: true as const } : { isDone: true, isRight: false };
  };
  const onBadUnit = unitRepairs({ isStopping: false, repairUnit });
  await until(() => onBadUnit(queueOf(3), 7)); // a reader that polls
  t.is(asked.length, 3);
  for (const [index, at] of asked.slice(1).entries()) t.true(at - (asked[index] as number) > 900, "not in a loop");
});
