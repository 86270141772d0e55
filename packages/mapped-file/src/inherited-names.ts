import type { Storage } from "./storage.js";

/** Nothing is there, or the system lets nobody force it: a directory of others that may be entered and not read, a file system without. */
const NOT_TO_BE_FORCED = new Set([
  "ENOENT",
  "ENOTDIR",
  "ELOOP",
  "EACCES",
  "EPERM",
  "EROFS",
  "EINVAL",
  "ENOTSUP",
  "EOPNOTSUPP",
  "ENOSYS",
]);

/**
 * Makes durable what a process that was killed may have made, renamed or removed in a directory without a sync: whoever comes later sees
 * it in the cache, goes by it, and has no reason of his own to sync. Where that cannot be done nothing happens; a sync that fails throws.
 */
export function syncInherited(storage: Pick<Storage, "syncDirectory">, directory: string): void {
  try {
    storage.syncDirectory(directory);
  } catch (error) {
    if (!NOT_TO_BE_FORCED.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
