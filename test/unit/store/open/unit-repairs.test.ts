import { setImmediate } from "node:timers/promises";
import test from "ava";
import { unitRepairs } from "#store/open/unit-repairs.js";

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
