import { ControlBlock, type SendLane } from "@millrace/shared-memory";
import test from "ava";

function newLane(): SendLane {
  return ControlBlock.attach(ControlBlock.create({}), "append").sendLane;
}

test("an open lane can be taken again and again, until it is closed", (t) => {
  const lane = newLane();
  t.false(lane.take(), "it is closed at first");
  t.is(lane.descriptor, -1);
  lane.descriptor = 0;
  t.is(lane.descriptor, 0);
  lane.open();
  for (let n = 0; n < 3; n++) {
    t.true(lane.take());
    lane.giveBack();
  }
  t.is(lane.close(), undefined);
  t.false(lane.take());
  t.is(lane.close(), undefined, "which it is already");
  t.is(lane.descriptor, 0);
});

test("a frame that has stuck closes the lane to the appender, and is told to who closes it", (t) => {
  const lane = newLane();
  lane.open();
  lane.take();
  t.false(lane.isStuck);
  lane.giveBack({ bodyLength: 1000, unsent: 300, errno: -32 });
  t.true(lane.isStuck);
  t.false(lane.take());
  t.deepEqual(lane.close(), { bodyLength: 1000, unsent: 300, errno: -32 });
  t.false(lane.isStuck);
  lane.open();
  t.true(lane.take());
  lane.giveBack();
  t.is(lane.close(), undefined, "it was of the time before");
});

test("a lane in use is lost with the appender's thread: who closes it waits no longer, and hears that a frame's rest is unknown", (t) => {
  const lane = newLane();
  lane.lose();
  lane.open();
  lane.lose();
  t.true(lane.take(), "nobody was using it");
  lane.lose();
  t.true(lane.isStuck);
  t.deepEqual(lane.close(), { bodyLength: 0, unsent: 0, errno: 0 });
  lane.open();
  lane.take();
  lane.giveBack({ bodyLength: 10, unsent: 5, errno: -32 });
  lane.lose();
  t.deepEqual(lane.close(), { bodyLength: 10, unsent: 5, errno: -32 });
});

test("who abandons a lane waits for nobody: while a group is being sent it is not done, then it is", (t) => {
  const lane = newLane();
  t.true(lane.abandon(), "it is closed");
  lane.open();
  t.true(lane.abandon());
  t.false(lane.take());
  lane.open();
  lane.take();
  t.false(lane.abandon());
  lane.giveBack({ bodyLength: 10, unsent: 5, errno: 0 });
  t.true(lane.abandon());
  t.is(lane.close(), undefined);
});
