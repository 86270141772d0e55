import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  statfsSync,
  statSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { RealStorageFile } from "./real-storage-file.js";
import { readWholeFile, replaceFile } from "./small-file.js";
import type { DiskUsage, FileAccess, Storage, StorageEntry } from "./storage.js";

const OPEN_FLAGS: Record<FileAccess, number> = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT,
};
const FILE_MODE = 0o644;

/** Node's file system, and mmap-io's mappings. */
export class RealStorage implements Storage {
  open(path: string, access: FileAccess): RealStorageFile {
    return new RealStorageFile(path, openSync(path, OPEN_FLAGS[access], FILE_MODE));
  }

  exists(path: string): boolean {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  }

  list(directory: string): StorageEntry[] {
    let names: string[];
    try {
      names = readdirSync(directory);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
    return names.sort().map((name) => entryOf(name, statSync(join(directory, name), { throwIfNoEntry: false })));
  }

  entry(path: string): StorageEntry | undefined {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats === undefined ? undefined : entryOf(basename(path), stats);
  }

  makeDirectory(path: string, durable = true): void {
    const missing: string[] = [];
    for (let at = resolve(path); !existsSync(at); at = dirname(at)) missing.push(at);
    // Level by level: mkdir's own recursion never ends below /proc (Node 20).
    for (const directory of missing.reverse()) {
      makeOne(directory);
      if (durable) this.syncDirectory(dirname(directory));
    }
    if (!statSync(path).isDirectory())
      throw Object.assign(new Error(`not a directory: path=${path}`), { code: "ENOTDIR", syscall: "mkdir", path });
  }

  async forceInBackground(path: string): Promise<void> {
    const file = await open(path, "r").catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    try {
      await file?.datasync();
    } finally {
      await file?.close();
    }
  }

  remove(path: string): void {
    rmSync(path, { force: true });
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

/** A broken link, or what was removed since it was listed, is "other". */
function entryOf(name: string, stats: Stats | undefined): StorageEntry {
  if (stats === undefined) return { name, kind: "other", size: 0, modifiedMs: 0 };
  const kind = stats.isFile() ? "file" : stats.isDirectory() ? "directory" : "other";
  return { name, kind, size: stats.size, modifiedMs: Math.floor(stats.mtimeMs) }; // as Date.now counts: not later than now
}

/** Somebody else may make it at the same time. */
function makeOne(directory: string): void {
  try {
    mkdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
