import { MillraceError } from "@millrace/format";
import { isNoSpace } from "./no-space.js";
import { openIfThere } from "./open-if-there.js";
import type { Storage, StorageFile } from "./storage.js";

/** What RocketMQ locks: byte 0. */
const LOCK_POSITION = 0;
const LOCK_LENGTH = 1;
const LOCK_CONTENT = new TextEncoder().encode("lock");

/**
 * One store directory, one owner, among threads, processes and Java brokers. The system gives the lock back when the owner dies; the file
 * stays. (RocketMQ: `lock` in `DefaultMessageStore.start`.)
 */
export class LockFile {
  readonly path: string;
  readonly #file: StorageFile;

  private constructor(file: StorageFile) {
    this.path = file.path;
    this.#file = file;
  }

  /**
   * Writes nothing before it holds the lock, and nothing over what is there.
   *
   * @param holderPath a file in which the holder, once it has opened, leaves its process id: `abort`, for the message
   * @throws MillraceError `ERR_STORE_LOCKED`, `ERR_FILE_TYPE`; I/O errors as they are
   */
  static acquire(storage: Storage, path: string, holderPath?: string): LockFile {
    const file = storage.open(path, "create");
    try {
      if (!file.tryLock(LOCK_POSITION, LOCK_LENGTH)) {
        const pid = holderPath === undefined ? undefined : processIdIn(storage, holderPath);
        const holder = pid === undefined ? ":" : `, in the process that its abort file names: pid=${pid}`;
        throw new MillraceError("ERR_STORE_LOCKED", `the store is open elsewhere${holder} path=${path}`);
      }
      writeContent(file);
      return new LockFile(file);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /**
   * Whether somebody has the lock, in this process too. Takes nothing, so that nobody who acquires it meanwhile is refused. Undefined where
   * it cannot be known: the file may not be read, or is none, or the system has no such call.
   */
  static isHeld(storage: Storage, path: string): boolean | undefined {
    try {
      const file = openIfThere(storage, path);
      if (file === undefined) return false;
      try {
        return file.isLocked(LOCK_POSITION, LOCK_LENGTH);
      } finally {
        file.close();
      }
    } catch {
      return undefined;
    }
  }

  /** Writes the content again, as RocketMQ does at each start, so that the file's time of change moves; where the disk takes it. */
  touch(): void {
    try {
      this.#file.write(LOCK_CONTENT, 0);
      this.#file.force();
    } catch {}
  }

  /** May be called again. */
  release(): void {
    this.#file.close();
  }
}

/** As RocketMQ's; the lock does not need it, and a full disk may not take it. */
function writeContent(file: StorageFile): void {
  if (file.size() > 0) return;
  try {
    file.write(LOCK_CONTENT, 0);
    file.force();
  } catch (error) {
    if (!isNoSpace(error)) throw error;
  }
}

/** Undefined when nothing can be read there, or no process id: RocketMQ 4.9 leaves its `abort` empty. */
function processIdIn(storage: Storage, path: string): number | undefined {
  try {
    const text = new TextDecoder().decode(storage.readSmall(path)).trim();
    return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}
