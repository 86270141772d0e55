import { join } from "node:path";
import { MillraceError, parseSegmentFileName } from "@millrace/format";
import type { MappedFile } from "./mapped-file.js";
import { SegmentDirectory } from "./segment-directory.js";
import type { Storage, StorageEntry } from "./storage.js";

/**
 * The segments of one directory as they are found when a store opens, seamless from {@link minOffset} to {@link endOffset}; every name is a
 * multiple of the segment size.
 * (RocketMQ: `MappedFileQueue`.)
 */
export class MappedFileQueue {
  readonly directory: string;
  readonly mappedFileSize: number;
  readonly #storage: Storage;
  readonly #segments: SegmentDirectory;
  /** In order of their offsets. */
  readonly #files: MappedFile[] = [];

  private constructor(storage: Storage, directory: string, mappedFileSize: number) {
    this.directory = directory;
    this.mappedFileSize = mappedFileSize;
    this.#storage = storage;
    this.#segments = new SegmentDirectory(directory, mappedFileSize);
  }

  /**
   * Finds the segments of a directory, opening none. A missing directory is an empty queue; sub-directories are skipped, unless they have
   * the name of a segment. Last files of length zero, the trace of a crash that kept their names and not their lengths, are deleted
   * (RocketMQ issue 6904).
   *
   * @throws MillraceError `ERR_SEGMENT_TYPE`, `ERR_SEGMENT_NAME`, `ERR_SEGMENT_SIZE`, `ERR_SEGMENT_GAP`, `ERR_PATH_NOT_DIRECTORY`,
   * `ERR_PATH_UNREADABLE`
   */
  static load(storage: Storage, directory: string, mappedFileSize: number): MappedFileQueue {
    const queue = new MappedFileQueue(storage, directory, mappedFileSize);
    const entries = listDirectory(storage, directory).filter(
      ({ kind, name }) => kind !== "directory" || parseSegmentFileName(name) !== undefined,
    );
    const allocated = entries.findLastIndex((entry) => !isUnallocated(entry)) + 1;
    const unallocated = entries.splice(allocated);
    for (const { name } of unallocated) storage.remove(join(directory, name));
    if (unallocated.length > 0) storage.syncDirectory(directory);
    for (const entry of entries) queue.#files.push(queue.#accept(entry));
    return queue;
  }

  get files(): readonly MappedFile[] {
    return this.#files;
  }

  get last(): MappedFile | undefined {
    return this.#files.at(-1);
  }

  /** 0 when there is no segment. */
  get minOffset(): number {
    return this.#files[0]?.fromOffset ?? 0;
  }

  /** One past the last byte of the last segment, written or not; 0 when there is no segment. */
  get endOffset(): number {
    return this.last?.endOffset ?? 0;
  }

  /** Deletes the last segment; durable when the caller has synced the directory. */
  removeLast(): void {
    this.#files.pop()?.destroy();
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
    if (!this.#segments.isStart(fromOffset) || fromOffset + this.mappedFileSize > Number.MAX_SAFE_INTEGER) {
      throw new MillraceError(
        "ERR_SEGMENT_NAME",
        `segments are named by multiples of mappedFileSizeCommitLog: path=${path}, offset=${fromOffset}, size=${this.mappedFileSize}`,
      );
    }
    if (this.#files.length > 0 && fromOffset !== this.endOffset) {
      throw new MillraceError("ERR_SEGMENT_GAP", `segment missing: path=${path}, offset=${fromOffset}, expected=${this.endOffset}`);
    }
    return this.#segments.at(this.#storage, fromOffset, "read");
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
