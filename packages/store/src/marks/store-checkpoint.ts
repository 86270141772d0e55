import type { StoreCheckpoint } from "@millrace/format";
import { CHECKPOINT_LENGTH, decodeStoreCheckpoint, encodeStoreCheckpoint, MillraceError } from "@millrace/format";
import { isNoSpace, type Storage, type StorageFile } from "@millrace/mapped-file";

/** The `checkpoint` file, as RocketMQ reads and writes it; one thread writes it. */
export class StoreCheckpointFile {
  readonly #storage: Storage;
  readonly #path: string;
  #file: StorageFile | undefined;

  private constructor(storage: Storage, path: string) {
    this.#storage = storage;
    this.#path = path;
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

  /** A missing or damaged file is made again, all zeros: RocketMQ recovers everything then. On a full disk {@link write} does it. */
  static open(storage: Storage, path: string): StoreCheckpointFile {
    const checkpoint = new StoreCheckpointFile(storage, path);
    try {
      checkpoint.#openFile();
    } catch (error) {
      if (!isNoSpace(error)) throw error;
    }
    return checkpoint;
  }

  /**
   * Sets the two timestamps of what has been dispatched, at the end of a store's life; durable on return. A missing file stays so, and
   * so does all when nothing was dispatched (0).
   */
  static complete(storage: Storage, path: string, logicsMsgTimestamp: number, indexMsgTimestamp: number): void {
    const written = StoreCheckpointFile.read(storage, path);
    if (written === undefined || logicsMsgTimestamp === 0) return;
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
    const file = this.#openFile();
    file.write(encodeStoreCheckpoint(checkpoint), 0);
    file.force();
  }

  close(): void {
    this.#file?.close();
  }

  #openFile(): StorageFile {
    if (this.#file !== undefined) return this.#file;
    if (StoreCheckpointFile.read(this.#storage, this.#path) === undefined)
      this.#storage.writeSmall(this.#path, new Uint8Array(CHECKPOINT_LENGTH));
    this.#file = this.#storage.open(this.#path, "write");
    return this.#file;
  }
}
