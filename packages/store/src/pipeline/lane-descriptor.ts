import { setTimeout } from "node:timers/promises";
import { DirectSocket } from "@millrace/mapped-file";
import type { SendLane } from "@millrace/shared-memory";

/** Until a group that is being sent has been. */
const LOOK_MS = 10;

/** Lets go of the socket of a lane that is closed. */
export function closeLaneDescriptor(lane: SendLane): void {
  const { descriptor } = lane;
  if (descriptor < 0) return;
  lane.descriptor = -1;
  DirectSocket.closeDescriptor(descriptor);
}

/** What replicate's thread, which has ended, however it has, has left behind: so the slave hears that the connection has ended. Main's. */
export async function abandonLane(lane: SendLane): Promise<void> {
  while (!lane.abandon()) await setTimeout(LOOK_MS, undefined, { ref: false });
  closeLaneDescriptor(lane);
}
