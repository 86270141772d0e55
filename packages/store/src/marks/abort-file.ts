import { dirname } from "node:path";
import { isNoSpace, isOutOfDescriptors, type Storage } from "@millrace/mapped-file";

/** What RocketMQ 5 leaves beside the file, empty, for good. */
const BACKUP_SUFFIX = ".bak";

/** There while a store is open; found at the next open, the last end was not clean. (RocketMQ: `abort` in `DefaultMessageStore`.) */
export class AbortFile {
  readonly path: string;
  readonly #storage: Storage;

  constructor(storage: Storage, path: string) {
    this.path = path;
    this.#storage = storage;
  }

  exists(): boolean {
    return this.#storage.exists(this.path);
  }

  /**
   * Content is the process id, as in RocketMQ 5; where a full disk does not take that, the name alone, as in RocketMQ 4.9. Durable on
   * return: a power failure must find it.
   */
  create(processId: number): void {
    try {
      this.#storage.open(this.path + BACKUP_SUFFIX, "create").close();
      this.#storage.writeSmall(this.path, new TextEncoder().encode(String(processId)));
    } catch (error) {
      if (!isNoSpace(error)) throw error;
      this.#storage.open(this.path, "create").close();
      this.#storage.syncDirectory(dirname(this.path));
    }
  }

  /**
   * Last act of a clean end. Durable on return, unless there was no descriptor: a power failure that brings it back costs the next
   * opening a recovery.
   */
  remove(): void {
    this.#storage.remove(this.path);
    try {
      this.#storage.syncDirectory(dirname(this.path));
    } catch (error) {
      if (!isOutOfDescriptors(error)) throw error;
    }
  }
}
