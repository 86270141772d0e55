import {
  close,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fdatasync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  open,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  type Stats,
  statfsSync,
  statSync,
  unlinkSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { syncInherited } from "./inherited-names.js";
import { RealStorageFile } from "./real-storage-file.js";
import { DEFAULT_FILE_MODE, directoryModeOf, openRegularFile } from "./regular-file.js";
import { readWholeFile, replaceFile } from "./small-file.js";
import type { DiskUsage, FileAccess, Storage, StorageEntry } from "./storage.js";

/** Descriptors, not the FileHandles of node:fs/promises: those of Yarn's Plug'n'Play have no datasync. */
const openAsync = promisify(open);
const fdatasyncAsync = promisify(fdatasync);
const closeAsync = promisify(close);

const NOT_HERE = ["ENOTSUP", "EOPNOTSUPP", "ENOSYS", "ENOTTY", "EXDEV", "EINVAL"];
/** Ways of {@link Storage.share}, each with what the system says where it cannot. */
const SHARING: readonly (readonly [(from: string, to: string) => void, ReadonlySet<string>])[] = [
  [
    (from, to) => copyFileSync(from, to, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL),
    new Set([...NOT_HERE, "EPERM", "EACCES"]),
  ],
  [linkSync, new Set([...NOT_HERE, "EPERM", "EMLINK"])],
];

/** Node's file system, and @millrace/mmap-io's mappings. */
export class RealStorage implements Storage {
  readonly #fileMode: number;

  constructor(fileMode: number = DEFAULT_FILE_MODE) {
    this.#fileMode = fileMode;
  }

  open(path: string, access: FileAccess): RealStorageFile {
    return new RealStorageFile(path, openRegularFile(path, access, this.#fileMode));
  }

  exists(path: string): boolean {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  }

  list(directory: string): StorageEntry[] {
    let names: string[];
    try {
      names = readdirSync(directory);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
    return names.sort().map((name) => entryOf(name, lstatSync(join(directory, name), { throwIfNoEntry: false })));
  }

  realPath(directory: string): string {
    return realpathSync.native(directory);
  }

  entry(path: string): StorageEntry | undefined {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats === undefined ? undefined : entryOf(basename(path), stats);
  }

  makeDirectory(path: string, durable = true): boolean {
    const missing: string[] = [];
    let isMade = false; // the last one is the path itself
    let found = resolve(path);
    for (; !existsSync(found); found = dirname(found)) missing.push(found);
    if (durable && missing.length > 0) syncInherited(this, dirname(found)); // of a chain that a kill cut short its name may not be durable
    // Level by level: mkdir's own recursion never ends below /proc (Node 20).
    for (const directory of missing.reverse()) {
      isMade = makeOne(directory, directoryModeOf(this.#fileMode));
      if (durable) this.#keepName(directory);
    }
    if (!statSync(path).isDirectory())
      throw Object.assign(new Error(`not a directory: path=${path}`), { code: "ENOTDIR", syscall: "mkdir", path });
    return isMade;
  }

  /** A name that may not be durable goes again: found there, it would never be forced; made again, it is written again. */
  #keepName(directory: string): void {
    try {
      this.syncDirectory(dirname(directory));
    } catch (error) {
      try {
        rmdirSync(directory);
      } catch {
        // Somebody uses it already.
      }
      throw error;
    }
  }

  async forceInBackground(path: string): Promise<void> {
    const fd = await openAsync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (fd === undefined) return;
    try {
      await fdatasyncAsync(fd);
    } finally {
      await closeAsync(fd);
    }
  }

  remove(path: string): void {
    try {
      unlinkSync(path);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  removeDirectory(path: string): void {
    try {
      rmdirSync(path);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  rename(from: string, to: string): void {
    renameSync(from, to);
  }

  share(from: string, to: string): boolean {
    for (const [give, notHere] of SHARING) {
      try {
        give(from, to);
        return true;
      } catch (error) {
        if (!notHere.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
      }
    }
    return false;
  }

  syncDirectory(path: string): void {
    const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }

  readSmall(path: string): Uint8Array | undefined {
    return readWholeFile(this, path);
  }

  writeSmall(path: string, content: Uint8Array): void {
    replaceFile(this, path, content);
  }

  diskUsage(path: string): DiskUsage {
    const { bsize, blocks, bfree, bavail } = statfsSync(path);
    return { totalBytes: blocks * bsize, usedBytes: (blocks - bfree) * bsize, freeBytes: bavail * bsize };
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}

/** A link, or what was removed since it was listed, is "other". */
function entryOf(name: string, stats: Stats | undefined): StorageEntry {
  if (stats === undefined) return { name, kind: "other", size: 0, modifiedMs: 0, inode: 0, links: 0 };
  const kind = stats.isFile() ? "file" : stats.isDirectory() ? "directory" : "other";
  const modifiedMs = Math.floor(stats.mtimeMs); // as Date.now counts: not later than now
  return { name, kind, size: stats.size, modifiedMs, inode: stats.ino, links: stats.nlink };
}

/** False when somebody else has made it at the same time. */
function makeOne(directory: string, mode: number): boolean {
  try {
    mkdirSync(directory, mode);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  }
}
