import { CONSUME_QUEUE_PHYSICAL_OFFSET_OFFSET, CONSUME_QUEUE_UNIT_LENGTH } from "@millrace/format";
import type { Storage, StorageFile } from "@millrace/mapped-file";
import type { ConsumeQueue } from "./consume-queue.js";

/** Reads units of ConsumeQueues through the channel, one file open at a time; makes no file. Dispatch thread, off the hot path. */
export class ConsumeQueueUnits {
  readonly #storage: Storage;
  readonly #unitsPerFile: number;
  readonly #unit = new DataView(new ArrayBuffer(CONSUME_QUEUE_UNIT_LENGTH));
  #file: StorageFile | undefined;

  constructor(storage: Storage, fileLength: number) {
    this.#storage = storage;
    this.#unitsPerFile = fileLength / CONSUME_QUEUE_UNIT_LENGTH;
  }

  /** First queue offset in [from, to) whose record lies at `physicalOffset` or behind it; `to` when there is none. Physical offsets ascend. */
  findFirst(queue: ConsumeQueue, from: number, to: number, physicalOffset: number): number {
    if (from >= to || this.#physicalOffset(queue, to - 1) < physicalOffset) return to;
    if (this.#physicalOffset(queue, from) >= physicalOffset) return from;
    let [below, atOrBehind] = [from, to - 1];
    while (atOrBehind - below > 1) {
      const middle = below + Math.floor((atOrBehind - below) / 2);
      if (this.#physicalOffset(queue, middle) < physicalOffset) below = middle;
      else atOrBehind = middle;
    }
    return atOrBehind;
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #physicalOffset(queue: ConsumeQueue, index: number): number {
    const fileStart = index - (index % this.#unitsPerFile);
    const path = queue.path(fileStart);
    if (this.#file?.path !== path) {
      this.close();
      this.#file = this.#storage.open(path, "read");
    }
    this.#file.read(new Uint8Array(this.#unit.buffer), (index - fileStart) * CONSUME_QUEUE_UNIT_LENGTH);
    return Number(this.#unit.getBigInt64(CONSUME_QUEUE_PHYSICAL_OFFSET_OFFSET));
  }
}
