/**
 * The seam to the operating system: the only way by which store data reaches files. Beside `RealStorage` there are
 * `FaultyStorage`, which fails where a test tells it to, and `WriteBackStorage`, whose disk loses what could not be written back.
 * All calls are synchronous: they run in workers, or on the main thread while the store opens and closes. I/O errors are Node's own,
 * with their `code` (`ENOSPC`, `EIO`, ...), `syscall` and `path`.
 */
export interface Storage {
  /**
   * `read` and `write` (read-write) want an existing file; `create` makes it when missing and opens it read-write; `exclusive` makes
   * one where there is none. Regular files only: a link is not followed, a FIFO not waited for.
   *
   * @throws MillraceError `ERR_FILE_TYPE`
   */
  open(path: string, access: FileAccess): StorageFile;
  /** A link counts as there, whatever it leads to. Throws when it cannot be known (EACCES). */
  exists(path: string): boolean;
  /** Sorted by name; a missing directory is empty. A link to the directory itself is followed. */
  list(directory: string): StorageEntry[];
  /** The path of a directory that is there, without a link in it. */
  realPath(directory: string): string;
  /** What is at a path; undefined when it is missing. */
  entry(path: string): StorageEntry | undefined;
  /**
   * With its parents. Each directory that had to be made is durable on return, unless the caller syncs their parents himself. Answers
   * whether this call has made it: of two at a time one.
   */
  makeDirectory(path: string, durable?: boolean): boolean;
  /** A missing file is fine, a link goes instead of what it leads to. Durable after {@link syncDirectory}. */
  remove(path: string): void;
  /**
   * An empty directory; a missing one is fine. Throws when something is in it (ENOTEMPTY). Durable after {@link syncDirectory} of
   * its parent.
   */
  removeDirectory(path: string): void;
  /** {@link StorageFile.force} of a file, or of a directory's names, while the caller goes on; a path that is gone needs none. */
  forceInBackground(path: string): Promise<void>;
  /** Replaces `to`. Durable after {@link syncDirectory}. */
  rename(from: string, to: string): void;
  /**
   * Gives a file that nobody changes any more a second name, `to`, which is not there: as a copy of its own that shares the blocks
   * (reflink), or else as a hard link: whoever changes such a file after all calls `separateFile` first. False, and nothing has
   * happened, where neither is possible. Durable after {@link syncDirectory}.
   */
  share(from: string, to: string): boolean;
  /** Makes creations, removals and renames in a directory durable. */
  syncDirectory(path: string): void;
  /** The whole file; undefined when it is missing. @throws MillraceError `ERR_FILE_TYPE`, `ERR_FILE_TOO_LONG` */
  readSmall(path: string): Uint8Array | undefined;
  /** Replaces the whole file, atomically and durably, through `path` + `.tmp`. */
  writeSmall(path: string, content: Uint8Array): void;
  /** Of the file system that holds `path`; `freeBytes` is what this user may still write. */
  diskUsage(path: string): DiskUsage;
}

export type FileAccess = "read" | "write" | "create" | "exclusive";

export type MapAccess = "read" | "write" | "view";

export interface StorageEntry {
  readonly name: string;
  /** `other`: a link, which is not followed, a FIFO, a device. */
  readonly kind: "file" | "directory" | "other";
  readonly size: number;
  /** When its content last changed, in milliseconds. */
  readonly modifiedMs: number;
  /** Another one: another file has the name now. */
  readonly inode: number;
  /** Names of the file, this one with them: more than one where it was given others ({@link Storage.share}), by whomever. */
  readonly links: number;
}

export interface DiskUsage {
  readonly totalBytes: number;
  /** Taken by files; less than what is not free where the system keeps a reserve. */
  readonly usedBytes: number;
  readonly freeBytes: number;
}

export interface StorageFile {
  readonly path: string;
  size(): number;
  /** Until `target` is full or the file ends; returns the bytes read. */
  read(target: Uint8Array, position: number): number;
  /** All of `source`, or throws. `source` may view a SharedArrayBuffer; nothing is copied. */
  write(source: Uint8Array, position: number): void;
  /**
   * Reserves disk space for a range within the file, which reads as before: a full disk is ENOSPC here, and no write there meets one.
   * False, and nothing has happened, where the file system cannot (EOPNOTSUPP). The first force after a write there has more to note
   * down than one after a write to bytes that were written before.
   */
  allocate(position: number, length: number): boolean;
  /**
   * The first byte at or after `position` that may be something else than zero; the file's size when there is none. What is allocated only
   * is a hole, until it has been read.
   */
  seekData(position: number): number;
  /** The first byte at or after `position` that lies in a hole: from it to the next {@link seekData} all bytes are zero. The size: none. */
  seekHole(position: number): number;
  /** Throws `ERR_FILE_MAPPED` while this object has a mapping: a mapped page beyond the end of its file is SIGBUS. */
  truncate(size: number): void;
  /** fdatasync: all that was written or stored through a mapping, by whatever thread. */
  force(): void;
  /**
   * The whole file. A store through a `read` mapping ends the process. One through a `view` stays in its page of this mapping, which
   * from then on hears nothing of the file; nobody else, and no disk, sees it. Only a `read` or `write` mapping is to be locked.
   */
  map(access: MapAccess): Mapping;
  /**
   * Exclusive fcntl range lock of the open file description: excludes other processes (a Java `FileChannel.lock` too) and other
   * opens in this process. False when somebody else holds it.
   */
  tryLock(position: number, length: number): boolean;
  /** Whether {@link tryLock} would be refused now; nothing is locked for it. Undefined where the system cannot say. */
  isLocked(position: number, length: number): boolean | undefined;
  /** Releases the lock; may be called again. Mappings stay. */
  close(): void;
}

export interface Mapping {
  /** Empty after {@link unmap}, as is every view of it. Valid in the thread that mapped. */
  readonly bytes: Buffer;
  /** mlock. False: refused by the system (RLIMIT_MEMLOCK). */
  lock(position: number, length: number): boolean;
  unlock(position: number, length: number): void;
  /**
   * {@link StorageFile.force} of a range, whoever wrote it and by whatever way: what is dirty elsewhere in the file is not waited for.
   * The range may begin and end anywhere.
   */
  force(position: number, length: number): void;
  /**
   * Gives the page table entries of whole pages back (MADV_DONTNEED); the bytes stay in the page cache. What has been written and
   * will not be touched again: a force write-protects every entry it finds with an interrupt to all cores, 7 µs per page.
   */
  release(position: number, length: number): void;
  /** May be called again. */
  unmap(): void;
}

/** What a thread needs to make its own Storage; travels by structured clone. */
export type StorageSpec = FileModes &
  ({ readonly kind: "real" } | { readonly kind: "faulty"; readonly faults: readonly Fault[] } | WriteBackSpec);

interface FileModes {
  /** Of the files that are made, {@link DEFAULT_FILE_MODE} without it; directories can be entered by whoever may read their files. */
  readonly fileMode?: number;
}

/** A disk whose write-backs fail: one for all threads that are given the same spec. */
export interface WriteBackSpec {
  readonly kind: "writeBack";
  /** Of calls, as in a faulty storage. */
  readonly faults: readonly Fault[];
  readonly failures: readonly WriteBackFailure[];
  /** A directory outside the store. */
  readonly images: string;
  /** Made by `writeBackWords`. */
  readonly words: SharedArrayBuffer;
}

/** One planned failure of a write-back: the dirty pages of the file are lost, and its descriptors hear of it. */
export interface WriteBackFailure {
  /** Part of the path. */
  readonly path: string;
  /** So many write-backs, of all threads, succeed first; -1: it waits until it is armed. */
  readonly after: number;
  readonly code: "EIO" | "ENOSPC" | "EDQUOT";
}

export type FaultOperation =
  /** Every call that needs a new file descriptor, and only those. */
  | "descriptor"
  | "open"
  | "read"
  | "write"
  | "force"
  | "map"
  | "remove"
  | "removeDirectory"
  | "rename"
  /** With the code EXDEV it answers that it cannot. */
  | "share"
  | "truncate"
  /** With the code EOPNOTSUPP it answers that it cannot. */
  | "allocate"
  | "syncDirectory"
  | "diskUsage"
  | "lock";

/** One planned failure. Each Storage object (so each thread) counts for itself. */
export interface Fault {
  /** `lock` is both the range lock, which throws, and the memory lock, which is refused. */
  readonly operation: FaultOperation;
  /** Part of the path. */
  readonly path: string;
  /** So many calls succeed first. */
  readonly after: number;
  /** So many calls fail then; for ever by default. */
  readonly times?: number;
  /** `EIO`, `ENOSPC`, ...; without one the call is only slow, or answers as planned. */
  readonly code?: string;
  /** It takes this long before it fails, or goes on. */
  readonly delayMs?: number;
  /** `diskUsage` does not fail, but finds so much of a disk taken. */
  readonly usedPercent?: number;
  /** A failing write or read gets this far first. */
  readonly partialBytes?: number;
}
