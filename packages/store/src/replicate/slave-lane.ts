import type { DirectSocket } from "@millrace/mapped-file";
import type { ControlBlock, SendLane, StuckFrame } from "@millrace/shared-memory";
import { closeLaneDescriptor } from "../pipeline/lane-descriptor.js";

/** What of a control block the lane needs. */
export interface LaneWords {
  readonly sendLane: SendLane;
  readonly counters: Pick<ControlBlock<"replicate">["counters"], "laneBeganOffset" | "laneOffset">;
}

/**
 * Replicate's side of the {@link SendLane}, for one connection. Owns a duplicate of the socket's descriptor, which is never another file's
 * when the runtime has closed its own.
 */
export class SlaveLane {
  readonly #direct: DirectSocket;
  readonly #lane: SendLane;
  readonly #counters: LaneWords["counters"];
  #hasDescriptor: boolean | undefined;
  #isOpen = false;

  constructor(direct: DirectSocket, { sendLane, counters }: LaneWords) {
    this.#direct = direct;
    this.#lane = sendLane;
    this.#counters = counters;
  }

  /** From {@link open} to {@link close}. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** While it is open: the appender has sent a frame in part, and nothing after it. */
  get isStuck(): boolean {
    return this.#lane.isStuck;
  }

  /** While it is open, and until it is opened again: how far the slave has been sent the log, or is being sent it. */
  get sentOffset(): number {
    return Math.max(this.#counters.laneBeganOffset.value, this.#counters.laneOffset.get());
  }

  /** No other connection has a descriptor in the lane. False: no other thread can use the socket. @param offset end of the log, all sent */
  open(offset: number): boolean {
    this.#hasDescriptor ??= this.#duplicate();
    if (!this.#hasDescriptor || this.#direct.hasUnsent) return false;
    this.#counters.laneBeganOffset.set(offset);
    this.#isOpen = true;
    this.#lane.open();
    return true;
  }

  #duplicate(): boolean {
    const descriptor = this.#direct.duplicate();
    if (descriptor >= 0) this.#lane.descriptor = descriptor;
    return descriptor >= 0;
  }

  /** While it is open: nobody sends on it any more. Undefined: no frame has stuck. */
  close(): StuckFrame | undefined {
    const stuck = this.#lane.close();
    this.#isOpen = false;
    return stuck;
  }

  /** Lets go of the socket, of which the lane is closed. */
  end(): void {
    if (this.#hasDescriptor === true) closeLaneDescriptor(this.#lane);
    this.#hasDescriptor = false;
  }
}
