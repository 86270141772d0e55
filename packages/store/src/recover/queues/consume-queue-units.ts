import { CONSUME_QUEUE_UNIT_LENGTH, ConsumeQueueUnit, crc32, MillraceError } from "@millrace/format";
import { isZero, SegmentDirectory, type Storage, type StorageFile } from "@millrace/mapped-file";

const CHUNK_UNITS = 52_428;
/** So much behind the good units is looked at; a page that reached the disk before its neighbours lies near. */
const TAIL_BYTES = 64 * 1024;
const TAIL_UNITS = Math.floor(TAIL_BYTES / CONSUME_QUEUE_UNIT_LENGTH);

/** How far units are good. Queue offsets, and absolute offsets in the log. */
export interface GoodUnits {
  /** One past the last good unit. */
  readonly end: number;
  /** One past the last one that belongs to a record; -1 without one. */
  readonly recordEnd: number;
  /** Where the last record ends; 0 without one. */
  readonly physicalEnd: number;
  readonly lastPhysicalOffset: number;
  /** First unit whose record begins at or behind the offset given; `end` without one. */
  readonly newFrom: number;
}

/** Queue offsets, `to` exclusive. Plain data. */
export interface UnitRange {
  readonly from: number;
  readonly to: number;
}

/** The good units among others. */
export interface ExpiredUnits extends GoodUnits {
  /** Those before `end` that are not good. */
  readonly damaged: readonly UnitRange[];
}

/** Reads the units of one queue's files, seamless from `from` to `to`. Files are read, not mapped: a bad sector is an error of the read. */
export class ConsumeQueueUnits {
  /** First unit on disk, and one past the last one. */
  readonly from: number;
  readonly to: number;
  readonly unitsPerFile: number;
  readonly #storage: Storage;
  readonly #directory: SegmentDirectory;
  readonly #chunk: Uint8Array;
  #file: StorageFile | undefined;
  #fileStart = -1;
  readonly #unit = new ConsumeQueueUnit();

  /** @param chunk memory to read into, {@link ConsumeQueueUnits.newChunk}; one serves any number of queues, one after the other */
  constructor(
    storage: Storage,
    directory: string,
    units: { readonly from: number; readonly to: number; readonly perFile: number },
    chunk: Uint8Array,
  ) {
    this.#storage = storage;
    this.#directory = new SegmentDirectory(directory, units.perFile, CONSUME_QUEUE_UNIT_LENGTH);
    this.from = units.from;
    this.to = units.to;
    this.unitsPerFile = units.perFile;
    this.#chunk = chunk;
  }

  static newChunk(): Uint8Array {
    return new Uint8Array(CHUNK_UNITS * CONSUME_QUEUE_UNIT_LENGTH);
  }

  /**
   * The good units of [from, to): each leads to a record that lies in the log, behind the one before and at most up to
   * `maxPhysicalEnd`; units that only fill a hole are good. One that points into a ConsumeQueueExt is bad: where there is such a
   * directory, the store is not opened.
   */
  walk(from: number, to: number, maxPhysicalEnd: number, newPhysicalOffset: number): GoodUnits {
    const record = this.#unit;
    let [recordEnd, physicalEnd, lastPhysicalOffset, newFrom] = [-1, 0, -1, -1];
    let unit = from;
    while (unit < to) {
      const bytes = this.#read(unit, to);
      for (let at = 0; at < bytes.length; at += CONSUME_QUEUE_UNIT_LENGTH, unit++) {
        record.read(bytes, at);
        const { physicalOffset, size } = record;
        if (record.isFill && physicalOffset === 0) continue;
        const isInLog = size > 0 && physicalOffset >= physicalEnd && physicalOffset + size <= maxPhysicalEnd;
        const isGood = isInLog && !record.isExtAddress;
        if (!isGood) return { end: unit, recordEnd, physicalEnd, lastPhysicalOffset, newFrom: newFrom < 0 ? unit : newFrom };
        if (newFrom < 0 && physicalOffset >= newPhysicalOffset) newFrom = unit;
        recordEnd = unit + 1;
        physicalEnd = physicalOffset + size;
        lastPhysicalOffset = physicalOffset;
      }
    }
    return { end: unit, recordEnd, physicalEnd, lastPhysicalOffset, newFrom: newFrom < 0 ? unit : newFrom };
  }

  /**
   * The good units from `from` on of a queue of which a log that begins at `minOffset` has no record: each leads to one that is gone. Where
   * two contradict each other, because the later one leads to the earlier record, the first is taken for the damaged one, if the second
   * agrees with the one before both. A damaged one ends nothing: the queue offsets behind it have been given out.
   */
  walkExpired(from: number, minOffset: number, newPhysicalOffset: number): ExpiredUnits {
    const record = this.#unit;
    const damaged: UnitRange[] = [];
    let [end, recordEnd, physicalEnd, physicalEndBefore, lastPhysicalOffset, newFrom] = [from, -1, 0, 0, -1, -1];
    // Before the last file all places have units.
    const lookTo = (): number => Math.min(this.to, Math.max(end, this.to - this.unitsPerFile) + TAIL_UNITS);
    for (let unit = from; unit < lookTo(); ) {
      const bytes = this.#read(unit, lookTo());
      for (let at = 0; at < bytes.length; at += CONSUME_QUEUE_UNIT_LENGTH, unit++) {
        record.read(bytes, at);
        const { isFill, physicalOffset, size } = record;
        const isGone = record.isBelow(minOffset) && physicalOffset + size <= minOffset && !record.isExtAddress;
        if (isFill ? physicalOffset !== 0 : !isGone || physicalOffset < physicalEndBefore) continue;
        const isBack = !isFill && physicalOffset < physicalEnd;
        if (isBack) damaged.push({ from: recordEnd - 1, to: unit });
        else if (unit > end) damaged.push({ from: end, to: unit });
        end = unit + 1;
        if (isFill) continue;
        if (newFrom < 0 && physicalOffset >= newPhysicalOffset) newFrom = unit;
        if (!isBack) physicalEndBefore = physicalEnd;
        recordEnd = end;
        physicalEnd = physicalOffset + size;
        lastPhysicalOffset = physicalOffset;
      }
    }
    return { end, recordEnd, physicalEnd, lastPhysicalOffset, newFrom: newFrom < 0 ? end : newFrom, damaged };
  }

  /** First unit of [from, to) with an int for its tagsCode, as the hash of a tag is, that `isWrong`; `to` without one. */
  findTagsHash(from: number, to: number, isWrong: (physicalOffset: number, tagsCode: number) => boolean): number {
    const record = this.#unit;
    let unit = from;
    while (unit < to) {
      const bytes = this.#read(unit, to);
      for (let at = 0; at < bytes.length; at += CONSUME_QUEUE_UNIT_LENGTH, unit++) {
        record.read(bytes, at);
        if (record.isTagsHash && !record.isFill && isWrong(record.physicalOffset, record.tagsCode)) return unit;
      }
    }
    return to;
  }

  /** Of the first units of a file. */
  crcOf(fileStart: number, count: number): number {
    let crc = 0;
    for (let unit = fileStart; unit < fileStart + count; ) {
      const bytes = this.#read(unit, fileStart + count);
      crc = crc32(bytes, crc);
      unit += bytes.length / CONSUME_QUEUE_UNIT_LENGTH;
    }
    return crc;
  }

  /** Whether the units [from, to) are nothing but zeros. */
  areZero(from: number, to: number): boolean {
    for (let unit = from; unit < to; ) {
      const bytes = this.#read(unit, to);
      if (!isZero(bytes)) return false;
      unit += bytes.length / CONSUME_QUEUE_UNIT_LENGTH;
    }
    return true;
  }

  /** One unit on disk; it is another's after the next call. */
  at(unit: number): ConsumeQueueUnit {
    this.#unit.read(this.#read(unit, unit + 1), 0);
    return this.#unit;
  }

  /** Whether zeros follow from `unit` on, as far as is looked, in the last file. */
  isTailClean(unit: number): boolean {
    if (unit >= this.to) return true;
    const fileStart = this.#directory.startOf(unit);
    if (fileStart + this.unitsPerFile < this.to) return false;
    const length = Math.min(TAIL_BYTES, (this.to - unit) * CONSUME_QUEUE_UNIT_LENGTH);
    const bytes = this.#chunk.subarray(0, length);
    return isZero(bytes.subarray(0, this.#fileOf(fileStart).read(bytes, (unit - fileStart) * CONSUME_QUEUE_UNIT_LENGTH)));
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  /** As many of the units [from, to) as fit, of one file. */
  #read(from: number, to: number): Uint8Array {
    const fileStart = this.#directory.startOf(from);
    const count = Math.min(to - from, CHUNK_UNITS, fileStart + this.unitsPerFile - from);
    const bytes = this.#chunk.subarray(0, count * CONSUME_QUEUE_UNIT_LENGTH);
    const position = (from - fileStart) * CONSUME_QUEUE_UNIT_LENGTH;
    const file = this.#fileOf(fileStart);
    const length = file.read(bytes, position);
    if (length < bytes.length) {
      const found = `path=${file.path} length=${position + length}`;
      throw new MillraceError("ERR_CONSUME_QUEUE_SIZE", `a ConsumeQueue file ends early: ${found}`);
    }
    return bytes;
  }

  #fileOf(fileStart: number): StorageFile {
    if (this.#file !== undefined && this.#fileStart === fileStart) return this.#file;
    this.close();
    this.#file = this.#storage.open(this.#directory.pathOf(fileStart), "read");
    this.#fileStart = fileStart;
    return this.#file;
  }
}
