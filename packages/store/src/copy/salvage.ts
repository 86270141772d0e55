import { dirname, join } from "node:path";
import {
  BLANK_RECORD_LENGTH,
  CONSUME_QUEUE_UNIT_LENGTH,
  ConsumeQueueUnit,
  MillraceError,
  parseSegmentFileName,
  segmentFileName,
  storePaths,
  writeBlankRecord,
} from "@millrace/format";
import { createStorage, LockFile, PAGE_LENGTH, type Storage, type StorageFile, type StorageSpec } from "@millrace/mapped-file";
import { wallClockMs } from "@millrace/shared-memory";
import { resolveConfig } from "../config/message-store-config.js";
import type { MessageStoreOptions } from "../config/message-store-options.js";
import { ScanProgress } from "../recover/scan/scan-progress.js";
import { checkTarget, makePrepared, removePrepared } from "./copy-target.js";
import { FILLER_LEAST_LENGTH, writeFillerRecord } from "./filler-record.js";
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
}

interface PlannedSegment extends SalvagedSegment {
  readonly offset: number;
}

const BLOCK_LENGTH = 1024 * 1024;

/** See `MessageStore.salvage`. Works in the caller's thread. */
export function salvageStore(options: MessageStoreOptions, directory: string, spec: StorageSpec): SalvageReport {
  const config = resolveConfig(options);
  const storage = createStorage(spec);
  const paths = storePaths(config.storePathRootDir, config.storePathCommitLog);
  const target = checkTarget({ storage, paths }, directory);
  if (storage.entry(paths.commitLog) === undefined)
    throw new MillraceError("ERR_PATH_UNUSABLE", `there is no commit log: path=${paths.commitLog}`);
  const lock = lockIfPossible(storage, paths.lock);
  try {
    const prepared = makePrepared(storage, target);
    try {
      const copy = new StoreCopy(storage, config, paths, storePaths(prepared), new ScanProgress());
      const report = new Salvage(copy).run();
      storage.rename(prepared, target);
      storage.syncDirectory(dirname(target));
      return report;
    } catch (error) {
      removePrepared(storage, prepared);
      throw error;
    }
  } finally {
    lock?.release();
  }
}

/** Of a directory that can be written; one on a disk that is read only is nobody's. */
function lockIfPossible(storage: Storage, path: string): LockFile | undefined {
  try {
    return LockFile.acquire(storage, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EROFS") return undefined;
    throw error;
  }
}

class Salvage {
  readonly #copy: StoreCopy;
  readonly #size: number;
  readonly #segments: PlannedSegment[] = [];
  #maxOffset = 0;

  constructor(copy: StoreCopy) {
    this.#copy = copy;
    this.#size = copy.config.mappedFileSizeCommitLog;
  }

  run(): SalvageReport {
    this.#scan();
    const messages = this.#segments.reduce((sum, segment) => sum + segment.messages, 0);
    const lost = this.#lost();
    this.#write(lost);
    this.#copy.copyConfig();
    this.#copy.writeWatermark(this.#maxOffset, wallClockMs());
    this.#copy.syncRoot();
    return { minOffset: this.#segments[0]?.offset ?? 0, maxOffset: this.#maxOffset, messages, lost };
  }

  #scan(): void {
    const { source, storage } = this.#copy;
    const offsets = storage
      .list(source.commitLog)
      .flatMap(({ kind, name }) => (kind === "file" ? [parseSegmentFileName(name) ?? -1] : []))
      .filter((offset) => offset >= 0 && offset % this.#size === 0);
    const [first = 0, last = -1] = [offsets[0], offsets.at(-1)];
    const bytes = new Uint8Array(this.#size);
    for (let offset = first; offset <= last; offset += this.#size) {
      this.#read(offset, bytes);
      this.#segments.push({ offset, ...scanForGood(bytes, offset, FILLER_LEAST_LENGTH) });
    }
    const end = this.#segments.findLast((segment) => segment.end > 0) ?? this.#segments[0];
    this.#maxOffset = end === undefined ? 0 : end.offset + end.end;
  }

  /** Zeros for what is missing or cannot be read. */
  #read(offset: number, bytes: Uint8Array): void {
    bytes.fill(0);
    const { source, storage } = this.#copy;
    const path = join(source.commitLog, segmentFileName(offset));
    if (!storage.exists(path)) return;
    const file = storage.open(path, "read");
    try {
      for (let at = 0; at < bytes.length; at += BLOCK_LENGTH) readWhatCan(file, bytes.subarray(at, at + BLOCK_LENGTH), at);
    } finally {
      file.close();
    }
  }

  /** Every bad place before the end of the log, and what follows it. */
  #lost(): LostRange[] {
    const known = this.#knownMessages();
    const ranges: LostRange[] = this.#segments.flatMap((segment) =>
      this.#badOf(segment).map(({ start, end, found }) => {
        const [from, to] = [segment.offset + start, segment.offset + end];
        return { offset: from, length: to - from, found, messages: known.filter(({ offset }) => offset >= from && offset < to) };
      }),
    );
    const rest = known.filter((message) => !ranges.some(({ messages }) => messages.includes(message)));
    if (rest.length === 0) return ranges;
    const offset = rest.reduce((least, message) => Math.min(least, message.offset), Number.MAX_SAFE_INTEGER);
    const end = rest.reduce((most, message) => Math.max(most, message.offset + message.length), 0);
    return [...ranges, { offset, length: end - offset, found: "EMPTY", messages: rest }];
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

  /** Units of the ConsumeQueues that point into bad places. */
  #knownMessages(): LostMessage[] {
    const { source, storage } = this.#copy;
    const messages: LostMessage[] = [];
    const isLost = (offset: number): boolean => {
      if (offset < (this.#segments[0]?.offset ?? 0)) return false;
      const segment = this.#segments[(offset - (offset % this.#size) - (this.#segments[0]?.offset ?? 0)) / this.#size];
      if (segment === undefined) return false;
      const position = offset - segment.offset;
      return position >= segment.end || segment.bad.some(({ start, end }) => position >= start && position < end);
    };
    const unit = new ConsumeQueueUnit();
    for (const topic of storage.list(source.consumeQueue)) {
      for (const queue of topic.kind === "directory" ? storage.list(join(source.consumeQueue, topic.name)) : []) {
        const path = join(source.consumeQueue, topic.name, queue.name);
        for (const { kind, name, size } of queue.kind === "directory" ? storage.list(path) : []) {
          const firstUnit = (parseSegmentFileName(name) ?? -1) / CONSUME_QUEUE_UNIT_LENGTH;
          if (kind !== "file" || firstUnit < 0) continue;
          const bytes = new Uint8Array(Math.min(size, this.#copy.config.mappedFileSizeConsumeQueue));
          const file = storage.open(join(path, name), "read");
          readWhatCan(file, bytes, 0);
          file.close();
          for (let at = 0; at + CONSUME_QUEUE_UNIT_LENGTH <= bytes.length; at += CONSUME_QUEUE_UNIT_LENGTH) {
            unit.read(bytes, at);
            if (!unit.isMessage || !isLost(unit.physicalOffset)) continue;
            const queueOffset = firstUnit + at / CONSUME_QUEUE_UNIT_LENGTH;
            const { physicalOffset: offset, size: length } = unit;
            messages.push({ topic: topic.name, queueId: Number(queue.name), queueOffset, offset, length });
          }
        }
      }
    }
    return messages.sort((a, b) => a.offset - b.offset);
  }

  /** Every segment again, the good records where they were. */
  #write(lost: readonly LostRange[]): void {
    const { storage, target } = this.#copy;
    storage.makeDirectory(target.commitLog);
    const bytes = new Uint8Array(this.#size);
    const view = new DataView(bytes.buffer);
    let fillers = this.#segments.reduce((sum, segment) => sum + segment.fillers, 0);
    let storeTimestamp = 0;
    for (const segment of this.#segments) {
      const { offset } = segment;
      if (offset >= this.#maxOffset && offset > (this.#segments[0]?.offset ?? 0)) break;
      this.#read(offset, bytes);
      if (offset + this.#size >= this.#maxOffset) bytes.fill(0, this.#maxOffset - offset);
      for (const range of lost) {
        const start = range.offset - offset;
        if (start < 0 || start >= this.#size || range.offset >= this.#maxOffset) continue;
        const end = start + range.length;
        bytes.fill(0, start, end);
        if (end === this.#size && range.length < BLANK_RECORD_LENGTH) continue;
        if (end === this.#size) writeBlankRecord(view, start, range.length);
        else {
          const what = `lost: offset=${range.offset} length=${range.length} found=${range.found} `;
          writeFillerRecord(bytes.subarray(start, end), range.offset, fillers++, storeTimestamp, what);
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

/** Page by page where a block cannot be read; a page that cannot be is zeros. */
function readWhatCan(file: StorageFile, target: Uint8Array, position: number): void {
  try {
    file.read(target, position);
  } catch {
    for (let at = 0; at < target.length; at += PAGE_LENGTH) {
      const page = target.subarray(at, at + PAGE_LENGTH);
      try {
        file.read(page, position + at);
      } catch {
        page.fill(0);
      }
    }
  }
}
