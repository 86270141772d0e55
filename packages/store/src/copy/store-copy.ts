import { dirname, join } from "node:path";
import { MillraceError, type StorePaths } from "@millrace/format";
import { copyBytes, type Storage } from "@millrace/mapped-file";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { FlushedWatermark } from "../marks/flushed-watermark.js";
import type { ScanProgress } from "../recover/scan/scan-progress.js";

/** Writes files of one store directory into another, which nobody has open, and makes them durable. Runs in a thread of its own. */
export class StoreCopy {
  readonly storage: Storage;
  readonly config: MessageStoreConfig;
  readonly source: StorePaths;
  readonly target: StorePaths;
  readonly progress: ScanProgress;

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

  /** The first `length` bytes of a file; then holes, up to its size. */
  copyFile(from: string, to: string, length: number): void {
    this.check(from);
    const source = this.storage.open(from, "read");
    try {
      const target = this.storage.open(to, "exclusive");
      try {
        copyBytes(source, target, 0, length, (count) => {
          this.progress.add(count);
          this.check(from);
        });
        if (target.size() < source.size()) target.truncate(source.size());
        target.force();
      } finally {
        target.close();
      }
    } finally {
      source.close();
    }
  }

  /**
   * A file that nobody changes any more: shared with the source where the file system can, by reflink or else by hard link. Who cuts such
   * a segment, there or here, cuts a copy of it (`separateFile`).
   */
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
