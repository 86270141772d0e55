import { CONSUME_QUEUE_UNIT_LENGTH, ConsumeQueueUnit, MESSAGE_BASE_LENGTH, parseSegmentFileName } from "@millrace/format";
import type { Storage, StorageEntry } from "@millrace/mapped-file";
import { monotonicMs } from "@millrace/shared-memory";
import type { ReadConsumeQueue } from "../read/read-consume-queue.js";
import type { ReadSegment } from "../read/read-segment.js";
import type { FollowedLog } from "./followed-log.js";

/** Units that one look takes at most: the others come with the next. */
const UNITS_PER_LOOK = 65_536;
/** A queue whose files are away for so long is gone: deleted, if recovery is not just building them again. */
const GONE_MS = 3000;

/** What has become of a queue's files since the last listing. */
export type QueueLife = "same" | "gone" | "again";

/**
 * Where a ConsumeQueue that somebody else writes ends. What has a unit has been dispatched; but the unit may be in the middle of being
 * stored, so that the last one counts only when the record that it leads to says the same. The end never goes back, but for a queue that
 * was gone: it ends where its files end, until they have been built again.
 */
export class FollowedQueue {
  /** Another one after it was gone, in another queue slot: the columns of a slot never go back. */
  queue: ReadConsumeQueue;
  readonly directory: string;
  /** First queue offset whose record is still there, and one past the last that can be read. */
  minOffset = 0;
  maxOffset = 0;
  /** One past the last that could ever be read in this life of the queue. */
  nextOffset = 0;
  /** End of the last record in the queue, in bytes of the log. */
  physicalEnd = 0;
  readonly #storage: Storage;
  readonly #log: FollowedLog;
  readonly #unitsPerFile: number;
  readonly #unit = new ConsumeQueueUnit();
  /** First unit of each file → which file it is. */
  #files = new Map<number, number>();
  /** It is known where it ends: not before the first file, and not while it is gone. */
  #isBegun = false;
  #goneSinceMs = -1;

  /** Of no unit before the first {@link refresh}. */
  constructor(storage: Storage, log: FollowedLog, queue: ReadConsumeQueue, directory: string, fileSize: number) {
    this.#storage = storage;
    this.#log = log;
    this.queue = queue;
    this.directory = directory;
    this.#unitsPerFile = fileSize / CONSUME_QUEUE_UNIT_LENGTH;
  }

  /** Without a file a directory is no queue yet. */
  static isIn(storage: Storage, directory: string): boolean {
    return storage.list(directory).some((entry) => startOf(entry) !== undefined);
  }

  /**
   * Takes the units that have come. Whether there were any.
   *
   * @throws MillraceError `ERR_SEGMENT_SIZE`, and what the system says
   */
  advance(): boolean {
    if (!this.#isBegun) return false;
    let end = this.maxOffset;
    let physicalEnd = this.physicalEnd;
    const ends: number[] = [physicalEnd];
    const limit = end + UNITS_PER_LOOK;
    while (end < limit && this.#read(end)) {
      const { isFill, physicalOffset, size } = this.#unit;
      if (!isFill && physicalOffset < physicalEnd) break;
      if (!isFill) physicalEnd = physicalOffset + size;
      ends.push(physicalEnd);
      end++;
    }
    while (end > this.maxOffset && !this.#isBelieved(end - 1)) end--;
    if (end === this.maxOffset) return false;
    this.physicalEnd = ends[end - this.maxOffset] as number;
    this.#setEnd(end);
    return true;
  }

  /**
   * Looks which files there are, and moves `minOffset` to the first unit whose record the log still has.
   *
   * @throws MillraceError `ERR_SEGMENT_SIZE`, and what the system says
   */
  refresh(): QueueLife {
    const files = this.#list();
    if (files.size === 0) return this.#withoutFiles();
    this.#goneSinceMs = -1;
    const hasOthers = !this.#isBegun || this.#isReplacedBy(files);
    if (hasOthers && this.nextOffset > 0) {
      const isAgain = this.#isAgain(files);
      if (isAgain) return "again";
      if (isAgain === undefined) return this.#isBegun ? "same" : "gone"; // nothing in them says it yet: they are compared once more
    }
    if (!this.#isBegun || (hasOthers && this.nextOffset === 0)) this.#begin(files);
    this.#files = files;
    const first = Math.min(...files.keys());
    this.minOffset = Math.max(this.minOffset, this.#firstOf(Math.max(first, this.minOffset), this.maxOffset, this.#log.minOffset));
    return "same";
  }

  /** Its place in the log is kept: by it the files of the same life are known when they come back. */
  #withoutFiles(): QueueLife {
    if (!this.#isBegun) return "gone";
    if (this.#goneSinceMs < 0) this.#goneSinceMs = monotonicMs();
    if (monotonicMs() - this.#goneSinceMs <= GONE_MS) return "same";
    this.#isBegun = false;
    this.minOffset = this.maxOffset = 0;
    this.queue.forget(Number.POSITIVE_INFINITY);
    return "gone";
  }

  #setEnd(maxOffset: number): void {
    this.maxOffset = maxOffset;
    this.nextOffset = Math.max(this.nextOffset, maxOffset);
  }

  /** Another file has the name of one that is known, or none of those that are known is left. */
  #isReplacedBy(files: ReadonlyMap<number, number>): boolean {
    const known = [...this.#files];
    if (known.some(([start, inode]) => files.has(start) && files.get(start) !== inode)) return true;
    return known.length > 0 && !known.some(([start]) => files.has(start));
  }

  /**
   * Of files that have replaced others: those of the next life of a topic that was deleted, or built again from the log by a recovery.
   * Undefined while they have no unit of a record.
   */
  #isAgain(files: ReadonlyMap<number, number>): boolean | undefined {
    this.queue.forget(Number.POSITIVE_INFINITY);
    const first = Math.min(...files.keys());
    const limit = first + this.#unitsPerFile;
    let at = first;
    while (at < limit && this.#read(at) && this.#unit.isFill) at++;
    if (at >= limit || !this.#read(at)) return undefined;
    return this.#unit.physicalOffset >= this.physicalEnd;
  }

  /** Where it ends when it is looked at first, or after it was gone: units are there up to a place in the last file, none from there on. */
  #begin(files: ReadonlyMap<number, number>): void {
    this.queue.forget(Number.POSITIVE_INFINITY);
    for (const start of [...files.keys()].sort((a, b) => b - a)) {
      let [low, high] = [start, start + this.#unitsPerFile];
      while (low < high) {
        const middle = low + Math.floor((high - low) / 2);
        if (this.#read(middle)) low = middle + 1;
        else high = middle;
      }
      while (low > start && !this.#isBelieved(low - 1)) low--;
      if (low === start) continue;
      this.physicalEnd = this.#physicalEndBelow(low, start);
      this.#setEnd(low);
      break;
    }
    this.#isBegun = true;
  }

  #physicalEndBelow(end: number, start: number): number {
    for (let at = end - 1; at >= start; at--)
      if (this.#read(at) && !this.#unit.isFill) return this.#unit.physicalOffset + this.#unit.size;
    return 0;
  }

  /**
   * First queue offset in [from, to) whose record lies at `physicalOffset` or above it; `to` without one. What only fills has none, nor has
   * a unit that is damaged.
   */
  #firstOf(from: number, to: number, physicalOffset: number): number {
    let [low, high] = [from, to];
    let found = to;
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      let at = middle;
      while (at < high && !this.#isRecord(at, physicalOffset)) at++;
      if (at < high && this.#unit.physicalOffset < physicalOffset) {
        low = at + 1;
        continue;
      }
      if (at < high) found = at;
      high = middle;
    }
    return found;
  }

  /** Whether it is a record's unit, and agrees with the one before it about what lies below `physicalOffset`. */
  #isRecord(queueOffset: number, physicalOffset: number): boolean {
    if (!this.#read(queueOffset) || this.#unit.isFill) return false;
    return this.#unit.physicalOffset >= physicalOffset || !this.queue.isAbove(queueOffset - 1, physicalOffset);
  }

  /** Whether the file has a unit there. */
  #read(queueOffset: number): boolean {
    const file = this.#fileOf(queueOffset);
    if (file === undefined) return false;
    this.#unit.readFrom(file.view, queueOffset * CONSUME_QUEUE_UNIT_LENGTH - file.fromOffset);
    const { isFill, isMessage, size } = this.#unit;
    return isFill || (isMessage && size >= MESSAGE_BASE_LENGTH);
  }

  /** A file without a byte has no unit yet: it is being made, or a power failure has left its name alone. */
  #fileOf(queueOffset: number): ReadSegment | undefined {
    try {
      return this.queue.fileOf(queueOffset);
    } catch (error) {
      if (this.#storage.entry(this.queue.pathOf(queueOffset))?.size === 0) return undefined;
      throw error;
    }
  }

  #isBelieved(queueOffset: number): boolean {
    if (!this.#read(queueOffset)) return false;
    const unit = this.#unit;
    if (unit.isFill) return true;
    const end = unit.physicalOffset + unit.size;
    if (end > this.#log.endOfFiles) this.#log.refresh();
    if (end > this.#log.endOfFiles) return false;
    return this.queue.errorOf(queueOffset, unit, this.#log.minOffset, this.#log.endOfFiles) === undefined;
  }

  #list(): Map<number, number> {
    const files = new Map<number, number>();
    for (const entry of this.#storage.list(this.directory)) {
      const start = startOf(entry);
      if (start !== undefined) files.set(start / CONSUME_QUEUE_UNIT_LENGTH, entry.inode);
    }
    return files;
  }
}

/** Of a file of a ConsumeQueue, in bytes; undefined for all else, and while it has no byte. */
function startOf({ kind, name, size }: StorageEntry): number | undefined {
  return kind === "file" && size > 0 ? parseSegmentFileName(name) : undefined;
}
