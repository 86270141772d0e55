import { join } from "node:path";
import { createStorage, type Storage, type StorageFile } from "@millrace/mapped-file";
import type { ExecutionContext } from "ava";
import { temporaryDirectory } from "./temporary-directory.js";

export interface StorageCall {
  readonly operation: "syncDirectory" | "force" | "readSmall" | "writeSmall" | "open" | "remove" | "rename";
  readonly path: string;
}

/**
 * The calls of every real storage in this thread from now on, in order, until the test ends.
 *
 * @param onSync called before a directory is synced; what it throws, the sync throws
 */
export function storageCalls(t: ExecutionContext, onSync: (path: string) => void = () => {}): StorageCall[] {
  const calls: StorageCall[] = [];
  const storage = createStorage({ kind: "real" });
  const file = storage.open(join(temporaryDirectory(t), "probe"), "create");
  const storages = Object.getPrototypeOf(storage) as Storage;
  const files = Object.getPrototypeOf(file) as StorageFile;
  file.close();
  const { syncDirectory, readSmall, writeSmall, open, remove, rename } = storages;
  const { force } = files;
  storages.syncDirectory = function (path) {
    calls.push({ operation: "syncDirectory", path });
    onSync(path);
    syncDirectory.call(this, path);
  };
  storages.readSmall = function (path) {
    calls.push({ operation: "readSmall", path });
    return readSmall.call(this, path);
  };
  storages.writeSmall = function (path, content) {
    calls.push({ operation: "writeSmall", path });
    writeSmall.call(this, path, content);
  };
  storages.open = function (path, access) {
    calls.push({ operation: "open", path });
    return open.call(this, path, access);
  };
  storages.remove = function (path) {
    calls.push({ operation: "remove", path });
    remove.call(this, path);
  };
  storages.rename = function (from, to) {
    calls.push({ operation: "rename", path: to });
    rename.call(this, from, to);
  };
  files.force = function () {
    calls.push({ operation: "force", path: this.path });
    force.call(this);
  };
  t.teardown(() => {
    Object.assign(storages, { syncDirectory, readSmall, writeSmall, open, remove, rename });
    Object.assign(files, { force });
  });
  return calls;
}

/** Directories that were synced, each where it was first. */
export function syncedIn(calls: readonly StorageCall[]): string[] {
  return [...new Set(calls.flatMap(({ operation, path }) => (operation === "syncDirectory" ? [path] : [])))];
}
