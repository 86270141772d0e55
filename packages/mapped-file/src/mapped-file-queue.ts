import { join } from "node:path";
import { MillraceError, parseSegmentFileName } from "@millrace/format";
import { MappedFile } from "./mapped-file.js";
import type { Storage, StorageEntry } from "./storage.js";

/**
 * The segments of one directory, seamless from {@link minOffset} to {@link endOffset}; every name is a multiple of the segment size.
 * One thread's view: another thread's additions and removals are told to it by {@link append} and {@link forgetFirst}.
 * (RocketMQ: `MappedFileQueue`.)
 */
export class MappedFileQueue {
  readonly directory: string;
  readonly mappedFileSize: number;
  readonly #storage: Storage;
  readonly #access: "read" | "write";
  /** In order of their offsets. */
  readonly #files: MappedFile[] = [];

  /** An empty queue; {@link load} finds what is on disk. */
  constructor(storage: Storage, directory: string, mappedFileSize: number, access: "read" | "write" = "write") {
    this.directory = directory;
    this.mappedFileSize = mappedFileSize;
    this.#storage = storage;
    this.#access = access;
  }

  /**
   * Finds the segments of a directory, opening none. A missing directory is an empty queue; sub-directories are skipped. A last file
   * of length zero, the trace of a crash between creation and allocation, is deleted (RocketMQ issue 6904).
   *
   * @throws MillraceError `ERR_SEGMENT_TYPE`, `ERR_SEGMENT_NAME`, `ERR_SEGMENT_SIZE`, `ERR_SEGMENT_GAP`, `ERR_PATH_NOT_DIRECTORY`,
   * `ERR_PATH_UNREADABLE`
   */
  static load(storage: Storage, directory: string, mappedFileSize: number, access: "read" | "write" = "write"): MappedFileQueue {
    const queue = new MappedFileQueue(storage, directory, mappedFileSize, access);
    const entries = listDirectory(storage, directory).filter((entry) => entry.kind !== "directory");
    const last = entries.at(-1);
    if (last !== undefined && isUnallocated(last)) {
      storage.remove(join(directory, last.name));
      storage.syncDirectory(directory);
      entries.pop();
    }
    for (const entry of entries) queue.#files.push(queue.#accept(entry));
    return queue;
  }

  get files(): readonly MappedFile[] {
    return this.#files;
  }

  get first(): MappedFile | undefined {
    return this.#files[0];
  }

  get last(): MappedFile | undefined {
    return this.#files.at(-1);
  }

  /** 0 when there is no segment. */
  get minOffset(): number {
    return this.first?.fromOffset ?? 0;
  }

  /** Behind the last byte of the last segment, written or not; 0 when there is no segment. */
  get endOffset(): number {
    return this.last?.endOffset ?? 0;
  }

  /** First offset of the segment that an offset lies in, whether that segment exists or not. */
  segmentStart(offset: number): number {
    return offset - (offset % this.mappedFileSize);
  }

  findMappedFileByOffset(offset: number): MappedFile | undefined {
    return this.#files[Math.floor((offset - this.minOffset) / this.mappedFileSize)];
  }

  /**
   * Takes up the next segment, whose file exists or will exist before its first use. An empty queue may begin with any segment.
   *
   * @throws MillraceError `ERR_SEGMENT_NAME`, `ERR_SEGMENT_GAP`
   */
  append(fromOffset: number = this.endOffset): MappedFile {
    const file = this.#adjacent(fromOffset, this.directory);
    this.#files.push(file);
    return file;
  }

  /** Closes the first segment; its file is somebody else's to delete. */
  forgetFirst(): void {
    this.#files.shift()?.close();
  }

  /** Deletes the first segment, durably. */
  removeFirst(): MappedFile | undefined {
    return this.#remove(this.#files.shift());
  }

  /** Deletes the last segment, durably. */
  removeLast(): MappedFile | undefined {
    return this.#remove(this.#files.pop());
  }

  /** Closes every segment; they stay in the queue. */
  close(): void {
    for (const file of this.#files) file.close();
  }

  #remove(file: MappedFile | undefined): MappedFile | undefined {
    if (file === undefined) return undefined;
    file.destroy();
    this.#storage.syncDirectory(this.directory);
    return file;
  }

  #accept(entry: StorageEntry): MappedFile {
    const path = join(this.directory, entry.name);
    if (entry.kind !== "file") throw new MillraceError("ERR_SEGMENT_TYPE", `not a file: path=${path}`);
    const fromOffset = parseSegmentFileName(entry.name);
    if (fromOffset === undefined) throw new MillraceError("ERR_SEGMENT_NAME", `not the name of a segment: path=${path}`);
    if (entry.size !== this.mappedFileSize) {
      throw new MillraceError(
        "ERR_SEGMENT_SIZE",
        `segment of another length than mappedFileSizeCommitLog: path=${path}, length=${entry.size}, expected=${this.mappedFileSize}`,
      );
    }
    return this.#adjacent(fromOffset, path);
  }

  #adjacent(fromOffset: number, path: string): MappedFile {
    if (fromOffset % this.mappedFileSize !== 0 || fromOffset + this.mappedFileSize > Number.MAX_SAFE_INTEGER) {
      throw new MillraceError(
        "ERR_SEGMENT_NAME",
        `segments are named by multiples of mappedFileSizeCommitLog: path=${path}, offset=${fromOffset}, size=${this.mappedFileSize}`,
      );
    }
    if (this.#files.length > 0 && fromOffset !== this.endOffset) {
      throw new MillraceError("ERR_SEGMENT_GAP", `segment missing: path=${path}, offset=${fromOffset}, expected=${this.endOffset}`);
    }
    return new MappedFile(this.#storage, this.directory, fromOffset, this.mappedFileSize, this.#access);
  }
}

function isUnallocated(entry: StorageEntry): boolean {
  return entry.kind === "file" && entry.size === 0 && parseSegmentFileName(entry.name) !== undefined;
}

function listDirectory(storage: Storage, directory: string): StorageEntry[] {
  try {
    return storage.list(directory);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code;
    const code = reason === "ENOTDIR" ? "ERR_PATH_NOT_DIRECTORY" : "ERR_PATH_UNREADABLE";
    throw new MillraceError(code, `no listing of the directory: path=${directory}, reason=${reason}`, { cause });
  }
}
