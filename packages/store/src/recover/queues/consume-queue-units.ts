import { join } from "node:path";
import {
  CONSUME_QUEUE_FILL_SIZE,
  CONSUME_QUEUE_PHYSICAL_OFFSET_OFFSET,
  CONSUME_QUEUE_SIZE_OFFSET,
  CONSUME_QUEUE_TAGS_CODE_OFFSET,
  CONSUME_QUEUE_UNIT_LENGTH,
  MillraceError,
  segmentFileName,
} from "@millrace/format";
import type { Storage, StorageFile } from "@millrace/mapped-file";
import { isZero } from "../scan/segment-window.js";

const CHUNK_UNITS = 52_428;
/** So much behind the good units is looked at; a page that reached the disk before its neighbours lies near. */
const TAIL_BYTES = 64 * 1024;
const TWO_TO_32 = 0x1_0000_0000;
const SAFE_HIGH_WORD = Math.floor(Number.MAX_SAFE_INTEGER / TWO_TO_32);

/** How far units are good. Queue offsets, and absolute offsets in the log. */
export interface GoodUnits {
  /** Behind the last good unit. */
  readonly end: number;
  /** Behind the last one that belongs to a record; -1 without one. */
  readonly recordEnd: number;
  /** Where the last record ends; 0 without one. */
  readonly physicalEnd: number;
  readonly lastPhysicalOffset: number;
  /** First unit whose record begins at or behind the offset given; `end` without one. */
  readonly newFrom: number;
}

/** Reads the units of one queue's files, seamless from `from` to `to`. Files are read, not mapped: a bad sector is an error of the read. */
export class ConsumeQueueUnits {
  /** First unit on disk, and behind the last one. */
  readonly from: number;
  readonly to: number;
  readonly unitsPerFile: number;
  readonly #storage: Storage;
  readonly #directory: string;
  readonly #chunk: Uint8Array;
  #file: StorageFile | undefined;
  #fileStart = -1;
  /** Of the unit looked at last. */
  physicalOffset = 0;
  size = 0;
  tagsCode = 0;

  /** @param chunk memory to read into, {@link ConsumeQueueUnits.newChunk}; one serves any number of queues, one after the other */
  constructor(
    storage: Storage,
    directory: string,
    units: { readonly from: number; readonly to: number; readonly perFile: number },
    chunk: Uint8Array,
  ) {
    this.#storage = storage;
    this.#directory = directory;
    this.from = units.from;
    this.to = units.to;
    this.unitsPerFile = units.perFile;
    this.#chunk = chunk;
  }

  static newChunk(): Uint8Array {
    return new Uint8Array(CHUNK_UNITS * CONSUME_QUEUE_UNIT_LENGTH);
  }

  /**
   * The good units of [from, to): each leads to a record that lies in the log, behind the one before and at most up to `maxPhysicalEnd`; units that
   * only fill a hole are good.
   *
   * @throws MillraceError `ERR_CONSUME_QUEUE_UNSUPPORTED` when a unit points into a ConsumeQueueExt
   */
  walk(from: number, to: number, maxPhysicalEnd: number, newPhysicalOffset: number): GoodUnits {
    let [recordEnd, physicalEnd, lastPhysicalOffset, newFrom] = [-1, 0, -1, -1];
    let unit = from;
    while (unit < to) {
      const bytes = this.#read(unit, to);
      for (let at = 0; at < bytes.length; at += CONSUME_QUEUE_UNIT_LENGTH, unit++) {
        const physicalOffset = int64(bytes, at + CONSUME_QUEUE_PHYSICAL_OFFSET_OFFSET);
        const size = int32(bytes, at + CONSUME_QUEUE_SIZE_OFFSET);
        if (size === CONSUME_QUEUE_FILL_SIZE && physicalOffset === 0) continue;
        const isGood = size > 0 && physicalOffset >= physicalEnd && physicalOffset + size <= maxPhysicalEnd;
        if (!isGood) return { end: unit, recordEnd, physicalEnd, lastPhysicalOffset, newFrom: newFrom < 0 ? unit : newFrom };
        if (isExtAddress(bytes, at + CONSUME_QUEUE_TAGS_CODE_OFFSET)) this.#refuseExt(unit);
        if (newFrom < 0 && physicalOffset >= newPhysicalOffset) newFrom = unit;
        recordEnd = unit + 1;
        physicalEnd = physicalOffset + size;
        lastPhysicalOffset = physicalOffset;
      }
    }
    return { end: unit, recordEnd, physicalEnd, lastPhysicalOffset, newFrom: newFrom < 0 ? unit : newFrom };
  }

  /** First unit of [from, to) with an int for its tagsCode, as the hash of a tag is, that `isWrong`; `to` without one. */
  findTagsHash(from: number, to: number, isWrong: (physicalOffset: number, tagsCode: number) => boolean): number {
    let unit = from;
    while (unit < to) {
      const bytes = this.#read(unit, to);
      for (let at = 0; at < bytes.length; at += CONSUME_QUEUE_UNIT_LENGTH, unit++) {
        const tagsCode = int32(bytes, at + CONSUME_QUEUE_TAGS_CODE_OFFSET + 4);
        if (int32(bytes, at + CONSUME_QUEUE_TAGS_CODE_OFFSET) !== tagsCode >> 31) continue;
        if (isWrong(int64(bytes, at + CONSUME_QUEUE_PHYSICAL_OFFSET_OFFSET), tagsCode)) return unit;
      }
    }
    return to;
  }

  /** Takes up one unit on disk. */
  at(unit: number): void {
    const bytes = this.#read(unit, unit + 1);
    this.physicalOffset = int64(bytes, CONSUME_QUEUE_PHYSICAL_OFFSET_OFFSET);
    this.size = int32(bytes, CONSUME_QUEUE_SIZE_OFFSET);
    const high = int32(bytes, CONSUME_QUEUE_TAGS_CODE_OFFSET);
    this.tagsCode = high * TWO_TO_32 + (int32(bytes, CONSUME_QUEUE_TAGS_CODE_OFFSET + 4) >>> 0);
  }

  /** Whether zeros follow from `unit` on, as far as is looked, in the last file. */
  isTailClean(unit: number): boolean {
    if (unit >= this.to) return true;
    const fileStart = unit - (unit % this.unitsPerFile);
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
    const fileStart = from - (from % this.unitsPerFile);
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
    const name = segmentFileName(fileStart * CONSUME_QUEUE_UNIT_LENGTH);
    this.#file = this.#storage.open(join(this.#directory, name), "read");
    this.#fileStart = fileStart;
    return this.#file;
  }

  #refuseExt(unit: number): never {
    throw new MillraceError(
      "ERR_CONSUME_QUEUE_UNSUPPORTED",
      `a unit points into a ConsumeQueueExt, made with enableConsumeQueueExt, which cannot be read here: path=${this.#directory} queueOffset=${unit}`,
    );
  }
}

/** Below every int that was sign-extended: RocketMQ's address of a unit in a ConsumeQueueExt. */
function isExtAddress(bytes: Uint8Array, at: number): boolean {
  const high = int32(bytes, at);
  return high < -1 || (high === -1 && int32(bytes, at + 4) >= 0);
}

function int32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)
  );
}

/** -1 for what is negative or beyond 2^53. */
function int64(bytes: Uint8Array, at: number): number {
  const high = int32(bytes, at);
  return high < 0 || high > SAFE_HIGH_WORD ? -1 : high * TWO_TO_32 + (int32(bytes, at + 4) >>> 0);
}
