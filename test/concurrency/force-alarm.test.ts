import { ControlBlock } from "@millrace/shared-memory";
import test from "ava";

test("the first reason stays, whichever thread raises the alarm", async (t) => {
  const buffer = ControlBlock.create({});
  const alarms = [ControlBlock.attach(buffer, "append"), ControlBlock.attach(buffer, "flush")].map(({ forceAlarm }) => forceAlarm);
  const [first, second] = alarms;
  const heard = ControlBlock.attach(buffer, "main").forceAlarm.whenRaised();
  t.false(first?.isRaised);
  first?.raise("append", "EIO: ü");
  second?.raise("flush", "later");
  await heard;
  t.true(second?.isRaised);
  t.deepEqual(second?.cause, { service: "append", reason: "EIO: ü" });
  await second?.whenRaised();
});

test("a reason of any length fits, and a wait ends without an alarm", async (t) => {
  const { forceAlarm } = ControlBlock.attach(ControlBlock.create({}), "main");
  const waited = forceAlarm.whenRaised();
  forceAlarm.nudge();
  await waited;
  t.false(forceAlarm.isRaised);
  forceAlarm.raise("flush", "x".repeat(5000));
  t.true(forceAlarm.cause.reason.length > 500);
});
