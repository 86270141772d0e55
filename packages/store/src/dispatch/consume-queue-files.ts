import { dirname } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH, preparedPath } from "@millrace/format";
import { createFile, openFileLimit, type Storage, type StorageFile } from "@millrace/mapped-file";

/**
 * Files that are open at a time, one per queue; the queue that opened its file first loses it first. Few enough to leave the most of
 * what the process may open to its user.
 */
const MAX_OPEN = 1024;
const OPEN_SHARE = 1 / 4;

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
  readonly #openLimit = Math.max(1, Math.min(MAX_OPEN, Math.floor(openFileLimit() * OPEN_SHARE)));
  readonly #open = new Set<FileHolder>();
  readonly #known = new Set<string>();
  /** Directories with files, and topics with queues, whose names may not be durable. */
  readonly #unsynced = new Set<string>();
  readonly #newTopics = new Set<string>();

  constructor(storage: Storage, fileLength: number) {
    this.#storage = storage;
    this.#fileLength = fileLength;
    this.unitsPerFile = fileLength / CONSUME_QUEUE_UNIT_LENGTH;
  }

  /**
   * The queue's file that begins with unit `fileStart`, made when missing; the queue has it until it closes it or is asked here to
   * close it.
   */
  open(queue: FileHolder, fileStart: number): StorageFile {
    this.#open.delete(queue);
    if (this.#open.size >= this.#openLimit) this.#closeOldest();
    if (!this.#known.has(queue.directory)) {
      this.#storage.makeDirectory(queue.directory, false);
      this.#known.add(queue.directory);
      this.#newTopics.add(dirname(queue.directory));
    }
    const path = queue.path(fileStart);
    if (this.#storage.entry(path)?.size !== this.#fileLength) {
      this.#unsynced.add(queue.directory);
      createFile(this.#storage, path, this.#fileLength, preparedPath(dirname(dirname(queue.directory))));
    }
    const file = this.#storage.open(path, "write");
    this.#open.add(queue);
    return file;
  }

  /** Makes the names of the queue's files durable: the forces of a queue begin with it. A queue whose name a crash loses is built again. */
  syncNames(queue: FileHolder): void {
    if (!this.#unsynced.has(queue.directory)) return;
    this.#storage.syncDirectory(queue.directory);
    this.#unsynced.delete(queue.directory);
  }

  /** The same, left to the caller: the directory, if it has names that are not durable. */
  takeUnsynced(queue: FileHolder): string[] {
    return this.#unsynced.delete(queue.directory) ? [queue.directory] : [];
  }

  /** Makes the names of new queues and topics durable: before the mark says that they are. A topic may have been deleted since. */
  syncTopics(): void {
    for (const topic of this.#newTopics) if (this.#storage.exists(topic)) this.#storage.syncDirectory(topic);
    for (const root of new Set([...this.#newTopics].map(dirname))) {
      this.#storage.syncDirectory(root);
      this.#storage.syncDirectory(dirname(root));
    }
    this.#newTopics.clear();
  }

  /** The directory may be gone. Its topic's stays among the new ones: other queues may have their names in it. */
  forget(queue: FileHolder): void {
    queue.close();
    this.#open.delete(queue);
    this.#known.delete(queue.directory);
    this.#unsynced.delete(queue.directory);
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
