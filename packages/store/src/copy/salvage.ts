import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import {
  BLANK_RECORD_LENGTH,
  CONSUME_QUEUE_UNIT_LENGTH,
  ConsumeQueueUnit,
  MillraceError,
  parseSegmentFileName,
  type StorePaths,
  segmentFileName,
  storePaths,
  writeBlankRecord,
} from "@millrace/format";
import { createStorage, type Storage, type StorageEntry, type StorageSpec } from "@millrace/mapped-file";
import { wallClockMs } from "@millrace/shared-memory";
import { resolveConfig } from "../config/message-store-config.js";
import type { MessageStoreOptions } from "../config/message-store-options.js";
import { StoreLock } from "../marks/store-lock.js";
import { ScanProgress } from "../recover/scan/scan-progress.js";
import { copyFailed } from "./copy-failed.js";
import { checkTarget, copyInto } from "./copy-target.js";
import { FILLER_LEAST_LENGTH, writeFillerRecords } from "./filler-record.js";
import { readFileWhatCan } from "./readable-pages.js";
import { type BadRange, type SalvagedSegment, scanForGood } from "./salvage-scan.js";
import { StoreCopy } from "./store-copy.js";

/** A message that a bad place held, as a ConsumeQueue knows it. Offset and length are of its record, in bytes of the log. */
export interface LostMessage {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly offset: number;
  readonly length: number;
}

/** A file or directory that could not be read, or not be understood, and is not needed for the rest. */
export interface UnreadableFile {
  readonly path: string;
  readonly reason: string;
}

/** A place of the log that holds no good record. Physical offset and length, in bytes. */
export interface LostRange {
  readonly offset: number;
  readonly length: number;
  /** What was found there. */
  readonly found: string;
  /** As far as the ConsumeQueues know them. */
  readonly messages: readonly LostMessage[];
}

/** What {@link MessageStore.salvage} has written, and what it could not. Physical offsets. */
export interface SalvageReport {
  readonly minOffset: number;
  readonly maxOffset: number;
  /** Good ones, which are in the target. */
  readonly messages: number;
  readonly lost: readonly LostRange[];
  /**
   * Of `config/`, which the target lacks; of ConsumeQueues, whose messages {@link lost} does not name; and segments whose names lie far
   * away from the rest of the log, which are not in the target.
   */
  readonly unreadable: readonly UnreadableFile[];
}

interface PlannedSegment extends SalvagedSegment {
  readonly offset: number;
}

interface PlannedRange extends LostRange {
  readonly messages: LostMessage[];
}

/** In a row, between two segments of one log. */
const MAX_MISSING = 100;

/** Removes files of `config/` of a directory that no store could be opened with, and says which. */
export type LeaveOutUnreadable = (storage: Storage, paths: StorePaths) => UnreadableFile[];

/** See `MessageStore.salvage`. Works on the caller's thread, and gives it a turn after each block that is read. */
export async function salvageStore(
  options: MessageStoreOptions,
  directory: string,
  spec: StorageSpec,
  leaveOut: LeaveOutUnreadable,
): Promise<SalvageReport> {
  const config = resolveConfig(options);
  const storage = createStorage(spec);
  const paths = storePaths(config.storePathRootDir, config.storePathCommitLog);
  const progress = new ScanProgress();
  using _heeded = progress.heed(options.signal);
  let lock: StoreLock | undefined;
  try {
    const target = checkTarget({ storage, paths }, directory);
    if (storage.entry(paths.commitLog) === undefined)
      throw new MillraceError("ERR_PATH_UNUSABLE", `there is no commit log: path=${paths.commitLog}`);
    lock = lockIfPossible(storage, paths);
    return await copyInto(storage, target, (prepared) =>
      new Salvage(new StoreCopy(storage, config, paths, storePaths(prepared), progress), leaveOut).run(),
    );
  } catch (error) {
    throw copyFailed(error, directory);
  } finally {
    lock?.release();
  }
}

/** Of a directory, and of a log that lies elsewhere, that can be written; one on a disk that is read only is nobody's. */
function lockIfPossible(storage: Storage, paths: StorePaths): StoreLock | undefined {
  let lock: StoreLock | undefined;
  try {
    lock = StoreLock.acquire(storage, paths);
    lock.lockLog(storage, paths);
    return lock;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EROFS") return lock;
    lock?.release();
    throw error;
  }
}

class Salvage {
  readonly #copy: StoreCopy;
  readonly #leaveOut: LeaveOutUnreadable;
  readonly #size: number;
  readonly #segments: PlannedSegment[] = [];
  readonly #unreadable: UnreadableFile[] = [];
  #maxOffset = 0;

  constructor(copy: StoreCopy, leaveOut: LeaveOutUnreadable) {
    this.#copy = copy;
    this.#leaveOut = leaveOut;
    this.#size = copy.config.mappedFileSizeCommitLog;
  }

  async run(): Promise<SalvageReport> {
    await this.#scan();
    const messages = this.#segments.reduce((sum, segment) => sum + segment.messages, 0);
    const lost = await this.#lost();
    await this.#write(lost);
    this.#copy.copyConfig((path, read) => this.#attempt(path, read));
    this.#unreadable.push(...this.#leaveOut(this.#copy.storage, this.#copy.target));
    this.#copy.writeWatermark(this.#maxOffset, wallClockMs());
    this.#copy.syncRoot();
    await this.#turn(this.#copy.target.root);
    return { minOffset: this.#minOffset(), maxOffset: this.#maxOffset, messages, lost, unreadable: this.#unreadable };
  }

  /** @throws MillraceError `ERR_ABORTED` */
  async #turn(path: string): Promise<void> {
    await setImmediate();
    this.#copy.check(path);
  }

  async #scan(): Promise<void> {
    const { source, storage } = this.#copy;
    const offsets = storage
      .list(source.commitLog)
      .flatMap(({ kind, name }) => (kind === "file" ? [parseSegmentFileName(name) ?? -1] : []))
      .filter((offset) => offset >= 0 && offset % this.#size === 0);
    const log = this.#withoutStrays(offsets);
    const [first = 0, last = -1] = [log[0], log.at(-1)];
    const bytes = new Uint8Array(this.#size);
    for (let offset = first; offset <= last; offset += this.#size) {
      await this.#read(offset, bytes);
      this.#segments.push({ offset, ...scanForGood(bytes, offset, FILLER_LEAST_LENGTH) });
    }
    const end = this.#segments.findLast((segment) => segment.end > 0) ?? this.#segments[0];
    this.#maxOffset = end === undefined ? 0 : end.offset + end.end;
  }

  /**
   * Segments that belong together. Those that are missing in between become files of fillers, so a file with a name from far away, before
   * or after the rest, is left out. Of two parts of a log that are so far apart the larger one stays.
   */
  #withoutStrays(offsets: readonly number[]): readonly number[] {
    const parts: number[][] = [];
    for (const offset of offsets) {
      const part = parts.at(-1);
      const before = part?.at(-1);
      if (part !== undefined && before !== undefined && (offset - before) / this.#size <= MAX_MISSING) part.push(offset);
      else parts.push([offset]);
    }
    const largest = parts.reduce((most, part) => (part.length > most.length ? part : most), parts[0] ?? []);
    for (const offset of parts.flatMap((part) => (part === largest ? [] : part))) {
      const path = join(this.#copy.source.commitLog, segmentFileName(offset));
      this.#unreadable.push({ path, reason: `it lies far away from the rest of the log, more than ${MAX_MISSING} segments` });
    }
    return largest;
  }

  /** Zeros for what is missing or cannot be read. */
  async #read(offset: number, bytes: Uint8Array): Promise<void> {
    bytes.fill(0);
    const { source, storage } = this.#copy;
    const path = join(source.commitLog, segmentFileName(offset));
    if (storage.exists(path)) await readFileWhatCan(storage, path, bytes, () => this.#turn(path));
    else await this.#turn(path);
  }

  #minOffset(): number {
    return this.#segments[0]?.offset ?? 0;
  }

  /** Every bad place before the end of the log, and what follows it; ascending. */
  async #lost(): Promise<LostRange[]> {
    const ranges: PlannedRange[] = this.#segments.flatMap((segment) =>
      this.#badOf(segment).map(({ start, end, found }) => {
        return { offset: segment.offset + start, length: end - start, found, messages: [] };
      }),
    );
    const rest: LostMessage[] = [];
    await this.#findLost((offset) => rangeAt(ranges, offset)?.messages ?? (this.#isAfterEnd(offset) ? rest : undefined));
    for (const { messages } of ranges) messages.sort(byOffset);
    rest.sort(byOffset);
    const [first] = rest;
    if (first === undefined) return ranges;
    const end = rest.reduce((most, { offset, length }) => Math.max(most, offset + length), 0);
    return [...ranges, { offset: first.offset, length: end - first.offset, found: "EMPTY", messages: rest }];
  }

  /** Whether no good record of its segment lies there or after it. */
  #isAfterEnd(offset: number): boolean {
    const segment = this.#segments[Math.floor((offset - this.#minOffset()) / this.#size)];
    return segment !== undefined && offset - segment.offset >= segment.end;
  }

  #badOf({ bad, dataEnd, end, offset }: PlannedSegment): BadRange[] {
    const last = bad.at(-1);
    if (offset + this.#size < this.#maxOffset) {
      // Zeros to the end of a segment that another follows, without a blank record that says so.
      const after = Math.max(end, last?.end ?? 0);
      return after < this.#size ? [...bad, { start: after, end: this.#size, found: "EMPTY" }] : [...bad];
    }
    if (last === undefined || last.end < this.#size || end === this.#size) return [...bad];
    return [...bad.slice(0, -1), { ...last, end: dataEnd }];
  }

  /** @param placeOf where the message of a unit goes that points to this physical offset; undefined when it is not lost */
  async #findLost(placeOf: (offset: number) => LostMessage[] | undefined): Promise<void> {
    const { config, source, storage } = this.#copy;
    const unit = new ConsumeQueueUnit();
    const listOf = (path: string): readonly StorageEntry[] => this.#attempt(path, () => storage.list(path)) ?? [];
    for (const topic of listOf(source.consumeQueue)) {
      for (const queue of topic.kind === "directory" ? listOf(join(source.consumeQueue, topic.name)) : []) {
        const path = join(source.consumeQueue, topic.name, queue.name);
        for (const { kind, name, size } of queue.kind === "directory" ? listOf(path) : []) {
          const firstUnit = (parseSegmentFileName(name) ?? -1) / CONSUME_QUEUE_UNIT_LENGTH;
          if (kind !== "file" || firstUnit < 0) continue;
          const bytes = new Uint8Array(Math.min(size, config.mappedFileSizeConsumeQueue));
          await this.#readQueueFile(join(path, name), bytes);
          for (let at = 0; at + CONSUME_QUEUE_UNIT_LENGTH <= bytes.length; at += CONSUME_QUEUE_UNIT_LENGTH) {
            unit.read(bytes, at);
            const { physicalOffset: offset, size: length } = unit;
            const queueOffset = firstUnit + at / CONSUME_QUEUE_UNIT_LENGTH;
            if (unit.isMessage)
              placeOf(offset)?.push({ topic: topic.name, queueId: Number(queue.name), queueOffset, offset, length });
          }
        }
      }
    }
  }

  async #readQueueFile(path: string, bytes: Uint8Array): Promise<void> {
    try {
      await readFileWhatCan(this.#copy.storage, path, bytes, () => this.#turn(path));
    } catch (error) {
      this.#passOver(path, error);
    }
  }

  #attempt<T>(path: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.#passOver(path, error);
      return undefined;
    }
  }

  #passOver(path: string, error: unknown): void {
    this.#copy.check(path);
    this.#unreadable.push({ path, reason: (error as Error).message });
  }

  /** Every segment again, the good records where they were. */
  async #write(lost: readonly LostRange[]): Promise<void> {
    const { storage, target } = this.#copy;
    storage.makeDirectory(target.commitLog);
    const bytes = new Uint8Array(this.#size);
    const view = new DataView(bytes.buffer);
    let fillers = this.#segments.reduce((sum, segment) => sum + segment.fillers, 0);
    let storeTimestamp = 0;
    let next = 0;
    for (const segment of this.#segments) {
      const { offset } = segment;
      if (offset >= this.#maxOffset && offset > this.#minOffset()) break;
      await this.#read(offset, bytes);
      if (offset + this.#size >= this.#maxOffset) bytes.fill(0, this.#maxOffset - offset);
      for (let range = lost[next]; range !== undefined && range.offset < offset + this.#size; range = lost[++next]) {
        if (range.offset >= this.#maxOffset) continue;
        const start = range.offset - offset;
        const end = start + range.length;
        bytes.fill(0, start, end);
        if (end === this.#size && range.length < BLANK_RECORD_LENGTH) continue;
        if (end === this.#size) writeBlankRecord(view, start, range.length);
        else {
          const what = `lost: offset=${range.offset} length=${range.length} found=${range.found} `;
          fillers += writeFillerRecords(bytes.subarray(start, end), range.offset, fillers, storeTimestamp, what);
        }
      }
      storeTimestamp = segment.storeTimestamp || storeTimestamp;
      this.#writeSegment(join(target.commitLog, segmentFileName(offset)), bytes);
    }
    storage.syncDirectory(target.commitLog);
  }

  #writeSegment(path: string, bytes: Uint8Array): void {
    const file = this.#copy.storage.open(path, "exclusive");
    try {
      file.write(bytes, 0);
      file.force();
    } finally {
      file.close();
    }
  }
}

/** The last range that begins at or before an offset, if it holds it. @param ranges ascending */
function rangeAt<R extends LostRange>(ranges: readonly R[], offset: number): R | undefined {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle] as R).offset <= offset) low = middle + 1;
    else high = middle;
  }
  const range = ranges[low - 1];
  return range !== undefined && offset < range.offset + range.length ? range : undefined;
}

function byOffset(a: LostMessage, b: LostMessage): number {
  return a.offset - b.offset;
}
