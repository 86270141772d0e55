import { CONSUME_QUEUE_UNIT_LENGTH } from "@millrace/format";
import type { Storage, StorageFile } from "@millrace/mapped-file";

/** Files that are open at a time, one per queue; the queue that opened its file first loses it first. */
const OPEN_LIMIT = 1024;

/** Who has a file open: a ConsumeQueue. */
export interface FileHolder {
  readonly directory: string;
  path(fileStart: number): string;
  close(): void;
}

/** Opens and makes the files of all ConsumeQueues: full length, sparse, as RocketMQ's are. Dispatch thread. */
export class ConsumeQueueFiles {
  readonly unitsPerFile: number;
  readonly #storage: Storage;
  readonly #fileLength: number;
  readonly #open = new Set<FileHolder>();
  readonly #known = new Set<string>();

  constructor(storage: Storage, fileLength: number) {
    this.#storage = storage;
    this.#fileLength = fileLength;
    this.unitsPerFile = fileLength / CONSUME_QUEUE_UNIT_LENGTH;
  }

  /** The queue's file that begins with unit `fileStart`, made when missing; the queue has it until it closes it or is told here to close it. */
  open(queue: FileHolder, fileStart: number): StorageFile {
    this.#open.delete(queue);
    if (this.#open.size >= OPEN_LIMIT) this.#closeOldest();
    if (!this.#known.has(queue.directory)) {
      this.#storage.makeDirectory(queue.directory);
      this.#known.add(queue.directory);
    }
    const file = this.#storage.open(queue.path(fileStart), "create");
    try {
      if (file.size() !== this.#fileLength) {
        // In this order: a file of full length has a name that is durable, also when one of these failed before.
        this.#storage.syncDirectory(queue.directory);
        file.truncate(this.#fileLength);
      }
    } catch (error) {
      file.close();
      throw error;
    }
    this.#open.add(queue);
    return file;
  }

  /** The directory may be gone. */
  forget(queue: FileHolder): void {
    queue.close();
    this.#open.delete(queue);
    this.#known.delete(queue.directory);
  }

  close(): void {
    for (const queue of this.#open) queue.close();
    this.#open.clear();
  }

  #closeOldest(): void {
    const [oldest] = this.#open;
    if (oldest === undefined) return;
    oldest.close();
    this.#open.delete(oldest);
  }
}
