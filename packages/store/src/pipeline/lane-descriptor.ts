import { DirectSocket } from "@millrace/mapped-file";
import type { SendLane } from "@millrace/shared-memory";

/** Lets go of the socket of a lane that is closed. */
export function closeLaneDescriptor(lane: SendLane): void {
  const { descriptor } = lane;
  if (descriptor < 0) return;
  lane.descriptor = -1;
  DirectSocket.closeDescriptor(descriptor);
}

/** What replicate's thread, which has ended, however it has, has left behind: so the slave hears that the connection has ended. Main's. */
export function abandonLane(lane: SendLane): void {
  lane.close();
  closeLaneDescriptor(lane);
}
