import { createStorage, type Fault, type Storage, type WriteBackFailure, type WriteBackSpec } from "@millrace/mapped-file";
import type { ExecutionContext } from "ava";
import { WriteBackDisk, writeBackWords } from "#mapped-file/write-back-disk.js";
import { memoryDirectory } from "./temporary-directory.js";

/**
 * A disk that fails to write back, as Linux tells of it: once to each descriptor that was open, and the pages are clean. One for all
 * threads and all lives of the stores that are opened on its {@link spec}.
 */
export class FailingDisk {
  readonly spec: WriteBackSpec;
  readonly storage: Storage;
  readonly #disk: WriteBackDisk;

  /**
   * @param failures of write-backs, planned from the start; one with `after: -1` waits for {@link arm}
   * @param faults of calls
   */
  constructor(t: ExecutionContext, failures: readonly WriteBackFailure[] = [], faults: readonly Fault[] = []) {
    const words = writeBackWords(failures);
    this.spec = { kind: "writeBack", faults, failures, images: memoryDirectory(t), words };
    this.storage = createStorage(this.spec);
    this.#disk = new WriteBackDisk(this.spec);
  }

  /** The same disk, and other calls that fail. */
  with(faults: readonly Fault[]): WriteBackSpec {
    return { ...this.spec, faults };
  }

  /** From now on failure number `index` counts down. */
  arm(index = 0, after = 0): void {
    this.#disk.arm(index, after);
  }

  /** The kernel writes a file back by itself, and the disk takes none of it. */
  failWriteBack(path: string, code = "EIO"): void {
    this.#disk.locked(() => this.#disk.writeBack(path, code));
  }

  /** The kernel writes a file back by itself. */
  writeBack(path: string): void {
    this.#disk.locked(() => this.#disk.writeBack(path));
  }

  /** What was not written back is gone, and so is the memory of errors. All stores are closed. */
  remount(): void {
    this.#disk.locked(() => this.#disk.remount());
  }
}
