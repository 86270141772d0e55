import type { ReadableCounter } from "./counter.js";
import { NAME_LENGTH_OFFSET, NAME_QUEUE_ID_OFFSET, NAME_TOPIC_OFFSET, type QueueTableBuffers } from "./queue-table-descriptor.js";

/** Another thread's side of the {@link QueueTableBuffers}: hears of each queue once, in the order of the slots. */
export class QueueTableReader {
  readonly #names: SharedArrayBuffer;
  readonly #queueSlots: ReadableCounter;
  #slots = 0;
  #end = 0;

  constructor(buffers: QueueTableBuffers, queueSlots: ReadableCounter) {
    this.#names = buffers.names;
    this.#queueSlots = queueSlots;
  }

  /** Tells of the queues registered since the last call; `topic` is a copy. */
  refresh(onQueue: (slot: number, topic: Uint8Array, queueId: number) => void): void {
    const slots = this.#queueSlots.get();
    while (this.#slots < slots) {
      const view = new DataView(this.#names, this.#end);
      const length = view.getUint16(NAME_LENGTH_OFFSET);
      const topic = new Uint8Array(this.#names, this.#end + NAME_TOPIC_OFFSET, length).slice();
      onQueue(this.#slots, topic, view.getInt32(NAME_QUEUE_ID_OFFSET));
      this.#end += NAME_TOPIC_OFFSET + length;
      this.#slots++;
    }
  }
}
