import { join } from "node:path";
import {
  CONSUME_QUEUE_UNIT_LENGTH,
  ConsumeQueueUnit,
  decodeIndexHeader,
  INDEX_FIRST_ITEM,
  INDEX_HEADER_LENGTH,
  type IndexHeader,
  indexFileLength,
  isIndexFileName,
  isIndexHeaderSane,
  MillraceError,
  parseSegmentFileName,
} from "@millrace/format";
import { SegmentDirectory, type StorageEntry } from "@millrace/mapped-file";
import { wallClockMs } from "@millrace/shared-memory";
import { writeDispatchedMark } from "../marks/dispatched-mark.js";
import { readIndexSeals } from "../marks/index-seals.js";
import { cutIndexFile } from "../recover/index/index-file-cut.js";
import { LogRecordReader } from "../recover/scan/log-record-reader.js";
import type { StoreCopy } from "./store-copy.js";

/** The part of the log that a snapshot holds: physical offsets. */
export interface CopiedLog {
  readonly minOffset: number;
  readonly maxOffset: number;
}

interface CopiedIndex {
  /** The index has every record below it. */
  readonly indexedOffset: number;
  readonly indexFile: string | undefined;
  readonly indexEndOffset: number;
}

/**
 * A consistent copy of a store that goes on meanwhile, as its clean end at one moment would leave it: the log up to `maxOffset`,
 * which is durable and dispatched, and of ConsumeQueues and index what points to records before it. `config/` is there already, of
 * a moment before that end: an offset of it that lay beyond the log would take messages for delivered that are not there.
 */
export class SnapshotCopy {
  readonly #copy: StoreCopy;
  readonly #maxOffset: number;

  constructor(copy: StoreCopy, maxOffset: number) {
    this.#copy = copy;
    this.#maxOffset = maxOffset;
  }

  /** Durable on return. */
  run(): CopiedLog {
    const { source, storage, target } = this.#copy;
    const checkpoint = storage.readSmall(source.checkpoint); // older than the rest: RocketMQ recovers more
    const minOffset = this.#copyLog();
    this.#copyQueues();
    const log = { minOffset, maxOffset: this.#maxOffset };
    const index = this.#copyIndex(log);
    if (checkpoint !== undefined) storage.writeSmall(target.checkpoint, checkpoint);
    writeDispatchedMark(storage, target.dispatchedMark, { dispatchedOffset: this.#maxOffset, ...index });
    this.#copy.writeWatermark(this.#maxOffset, wallClockMs());
    this.#copy.syncRoot();
    return log;
  }

  /** Oldest first; when retention is quicker, the snapshot begins where the log does then. Returns its first offset. */
  #copyLog(): number {
    const { config, source, storage, target } = this.#copy;
    const segments = new SegmentDirectory(source.commitLog, config.mappedFileSizeCommitLog);
    const copies = new SegmentDirectory(target.commitLog, config.mappedFileSizeCommitLog);
    const size = config.mappedFileSizeCommitLog;
    storage.makeDirectory(target.commitLog);
    const starts = storage.list(source.commitLog).flatMap((entry) => startOf(entry, segments) ?? []);
    const last = segments.startOf(Math.max(0, this.#maxOffset - 1));
    let minOffset = Math.min(starts[0] ?? last, last);
    for (let offset = minOffset; offset < this.#maxOffset; offset += size) {
      const [from, to] = [segments.pathOf(offset), copies.pathOf(offset)];
      const isThere = this.#unlessGone(from, () => {
        // The last one is written to by whoever opens the snapshot.
        if (offset + size < this.#maxOffset) this.#copy.shareFile(from, to, size);
        else this.#copy.copyFile(from, to, this.#maxOffset - offset);
        return true;
      });
      if (isThere) continue;
      for (let gone = minOffset; gone <= offset; gone += size) storage.remove(copies.pathOf(gone));
      minOffset = offset + size;
    }
    if (minOffset > last) {
      const reason = `the log was deleted faster than it was copied, up to where the snapshot ends: path=${source.commitLog}`;
      throw new MillraceError("ERR_COPY_FAILED", `${reason} maxOffset=${this.#maxOffset}`);
    }
    storage.syncDirectory(target.commitLog);
    return minOffset;
  }

  /** Undefined where retention was quicker: the file is gone. */
  #unlessGone<T>(path: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || this.#copy.storage.exists(path)) throw error;
      return undefined;
    }
  }

  #copyQueues(): void {
    const { source, storage, target } = this.#copy;
    storage.makeDirectory(target.consumeQueue);
    for (const topic of storage.list(source.consumeQueue)) {
      if (topic.kind !== "directory") continue;
      for (const queue of storage.list(join(source.consumeQueue, topic.name))) {
        if (queue.kind === "directory") this.#copyQueue(join(topic.name, queue.name));
      }
      if (storage.exists(join(target.consumeQueue, topic.name))) storage.syncDirectory(join(target.consumeQueue, topic.name));
    }
    storage.syncDirectory(target.consumeQueue);
  }

  #copyQueue(queue: string): void {
    const { config, source, storage, target } = this.#copy;
    const [from, to] = [join(source.consumeQueue, queue), join(target.consumeQueue, queue)];
    const files = new SegmentDirectory(from, config.mappedFileSizeConsumeQueue);
    for (const entry of storage.list(from)) {
      const { name, size } = entry;
      if (startOf(entry, files) === undefined || size !== config.mappedFileSizeConsumeQueue) continue;
      this.#unlessGone(join(from, name), () => {
        const units = this.#unitsIn(join(from, name));
        if (units === 0) return;
        storage.makeDirectory(to, false);
        this.#copy.copyFile(join(from, name), join(to, name), units * CONSUME_QUEUE_UNIT_LENGTH);
      });
    }
    if (storage.exists(to)) storage.syncDirectory(to);
  }

  /**
   * How many of a file's units there are up to the last one that points to a record of the snapshot, or fills the place before one. A
   * damaged unit before it is copied as it is: the snapshot's opening finds it.
   */
  #unitsIn(path: string): number {
    const { config, storage } = this.#copy;
    const bytes = new Uint8Array(config.mappedFileSizeConsumeQueue);
    const file = storage.open(path, "read");
    try {
      const units = Math.floor(file.read(bytes, 0) / CONSUME_QUEUE_UNIT_LENGTH);
      const unit = new ConsumeQueueUnit();
      for (let count = units; count > 0; count--) {
        unit.read(bytes, (count - 1) * CONSUME_QUEUE_UNIT_LENGTH);
        if (unit.isFill || unit.isBelow(this.#maxOffset)) return count;
      }
      return 0;
    } finally {
      file.close();
    }
  }

  #copyIndex(log: CopiedLog): CopiedIndex {
    const { config, source, storage, target } = this.#copy;
    let copied: CopiedIndex = { indexedOffset: log.minOffset, indexFile: undefined, indexEndOffset: 0 };
    if (!config.messageIndexEnable) return copied;
    storage.makeDirectory(target.index);
    const length = indexFileLength(config);
    const names = storage
      .list(source.index)
      .filter(({ kind, name, size }) => kind === "file" && size === length && isIndexFileName(name));
    const { distrusted = [] } = readIndexSeals(storage, source.indexSeals, config) ?? {};
    for (const { name } of names) {
      // The snapshot's opening builds it, and those behind it.
      if (distrusted.includes(name)) break;
      const path = join(source.index, name);
      const header = this.#unlessGone(path, () => this.#headerOf(path));
      if (header === undefined || header.indexCount <= INDEX_FIRST_ITEM || header.beginPhysicalOffset >= this.#maxOffset) continue;
      const isGrowing = name === names.at(-1)?.name || header.endPhysicalOffset >= this.#maxOffset;
      copied = this.#unlessGone(path, () => this.#copyIndexFile(name, header, log, isGrowing)) ?? copied;
    }
    storage.syncDirectory(target.index);
    return copied;
  }

  /** With the items that the header counted, whatever has come since. Undefined when none of them is of the snapshot. */
  #copyIndexFile(name: string, header: IndexHeader, log: CopiedLog, isGrowing: boolean): CopiedIndex | undefined {
    const { config, source, storage, target } = this.#copy;
    const { minOffset, maxOffset } = log;
    const path = join(target.index, name);
    this.#copy.copyFile(join(source.index, name), path, indexFileLength(config));
    if (!isGrowing) return { indexedOffset: header.endPhysicalOffset, indexFile: name, indexEndOffset: header.endPhysicalOffset };
    const records = new LogRecordReader(storage, { ...config, commitLogDirectory: target.commitLog, minOffset, maxOffset });
    try {
      const storeTimestampAt = (offset: number): number | undefined => (records.read(offset) ? records.storeTimestamp : undefined);
      const cut = cutIndexFile({ storage, path, shape: config, header, offset: maxOffset, storeTimestampAt });
      if (cut.itemCount === 0) {
        storage.remove(path);
        return undefined;
      }
      const indexedOffset = Math.min(maxOffset, cut.completeTo ?? 0);
      return { indexedOffset, indexFile: name, indexEndOffset: cut.endPhysicalOffset };
    } finally {
      records.close();
    }
  }

  #headerOf(path: string): IndexHeader | undefined {
    const file = this.#copy.storage.open(path, "read");
    try {
      const bytes = new Uint8Array(INDEX_HEADER_LENGTH);
      file.read(bytes, 0);
      const header = decodeIndexHeader(bytes);
      return isIndexHeaderSane(header, this.#copy.config) ? header : undefined;
    } finally {
      file.close();
    }
  }
}

/** The offset that a file of log or ConsumeQueue is named for; undefined for what is none of theirs and only lies there. */
function startOf({ kind, name }: StorageEntry, files: SegmentDirectory): number | undefined {
  const offset = kind === "file" ? parseSegmentFileName(name) : undefined;
  return offset !== undefined && files.isStart(offset) ? offset : undefined;
}
