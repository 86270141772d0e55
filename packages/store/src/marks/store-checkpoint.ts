import type { StoreCheckpoint } from "@millrace/format";
import { CHECKPOINT_LENGTH, decodeStoreCheckpoint, encodeStoreCheckpoint, MillraceError } from "@millrace/format";
import type { Storage, StorageFile } from "@millrace/mapped-file";

/** The `checkpoint` file, as RocketMQ reads and writes it; one thread writes it. */
export class StoreCheckpointFile {
  readonly #file: StorageFile;

  private constructor(file: StorageFile) {
    this.#file = file;
  }

  /** Undefined when there is none, or a damaged one: it only tells RocketMQ how little it needs to recover. */
  static read(storage: Storage, path: string): StoreCheckpoint | undefined {
    try {
      const bytes = storage.readSmall(path);
      return bytes === undefined ? undefined : decodeStoreCheckpoint(bytes);
    } catch (error) {
      if (error instanceof MillraceError) return undefined;
      throw error;
    }
  }

  /** A missing or damaged file is made anew, all zeros: RocketMQ recovers everything then. */
  static open(storage: Storage, path: string): StoreCheckpointFile {
    if (StoreCheckpointFile.read(storage, path) === undefined) storage.writeSmall(path, new Uint8Array(CHECKPOINT_LENGTH));
    return new StoreCheckpointFile(storage.open(path, "write"));
  }

  /**
   * Moves the two timestamps of what has been dispatched forward, at the end of a store's life; durable on return. A missing file
   * stays so.
   */
  static complete(storage: Storage, path: string, logicsMsgTimestamp: number, indexMsgTimestamp: number): void {
    const written = StoreCheckpointFile.read(storage, path);
    if (written === undefined || logicsMsgTimestamp <= written.logicsMsgTimestamp) return;
    const file = StoreCheckpointFile.open(storage, path);
    try {
      const index = Math.max(written.indexMsgTimestamp, indexMsgTimestamp);
      file.write({ ...written, logicsMsgTimestamp, indexMsgTimestamp: index });
    } finally {
      file.close();
    }
  }

  /** In place: a mapping of it, a Java tool's too, sees the change. Durable on return. */
  write(checkpoint: StoreCheckpoint): void {
    this.#file.write(encodeStoreCheckpoint(checkpoint), 0);
    this.#file.force();
  }

  close(): void {
    this.#file.close();
  }
}
