import {
  CONSUME_QUEUE_FILL_MAX,
  CONSUME_QUEUE_UNIT_LENGTH,
  ConsumeQueueUnit,
  crc32,
  writeConsumeQueueUnit,
  writeFillUnit,
} from "@millrace/format";
import { SegmentDirectory, type StorageFile } from "@millrace/mapped-file";
import type { FileChecksum } from "../marks/consume-queue-checksums.js";
import type { ConsumeQueueFiles } from "./consume-queue-files.js";

const INITIAL_PENDING_UNITS = 16;
const FILL_CHUNK_UNITS = 3276;

/**
 * The units of one topic and queue, written by the dispatch thread: collected in memory for the length of a group, then in one
 * pwrite, so that a full disk is an error and not a SIGBUS. Readers map the files. (RocketMQ: `ConsumeQueue`.)
 */
export class ConsumeQueue {
  readonly slot: number;
  readonly directory: string;
  /** The files, in units. */
  readonly segments: SegmentDirectory;
  /** SCHEDULE_TOPIC_XXXX: the units hold the time of delivery. */
  readonly isSchedule: boolean;
  /** Records below it belong to a topic of this name that was deleted. */
  readonly fromOffset: number;
  /** Queue offset of the next unit; those below `writtenOffset` are in the file. */
  maxOffset: number;
  writtenOffset: number;
  /** First queue offset that can be read. */
  minOffset: number;
  /** Of the records dispatched since the last {@link beginSegment}: the first one's queue offset, -1 without one, and physical offset. */
  segmentFirstOffset = -1;
  segmentFirstPhysical = -1;
  /** Physical offset of the last record dispatched in this life; -1 without one. */
  lastPhysicalOffset = -1;
  /** Bytes written since the last force. */
  dirtyBytes = 0;
  readonly #files: ConsumeQueueFiles;
  /** End of the last record in the queue: what ends before it has been dispatched already. -1: not yet looked at. */
  #maxPhysicalOffset = -1;
  #pending = new Uint8Array(INITIAL_PENDING_UNITS * CONSUME_QUEUE_UNIT_LENGTH);
  #file: StorageFile | undefined;
  #fileStart = 0;
  /** Starts of the files that hold bytes not forced yet. */
  readonly #dirtyFiles = new Set<number>();
  /** Where the queue ended when the store was opened, and what was noted of its files. */
  readonly openedAt: number;
  readonly notedChecksums: readonly FileChecksum[];
  /** Of the files that are written in this life, by their starts, and which of them nobody has taken yet. */
  readonly #checksums = new Map<number, FileChecksum>();
  readonly #newChecksums = new Set<number>();

  constructor(
    files: ConsumeQueueFiles,
    place: { slot: number; directory: string; isSchedule: boolean; fromOffset: number },
    minOffset: number,
    maxOffset: number,
    checksums: readonly FileChecksum[] = [],
  ) {
    this.#files = files;
    this.slot = place.slot;
    this.directory = place.directory;
    this.segments = new SegmentDirectory(place.directory, files.unitsPerFile, CONSUME_QUEUE_UNIT_LENGTH);
    this.isSchedule = place.isSchedule;
    this.fromOffset = place.fromOffset;
    this.minOffset = minOffset;
    this.maxOffset = maxOffset;
    this.writtenOffset = maxOffset;
    this.openedAt = maxOffset;
    this.notedChecksums = checksums;
    const last = checksums.find(({ fileStart, count }) => fileStart + count === maxOffset);
    if (last !== undefined) this.#checksums.set(last.fileStart, last);
  }

  /**
   * Takes a record's unit. What is in the queue already is left alone. Units lie where their queue offset says; a hole before them
   * is filled with units that no reader takes for messages. Only a hole too large for that is closed up, as RocketMQ closes every
   * hole.
   */
  put(physicalOffset: number, size: number, tagsCode: number, queueOffset: number): void {
    if (this.#maxPhysicalOffset < 0) this.#maxPhysicalOffset = this.#lastPhysicalEnd();
    if (physicalOffset + size <= this.#maxPhysicalOffset || physicalOffset < this.fromOffset) return;
    if (queueOffset !== this.maxOffset) {
      if (queueOffset < this.maxOffset) return;
      this.#fillUpTo(queueOffset);
    }
    if (this.segmentFirstOffset < 0) {
      this.segmentFirstOffset = this.maxOffset;
      this.segmentFirstPhysical = physicalOffset;
    }
    this.lastPhysicalOffset = physicalOffset;
    this.#add(physicalOffset, size, tagsCode);
    this.#maxPhysicalOffset = physicalOffset + size;
  }

  /** What comes now is in another segment of the log. */
  beginSegment(): void {
    this.segmentFirstOffset = -1;
  }

  /** Units wait to be written. */
  get isPending(): boolean {
    return this.maxOffset > this.writtenOffset;
  }

  /** Into the file, in as few writes as files; may be called again after a failure. */
  write(): void {
    let unit = this.writtenOffset;
    const first = unit;
    while (unit < this.maxOffset) {
      const fileStart = this.segments.startOf(unit);
      const end = Math.min(this.maxOffset, this.segments.endOf(unit));
      const from = (unit - first) * CONSUME_QUEUE_UNIT_LENGTH;
      const to = (end - first) * CONSUME_QUEUE_UNIT_LENGTH;
      this.#writeUnits(fileStart, unit, this.#pending.subarray(from, to));
      this.dirtyBytes += to - from;
      unit = end;
    }
    this.writtenOffset = unit;
  }

  /** Puts a unit in its place again; the next round makes it durable, with all that was written. */
  writeAgain(unit: number, bytes: Uint8Array): void {
    const fileStart = this.segments.startOf(unit);
    this.#fileOf(fileStart).write(bytes, (unit - fileStart) * CONSUME_QUEUE_UNIT_LENGTH);
    this.#dirtyFiles.add(fileStart);
    this.dirtyBytes += bytes.length;
  }

  /** Of a file in which units were put again. */
  setChecksum(checksum: FileChecksum): void {
    this.#checksums.set(checksum.fileStart, checksum);
    this.#newChecksums.add(checksum.fileStart);
  }

  /** Checksums of the files as far as they are written; those that have changed since the last call. */
  takeChecksums(): FileChecksum[] {
    const taken: FileChecksum[] = [];
    for (const fileStart of this.#newChecksums) {
      const checksum = this.#checksums.get(fileStart);
      if (checksum !== undefined) taken.push(checksum);
      if (fileStart < this.segments.startOf(this.writtenOffset)) this.#checksums.delete(fileStart);
    }
    this.#newChecksums.clear();
    return taken;
  }

  /** Makes all that was written durable. Returns the number of forces. */
  force(): number {
    const count = this.#dirtyFiles.size;
    this.#files.syncNames(this);
    for (const fileStart of this.#dirtyFiles) {
      this.#fileOf(fileStart).force();
      this.#dirtyFiles.delete(fileStart);
    }
    this.dirtyBytes = 0;
    return count;
  }

  /** Hands over what a force would make durable: paths of directories and files. The caller forces them, or nothing is durable any more. */
  takeUnforced(): string[] {
    const paths = [...this.#files.takeUnsynced(this), ...Array.from(this.#dirtyFiles, (fileStart) => this.path(fileStart))];
    this.#dirtyFiles.clear();
    this.dirtyBytes = 0;
    return paths;
  }

  /** Files that begin below unit `fileStart` are deleted: what was written to them need not be forced, which would make them again. */
  forgetFilesBelow(fileStart: number): void {
    if (this.#fileStart < fileStart) this.close();
    for (const dirty of this.#dirtyFiles) if (dirty < fileStart) this.#dirtyFiles.delete(dirty);
  }

  /** The queue is deleted: it writes and forces no more. */
  discard(): void {
    this.writtenOffset = this.maxOffset;
    this.dirtyBytes = 0;
    this.forgetFilesBelow(Number.POSITIVE_INFINITY);
  }

  /** Lets go of the open file; the next use opens it again. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  path(fileStart: number): string {
    return this.segments.pathOf(fileStart);
  }

  #writeUnits(fileStart: number, unit: number, bytes: Uint8Array): void {
    const file = this.#fileOf(fileStart);
    file.write(bytes, (unit - fileStart) * CONSUME_QUEUE_UNIT_LENGTH);
    this.#dirtyFiles.add(fileStart);
    const before = unit - fileStart;
    const known = this.#checksums.get(fileStart);
    const crc = known?.count === before ? known.crc : this.#crcOf(file, before);
    const count = before + bytes.length / CONSUME_QUEUE_UNIT_LENGTH;
    this.#checksums.set(fileStart, { fileStart, count, crc: crc32(bytes, crc) });
    this.#newChecksums.add(fileStart);
  }

  /** Of the first units of a file that an earlier life has begun, or a write that failed. */
  #crcOf(file: StorageFile, count: number): number {
    if (count === 0) return 0;
    const bytes = new Uint8Array(count * CONSUME_QUEUE_UNIT_LENGTH);
    file.read(bytes, 0);
    return crc32(bytes);
  }

  #add(physicalOffset: number, size: number, tagsCode: number): void {
    const at = (this.maxOffset - this.writtenOffset) * CONSUME_QUEUE_UNIT_LENGTH;
    if (at === this.#pending.length) this.#grow();
    writeConsumeQueueUnit(this.#pending, at, physicalOffset, size, tagsCode);
    this.maxOffset++;
  }

  #grow(): void {
    const larger = new Uint8Array(2 * this.#pending.length);
    larger.set(this.#pending);
    this.#pending = larger;
  }

  /** RocketMQ fills the first file of a queue that does not begin at 0 (`fillPreBlank`), and readers begin behind it. */
  #fillUpTo(queueOffset: number): void {
    const isFirst = this.maxOffset === 0;
    const from = isFirst ? this.segments.startOf(queueOffset) : this.maxOffset;
    if (!isFirst && queueOffset - from > CONSUME_QUEUE_FILL_MAX) return;
    this.write();
    const chunk = new Uint8Array(Math.min(FILL_CHUNK_UNITS, queueOffset - from) * CONSUME_QUEUE_UNIT_LENGTH);
    for (let at = 0; at < chunk.length; at += CONSUME_QUEUE_UNIT_LENGTH) writeFillUnit(chunk, at);
    for (let unit = from; unit < queueOffset; ) {
      const fileStart = this.segments.startOf(unit);
      const end = Math.min(queueOffset, unit + FILL_CHUNK_UNITS, this.segments.endOf(unit));
      this.#writeUnits(fileStart, unit, chunk.subarray(0, (end - unit) * CONSUME_QUEUE_UNIT_LENGTH));
      unit = end;
    }
    if (isFirst) this.minOffset = queueOffset;
    this.maxOffset = queueOffset;
    this.writtenOffset = queueOffset;
  }

  #lastPhysicalEnd(): number {
    const last = this.maxOffset - 1;
    if (last < 0) return 0;
    const fileStart = this.segments.startOf(last);
    const bytes = new Uint8Array(CONSUME_QUEUE_UNIT_LENGTH);
    this.#fileOf(fileStart).read(bytes, (last - fileStart) * CONSUME_QUEUE_UNIT_LENGTH);
    const unit = new ConsumeQueueUnit();
    unit.read(bytes, 0);
    return unit.isFill ? 0 : unit.physicalOffset + unit.size;
  }

  #fileOf(fileStart: number): StorageFile {
    if (this.#file !== undefined && this.#fileStart === fileStart) return this.#file;
    this.close();
    this.#file = this.#files.open(this, fileStart);
    this.#fileStart = fileStart;
    return this.#file;
  }
}
