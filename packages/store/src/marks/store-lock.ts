import { basename, dirname } from "node:path";
import { commitLogLockPath, type StorePaths, storePaths } from "@millrace/format";
import { LockFile, type Storage } from "@millrace/mapped-file";

/**
 * One owner of a root, and of its log: with a separate `storePathCommitLog`, or a link in the place of `commitlog`, two roots can lead
 * to one log, and two appenders would write over each other. So a log that lies elsewhere has a lock beside it; and one that is the
 * `commitlog` of another root is locked with that root, as its own stores and brokers lock it.
 */
export class StoreLock {
  readonly #held: LockFile[] = [];

  private constructor() {}

  /**
   * The root's, which must be there; {@link lockLog} follows when its log is there too.
   *
   * @throws MillraceError `ERR_STORE_LOCKED`, `ERR_FILE_TYPE`; I/O errors as they are
   */
  static acquire(storage: Storage, paths: StorePaths): StoreLock {
    const lock = new StoreLock();
    lock.#held.push(LockFile.acquire(storage, paths.lock, paths.abort));
    return lock;
  }

  /** As {@link acquire}; after an error {@link release} gives the root's lock back. */
  lockLog(storage: Storage, paths: StorePaths): void {
    const log = storage.realPath(paths.commitLog);
    const inRoot = storePaths(storage.realPath(paths.root)).commitLog;
    if (log === inRoot) return;
    this.#held.push(LockFile.acquire(storage, commitLogLockPath(log)));
    const other = storePaths(dirname(log));
    // Whether there is a store yet or not: who opens one there looks at no lock but this.
    if (basename(log) === basename(other.commitLog)) this.#held.push(LockFile.acquire(storage, other.lock, other.abort));
  }

  /** What was noted until now is not believed by the next opening, as if a broker had been there. */
  touch(): void {
    this.#held[0]?.touch();
  }

  /** Until {@link release}: nobody else writes into the directory. */
  get isHeld(): boolean {
    return this.#held.length > 0;
  }

  /** May be called again. */
  release(): void {
    for (const lock of this.#held.reverse()) lock.release();
    this.#held.length = 0;
  }
}
