import { setTimeout } from "node:timers/promises";
import { DirectSocket } from "@millrace/mapped-file";
import type { SendLane, ServiceOutcome } from "@millrace/shared-memory";

/** Until a group that is being sent has been. */
const LOOK_MS = 10;

/** Lets go of the socket of a lane that is closed. */
export function closeLaneDescriptor(lane: SendLane): void {
  const { descriptor } = lane;
  if (descriptor < 0) return;
  lane.descriptor = -1;
  DirectSocket.closeDescriptor(descriptor);
}

/**
 * Gives the lane back for whichever of its two threads dies. Not for one that was given up: it is there, may go on, and then uses lane and
 * descriptor as its own. When it has been destroyed {@link abandonLane} is for who did that. Main's.
 */
export function tendLane(lane: SendLane, append: Promise<ServiceOutcome>, replicate: Promise<ServiceOutcome> | undefined): void {
  void append.then((outcome) => {
    if (!isGivenUp(outcome)) lane.lose();
  });
  void replicate?.then((outcome) => {
    if (!isGivenUp(outcome)) void abandonLane(lane);
  });
}

function isGivenUp(outcome: ServiceOutcome): boolean {
  return !outcome.ok && outcome.code === "ERR_SERVICE_STUCK";
}

/** What replicate's thread, which has ended, however it has, has left behind: so the slave hears that the connection has ended. Main's. */
export async function abandonLane(lane: SendLane): Promise<void> {
  while (!lane.abandon()) await setTimeout(LOOK_MS, undefined, { ref: false });
  closeLaneDescriptor(lane);
}
