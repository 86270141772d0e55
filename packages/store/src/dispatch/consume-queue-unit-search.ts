import {
  CONSUME_QUEUE_FILL_SIZE,
  CONSUME_QUEUE_PHYSICAL_OFFSET_OFFSET,
  CONSUME_QUEUE_SIZE_OFFSET,
  CONSUME_QUEUE_UNIT_LENGTH,
} from "@millrace/format";
import type { Storage, StorageFile } from "@millrace/mapped-file";
import type { ConsumeQueue } from "./consume-queue.js";

/** Reads units of ConsumeQueues through the channel, one file open at a time; makes no file. Dispatch thread, off the hot path. */
export class ConsumeQueueUnitSearch {
  readonly #storage: Storage;
  readonly #unitsPerFile: number;
  readonly #unit = new DataView(new ArrayBuffer(CONSUME_QUEUE_UNIT_LENGTH));
  #file: StorageFile | undefined;

  constructor(storage: Storage, fileLength: number) {
    this.#storage = storage;
    this.#unitsPerFile = fileLength / CONSUME_QUEUE_UNIT_LENGTH;
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
    const fileStart = index - (index % this.#unitsPerFile);
    const path = queue.path(fileStart);
    if (this.#file?.path !== path) {
      this.close();
      this.#file = this.#storage.open(path, "read");
    }
    this.#file.read(new Uint8Array(this.#unit.buffer), (index - fileStart) * CONSUME_QUEUE_UNIT_LENGTH);
    if (this.#unit.getInt32(CONSUME_QUEUE_SIZE_OFFSET) === CONSUME_QUEUE_FILL_SIZE) return -1;
    return Number(this.#unit.getBigInt64(CONSUME_QUEUE_PHYSICAL_OFFSET_OFFSET));
  }
}
