import { ControlBlock, type ServiceOutcome } from "@millrace/shared-memory";
import test from "ava";
import { tendLane } from "#store/pipeline/lane-descriptor.js";

const NEVER = new Promise<never>(() => {});

function ended(code: string): Promise<ServiceOutcome> {
  return Promise.resolve({ ok: false, service: "append", code, message: "" });
}

/** In use by the appender. */
function usedLane() {
  const { sendLane } = ControlBlock.attach(ControlBlock.create({}), "main");
  sendLane.open();
  if (!sendLane.take()) throw new Error("the lane cannot be taken");
  return sendLane;
}

test("a lane that a dead appender was using is given back; one that was given up may go on, and keeps it", async (t) => {
  for (const [code, isStuck] of [
    ["ERR_SERVICE_DIED", true],
    ["ERR_SERVICE_STUCK", false],
  ] as const) {
    const lane = usedLane();
    const append = ended(code);
    tendLane(lane, append, undefined);
    await append;
    t.is(lane.isStuck, isStuck, code);
  }
});

test("what a dead replicate thread has left is let go; one that was given up keeps its lane open", async (t) => {
  for (const [code, isTaken] of [
    ["ERR_SERVICE_DIED", false],
    ["ERR_SERVICE_STUCK", true],
  ] as const) {
    const { sendLane } = ControlBlock.attach(ControlBlock.create({}), "main");
    sendLane.open();
    const replicate = ended(code);
    tendLane(sendLane, NEVER, replicate);
    await replicate;
    t.is(sendLane.take(), isTaken, code);
  }
});
