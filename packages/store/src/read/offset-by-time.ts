import { ConsumeQueueUnit } from "@millrace/format";
import type { CommitLogReader } from "./commit-log-reader.js";
import type { ReadConsumeQueue } from "./read-consume-queue.js";
import { RecordCorruptError } from "./record-corrupt-error.js";

/** Which end of a time is meant. (RocketMQ: `BoundaryType`.) */
export type BoundaryType = "lower" | "upper";

/** A record is there, but its time cannot be believed. */
const CORRUPT = "corrupt";

/**
 * Finds queue offsets by store timestamp: a binary search over the whole queue. (RocketMQ: `ConsumeQueue.getOffsetInQueueByTime`,
 * which first chooses a file by its modification time, or by cached times.)
 */
export class OffsetByTime {
  readonly #log: CommitLogReader;
  readonly #unit = new ConsumeQueueUnit();

  constructor(log: CommitLogReader) {
    this.#log = log;
  }

  /**
   * Milliseconds; undefined when there is no such message.
   *
   * @throws RecordCorruptError
   */
  storeTimestamp(queue: ReadConsumeQueue, queueOffset: number): number | undefined {
    const unit = this.#unit;
    if (!queue.unit(queueOffset, unit) || !unit.isMessage) return undefined;
    return this.#log.pickupStoreTimestamp(unit.physicalOffset, unit.size);
  }

  /**
   * `lower`: the first message stored at `time` or later, or the queue's end. `upper`: the last one stored at `time` or earlier, or
   * the queue's first. A corrupt record counts as stored with the next good one.
   */
  find(queue: ReadConsumeQueue, time: number, boundary: BoundaryType): number {
    const first = this.#firstOnDisk(queue);
    const end = queue.maxOffset;
    // Both boundaries are where "before" ends: stored before `time`, or not after it.
    const isBefore = boundary === "lower" ? (timestamp: number) => timestamp < time : (timestamp: number) => timestamp <= time;
    let low = first;
    let high = end;
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      let good = middle;
      let timestamp = this.#timestampUnlessCorrupt(queue, good);
      while (timestamp === CORRUPT && ++good < high) timestamp = this.#timestampUnlessCorrupt(queue, good);
      if (timestamp === undefined) return queue.minOffset;
      if (timestamp !== CORRUPT && isBefore(timestamp)) low = good + 1;
      else high = middle;
    }
    const found = boundary === "lower" ? low : low - 1;
    return Math.min(Math.max(found, queue.minOffset), end);
  }

  #timestampUnlessCorrupt(queue: ReadConsumeQueue, queueOffset: number): number | typeof CORRUPT | undefined {
    try {
      const timestamp = this.storeTimestamp(queue, queueOffset);
      return timestamp === undefined && this.#unit.isFill ? CORRUPT : timestamp; // what fills a hole has no time of its own either
    } catch (error) {
      if (error instanceof RecordCorruptError) return CORRUPT;
      throw error;
    }
  }

  /** The first unit whose record is not below the log's minimum: the queue's own minimum follows the log's a little later. */
  #firstOnDisk(queue: ReadConsumeQueue): number {
    const minOffset = this.#log.minOffset;
    let low = queue.minOffset;
    let high = queue.maxOffset;
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      let record = middle;
      while (record < high && queue.unit(record, this.#unit) && this.#unit.isFill) record++;
      if (record < high && queue.unit(record, this.#unit) && this.#unit.isBelow(minOffset)) low = record + 1;
      else high = middle;
    }
    return low;
  }
}
