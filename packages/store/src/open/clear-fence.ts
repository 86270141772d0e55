import { MillraceError, type StorePaths } from "@millrace/format";
import { createStorage, type Storage, type StorageSpec } from "@millrace/mapped-file";
import { pathsOf, type ReadOnlyOptions } from "../config/read-only-options.js";
import { findFence, liftFence } from "../marks/fence-places.js";
import { StoreLock } from "../marks/store-lock.js";
import { pathUnusable } from "../tell/path-unusable.js";

/** See {@link MessageStore.clearFence}. */
export function clearFence(storePathRootDir: string, options: ReadOnlyOptions, spec: StorageSpec): void {
  const storage = createStorage(spec);
  const paths = pathsOf(storePathRootDir, options);
  let lock: StoreLock | undefined;
  try {
    if (!storage.exists(paths.root)) throw new MillraceError("ERR_PATH_UNUSABLE", `there is no such directory: path=${paths.root}`);
    lock = StoreLock.acquire(storage, paths);
    if (hasLog(storage, paths)) lock.lockLog(storage, paths);
    liftFence(storage, paths);
  } catch (error) {
    throw pathUnusable(error, "the fence stands: its marker cannot be written here", paths.fence);
  } finally {
    lock?.release();
  }
}

/** @throws MillraceError `ERR_PATH_UNUSABLE`: no fence is here, and it may lie beside the log, which is elsewhere */
function hasLog(storage: Storage, paths: StorePaths): boolean {
  if (storage.exists(paths.commitLog)) return true;
  if (findFence(storage, paths) !== undefined) return false;
  const text = `no fence is here, and no log: where it lies elsewhere, storePathCommitLog says so: path=${paths.commitLog}`;
  throw new MillraceError("ERR_PATH_UNUSABLE", text);
}
