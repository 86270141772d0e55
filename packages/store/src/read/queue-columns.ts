import type { ControlBlock, QueueTableBuffers, ReadableCounter } from "@millrace/shared-memory";

/**
 * What the other threads say of the queues, by slot. The dispatcher sets the columns before it publishes `reputFromOffset`: loading that word first
 * makes what it wrote into the ConsumeQueue visible.
 */
export class QueueColumns {
  readonly #reputFromOffset: ReadableCounter;
  readonly #next: Float64Array;
  readonly #max: Float64Array;
  readonly #min: Float64Array;

  constructor(counters: ControlBlock<"main">["counters"], queues: QueueTableBuffers) {
    this.#reputFromOffset = counters.reputFromOffset;
    this.#next = new Float64Array(queues.nextQueueOffsets);
    this.#max = new Float64Array(queues.maxQueueOffsets);
    this.#min = new Float64Array(queues.minQueueOffsets);
  }

  /** The queue offset that the next message gets. */
  next(slot: number): number {
    this.#reputFromOffset.get();
    return this.#next[slot] as number;
  }

  /** Behind the last queue offset that can be read. */
  max(slot: number): number {
    this.#reputFromOffset.get();
    return this.#max[slot] as number;
  }

  /** First queue offset whose record is still on disk. */
  min(slot: number): number {
    this.#reputFromOffset.get();
    return this.#min[slot] as number;
  }
}
