import type { Storage, StorageFile } from "./storage.js";

/** For reading; undefined when another thread or process has deleted the file. */
export function openIfThere(storage: Storage, path: string): StorageFile | undefined {
  try {
    return storage.open(path, "read");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
