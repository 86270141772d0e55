import type { OwnedCounter } from "./counter.js";
import { NAME_LENGTH_OFFSET, NAME_QUEUE_ID_OFFSET, NAME_TOPIC_OFFSET, type QueueTableBuffers } from "./queue-table-descriptor.js";

/** Main's side of the {@link QueueTableBuffers}: gives queues their slots. */
export class QueueTableWriter {
  readonly #names: SharedArrayBuffer;
  readonly #queueSlots: OwnedCounter;
  #end = 0;

  constructor(buffers: QueueTableBuffers, queueSlots: OwnedCounter) {
    this.#names = buffers.names;
    this.#queueSlots = queueSlots;
  }

  /** Slots given so far. */
  get count(): number {
    return this.#queueSlots.value;
  }

  /**
   * The slot of the next queue, published before any record of it. A topic and queue registered again get a new slot, which
   * replaces the old one.
   */
  add(topic: Uint8Array, queueId: number): number {
    const slot = this.#queueSlots.value;
    const length = NAME_TOPIC_OFFSET + topic.length;
    if (this.#end + length > this.#names.byteLength)
      this.#names.grow(Math.min(this.#names.maxByteLength, 2 * this.#names.byteLength));
    const view = new DataView(this.#names, this.#end, length);
    view.setUint16(NAME_LENGTH_OFFSET, topic.length);
    view.setInt32(NAME_QUEUE_ID_OFFSET, queueId);
    new Uint8Array(this.#names, this.#end + NAME_TOPIC_OFFSET, topic.length).set(topic);
    this.#end += length;
    this.#queueSlots.set(slot + 1);
    return slot;
  }
}
