import { dirname, join } from "node:path";
import { MillraceError, type StorePaths } from "@millrace/format";
import type { Storage, StorageFile } from "@millrace/mapped-file";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { FlushedWatermark } from "../marks/flushed-watermark.js";
import type { ScanProgress } from "../recover/scan/scan-progress.js";

const BLOCK_LENGTH = 1024 * 1024;

/** Writes files of one store directory into another, which nobody has open, and makes them durable. Runs in a thread of its own. */
export class StoreCopy {
  readonly storage: Storage;
  readonly config: MessageStoreConfig;
  readonly source: StorePaths;
  readonly target: StorePaths;
  readonly progress: ScanProgress;
  readonly #block = new Uint8Array(BLOCK_LENGTH);

  constructor(storage: Storage, config: MessageStoreConfig, source: StorePaths, target: StorePaths, progress: ScanProgress) {
    this.storage = storage;
    this.config = config;
    this.source = source;
    this.target = target;
    this.progress = progress;
  }

  /** @throws MillraceError `ERR_ABORTED` */
  check(path: string): void {
    if (this.progress.isAborted) throw new MillraceError("ERR_ABORTED", `copying was aborted: path=${path}`);
  }

  /** The first `length` bytes of a file; then holes, up to its size. `change` may do more to the copy before it is forced. */
  copyFile(from: string, to: string, length: number, change?: (file: StorageFile) => void): void {
    const source = this.storage.open(from, "read");
    try {
      const target = this.storage.open(to, "exclusive");
      try {
        for (let at = 0; at < length; ) {
          this.check(from);
          const count = source.read(this.#block.subarray(0, Math.min(BLOCK_LENGTH, length - at)), at);
          if (count === 0) throw new MillraceError("ERR_SEGMENT_SIZE", `a file ends early: path=${from}, length=${at}`);
          target.write(this.#block.subarray(0, count), at);
          this.progress.add(count);
          at += count;
        }
        if (target.size() < source.size()) target.truncate(source.size());
        change?.(target);
        target.force();
      } finally {
        target.close();
      }
    } finally {
      source.close();
    }
  }

  /** A file that nobody changes any more: shared with the source where the file system can, by reflink or else by hard link. */
  shareFile(from: string, to: string, length: number): void {
    this.check(from);
    if (!this.storage.share(from, to)) return this.copyFile(from, to, length);
    const file = this.storage.open(to, "read"); // a reflink's blocks are not durable before
    try {
      file.force();
    } finally {
      file.close();
    }
    this.progress.add(length);
  }

  /**
   * Of `config/`: each is replaced whole, so that any moment's content is a good one.
   *
   * @param attempt calls `read`, and may answer undefined where that throws: then the file, or the directory, is left out
   */
  copyConfig(attempt: <T>(path: string, read: () => T) => T | undefined = (_path, read) => read()): void {
    const { progress, source, storage, target } = this;
    storage.makeDirectory(target.config);
    for (const { kind, name } of attempt(source.config, () => storage.list(source.config)) ?? []) {
      if (kind !== "file" || name.endsWith(".tmp")) continue;
      this.check(source.config);
      const path = join(source.config, name);
      const content = attempt(path, () => storage.readSmall(path));
      if (content === undefined) continue;
      storage.writeSmall(join(target.config, name), content);
      progress.add(content.length);
    }
  }

  /** Says that the log is durable up to an offset. */
  writeWatermark(maxOffset: number, now: number): void {
    const watermark = FlushedWatermark.open(this.storage, this.target.watermark);
    try {
      watermark.write(maxOffset, now);
    } finally {
      watermark.close();
    }
  }

  /** Before the target gets its name. */
  syncRoot(): void {
    this.storage.syncDirectory(this.target.root);
    this.storage.syncDirectory(dirname(this.target.root));
  }
}
