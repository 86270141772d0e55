import type { MappedFile } from "@millrace/mapped-file";
import { type ControlBlock, monotonicUs, ServiceState } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { FencingForce } from "../marks/fencing-force.js";
import { ReadyAhead } from "../pipeline/ready-ahead.js";
import type { SegmentWriter } from "./segment-writer.js";

/** RocketMQ's AllocateMappedFileService waits this long for a segment. */
const ALLOCATE_TIMEOUT_US = 5_000_000;
const ALLOCATE_LOOK_MS = 10;

/** The bytes that the allocator has made ready, as the writer of the log asks for them and waits for them. */
export class ReadyBytes {
  /** End of those that may be written to. */
  allocated: number;
  /** Somebody has waited in vain for as long as may be: nobody does again before there are bytes. */
  isStarved = false;
  readonly #counters: ControlBlock<"append">["counters"];
  readonly #writer: SegmentWriter;
  readonly #force: FencingForce;
  readonly #readyAhead: ReadyAhead;

  constructor(config: MessageStoreConfig, control: ControlBlock<"append">, writer: SegmentWriter, force: FencingForce) {
    this.#counters = control.counters;
    this.#writer = writer;
    this.#force = force;
    this.allocated = control.counters.wroteOffset.value;
    this.#readyAhead = new ReadyAhead(config, this.allocated);
  }

  /** Asks for what should be ready when the log ends at `offset`; seldom, because a wake-up costs 5 µs. */
  wantFor(offset: number): void {
    const { segmentWantedOffset } = this.#counters;
    const wanted = this.#readyAhead.endFor(offset);
    if (wanted > segmentWantedOffset.value) segmentWantedOffset.publish(wanted);
  }

  /** The same, when little is left of what was asked for. */
  wantAhead(offset: number): void {
    if (this.#readyAhead.isShort(offset, this.#counters.segmentWantedOffset.value)) this.wantFor(offset);
  }

  /** Only what the writer can take counts as allocated. */
  isReady(segment: MappedFile, end: number): boolean {
    const allocated = this.#counters.allocatedOffset.get();
    if (end > allocated) return false;
    if (end === segment.fromOffset) return true; // the file of a new log is not there yet when it starts
    if (!this.#writer.isReady(segment)) return false;
    this.allocated = allocated;
    this.isStarved = false;
    return true;
  }

  /** Until the bytes are there, the allocator has failed or ended, or RocketMQ's five seconds are over. */
  wait(segment: MappedFile, end: number): boolean {
    const { allocatedOffset, allocateFailures, allocateState, segmentWantedOffset } = this.#counters;
    const deadlineUs = monotonicUs() + ALLOCATE_TIMEOUT_US;
    const failures = allocateFailures.get();
    this.wantFor(end);
    segmentWantedOffset.nudge();
    for (;;) {
      const allocated = allocatedOffset.get();
      if (this.isReady(segment, end)) return true;
      this.#force.check(); // then no bytes come any more
      if (allocateFailures.get() !== failures || allocateState.get() === ServiceState.failed) return false;
      this.isStarved = monotonicUs() > deadlineUs;
      if (this.isStarved) return false;
      allocatedOffset.wait(allocated, ALLOCATE_LOOK_MS);
    }
  }
}
