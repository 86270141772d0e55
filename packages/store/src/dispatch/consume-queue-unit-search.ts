import { CONSUME_QUEUE_UNIT_LENGTH, ConsumeQueueUnit, MESSAGE_BASE_LENGTH } from "@millrace/format";
import type { Storage, StorageFile } from "@millrace/mapped-file";
import type { ConsumeQueue } from "./consume-queue.js";

/** What a search finds is held against so many units on each side: more than a page has. */
const NEIGHBOURS = 256;
/** Instead of a physical offset: the unit only fills a hole. */
const FILL = -1;
/** Instead of a physical offset: the bytes cannot be the unit of a record that is, or was, in the log. */
const BAD = -2;

/** The log as it is at present: absolute offsets, in bytes. */
interface LogRange {
  readonly minOffset: number;
  readonly maxOffset: number;
}

/**
 * Searches units of ConsumeQueues through the channel, one file open at a time; makes no file. A unit is not believed for itself: one that
 * is damaged may look as if its record had gone. Dispatch thread, off the hot path.
 */
export class ConsumeQueueUnitSearch {
  readonly #storage: Storage;
  readonly #bytes = new Uint8Array(NEIGHBOURS * CONSUME_QUEUE_UNIT_LENGTH);
  readonly #unit = new ConsumeQueueUnit();
  #file: StorageFile | undefined;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /**
   * First queue offset in [from, to) whose record lies at the log's `minOffset` or behind it; `to` when there is none. Records ascend, so
   * that their units say the same as all their neighbours; undefined where they do not: some are damaged.
   */
  findFirst(queue: ConsumeQueue, from: number, to: number, log: LogRange): number | undefined {
    let found = to;
    let [low, high] = [from, to];
    // Of the last unit below `low`, and of the first one that was looked at from `high` on.
    let [lowOffset, highOffset] = [-1, log.maxOffset];
    if (from < to && this.#physicalOffset(queue, from, log) >= log.minOffset) [found, high] = [from, from];
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      let record = middle;
      let at = this.#physicalOffset(queue, record, log);
      while (at < 0 && ++record < high) at = this.#physicalOffset(queue, record, log);
      if (at >= 0 && (at <= lowOffset || at >= highOffset)) return undefined;
      if (at >= 0 && at < log.minOffset) {
        low = record + 1;
        lowOffset = at;
        continue;
      }
      if (at >= 0) [found, highOffset] = [record, at];
      high = middle;
    }
    const before = Math.max(from, found - NEIGHBOURS);
    const isConfirmed = this.#agree(queue, before, found, 0, log.minOffset, log);
    return isConfirmed && this.#agree(queue, found, Math.min(to, found + NEIGHBOURS), log.minOffset, log.maxOffset, log)
      ? found
      : undefined;
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  /** Whether the units [from, to) are good, and their records begin in [physicalFrom, physicalTo), one behind the other. */
  #agree(queue: ConsumeQueue, from: number, to: number, physicalFrom: number, physicalTo: number, log: LogRange): boolean {
    let physicalEnd = physicalFrom;
    for (let index = from; index < to; ) {
      const end = Math.min(to, queue.segments.endOf(index));
      this.#read(queue, index, end - index);
      for (let position = 0; index < end; index++, position += CONSUME_QUEUE_UNIT_LENGTH) {
        const at = this.#physicalOffsetAt(position, log);
        if (at === FILL) continue;
        if (at < physicalEnd || at >= physicalTo) return false;
        physicalEnd = at + this.#unit.size;
      }
    }
    return true;
  }

  #physicalOffset(queue: ConsumeQueue, index: number, log: LogRange): number {
    this.#read(queue, index, 1);
    return this.#physicalOffsetAt(0, log);
  }

  /** Of the unit's record; {@link FILL} or {@link BAD} when it has none. */
  #physicalOffsetAt(position: number, { maxOffset }: LogRange): number {
    const unit = this.#unit;
    unit.read(this.#bytes, position);
    if (unit.isFill) return FILL;
    const { physicalOffset, size } = unit;
    return unit.isMessage && size >= MESSAGE_BASE_LENGTH && physicalOffset + size <= maxOffset ? physicalOffset : BAD;
  }

  /** Units of one file; zeros where it ends before them. */
  #read(queue: ConsumeQueue, index: number, count: number): void {
    const path = queue.segments.pathOf(index);
    if (this.#file?.path !== path) {
      this.close();
      this.#file = this.#storage.open(path, "read");
    }
    const bytes = this.#bytes.subarray(0, count * CONSUME_QUEUE_UNIT_LENGTH);
    bytes.fill(0, this.#file.read(bytes, (index - queue.segments.startOf(index)) * CONSUME_QUEUE_UNIT_LENGTH));
  }
}
