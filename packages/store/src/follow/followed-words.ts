import {
  allocateQueueTable,
  ControlBlock,
  type OwnedCounter,
  type QueueColumns,
  QueueTableWriter,
  queueColumns,
} from "@millrace/shared-memory";
import { TopicTable } from "../put/topic-table.js";

/**
 * The words and columns that the threads of an open store share, for a store that has no threads: whoever follows the directory moves them
 * all, so that all that reads works as it does beside the threads. Of this process alone.
 */
export class FollowedWords {
  readonly control: ControlBlock<"main">;
  readonly queues = allocateQueueTable({ take: (length) => new Uint8Array(new SharedArrayBuffer(length)) });
  readonly topics: TopicTable;
  readonly #ends: readonly OwnedCounter[];
  readonly #minOffset: OwnedCounter;
  readonly #dispatched: OwnedCounter;
  readonly #appended: QueueColumns<"append">;
  readonly #readable: QueueColumns<"dispatch">;

  constructor() {
    const buffer = ControlBlock.create({});
    const append = ControlBlock.attach(buffer, "append");
    const flush = ControlBlock.attach(buffer, "flush");
    const dispatch = ControlBlock.attach(buffer, "dispatch");
    this.control = ControlBlock.attach(buffer, "main");
    this.topics = new TopicTable(new QueueTableWriter(this.queues, this.control.counters.queueSlots));
    this.#ends = [append.counters.wroteOffset, append.counters.answeredOffset, flush.counters.committedOffset];
    this.#minOffset = ControlBlock.attach(buffer, "allocate").counters.minOffset;
    this.#dispatched = dispatch.counters.reputFromOffset;
    this.#appended = queueColumns(this.queues, append);
    this.#readable = queueColumns(this.queues, dispatch);
  }

  /** One past the last record that is shown. */
  get end(): number {
    return this.#dispatched.value;
  }

  /** The records below it can be read: before a queue leads to them. */
  raiseEnd(end: number): void {
    for (const word of this.#ends) if (word.value < end) word.set(end);
  }

  setMinOffset(minOffset: number): void {
    if (minOffset > this.#minOffset.value) this.#minOffset.set(minOffset);
  }

  /** @param nextOffset above `maxOffset` while units are built again: who has consumed so far stays there */
  setQueue(slot: number, minOffset: number, maxOffset: number, nextOffset: number): void {
    this.#appended.nextQueueOffsets.set(slot, nextOffset);
    this.#readable.maxQueueOffsets.set(slot, maxOffset);
    this.#readable.minQueueOffsets.set(slot, minOffset);
  }

  /** Wakes those who wait for arrivals. */
  publish(): void {
    this.#dispatched.publish(Math.max(this.#dispatched.value, this.#ends[0]?.value ?? 0));
  }
}
