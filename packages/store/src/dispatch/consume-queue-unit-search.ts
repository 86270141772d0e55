import { CONSUME_QUEUE_UNIT_LENGTH, ConsumeQueueUnit } from "@millrace/format";
import type { Storage, StorageFile } from "@millrace/mapped-file";
import type { ConsumeQueue } from "./consume-queue.js";

/** Reads units of ConsumeQueues through the channel, one file open at a time; makes no file. Dispatch thread, off the hot path. */
export class ConsumeQueueUnitSearch {
  readonly #storage: Storage;
  readonly #bytes = new Uint8Array(CONSUME_QUEUE_UNIT_LENGTH);
  readonly #unit = new ConsumeQueueUnit();
  #file: StorageFile | undefined;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /**
   * First queue offset in [from, to) whose record lies at `physicalOffset` or behind it; `to` when there is none. Physical offsets
   * ascend; units that only fill a hole have none.
   */
  findFirst(queue: ConsumeQueue, from: number, to: number, physicalOffset: number): number {
    if (from < to && this.#physicalOffset(queue, from) >= physicalOffset) return from;
    let found = to;
    let [low, high] = [from, to];
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      let record = middle;
      let at = this.#physicalOffset(queue, record);
      while (at < 0 && ++record < high) at = this.#physicalOffset(queue, record);
      if (at >= 0 && at < physicalOffset) {
        low = record + 1;
        continue;
      }
      if (at >= 0) found = record;
      high = middle;
    }
    return found;
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  /** Of the unit's record; -1 when it has none. */
  #physicalOffset(queue: ConsumeQueue, index: number): number {
    const path = queue.segments.pathOf(index);
    if (this.#file?.path !== path) {
      this.close();
      this.#file = this.#storage.open(path, "read");
    }
    this.#file.read(this.#bytes, (index - queue.segments.startOf(index)) * CONSUME_QUEUE_UNIT_LENGTH);
    this.#unit.read(this.#bytes, 0);
    return this.#unit.isFill ? -1 : this.#unit.physicalOffset;
  }
}
