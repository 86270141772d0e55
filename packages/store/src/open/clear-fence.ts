import { MillraceError, storePaths } from "@millrace/format";
import { createStorage, LockFile, type StorageSpec } from "@millrace/mapped-file";
import { liftFence } from "../marks/fence-places.js";
import { pathUnusable } from "../tell/path-unusable.js";

/** See {@link MessageStore.clearFence}. */
export function clearFence(storePathRootDir: string, spec: StorageSpec): void {
  const storage = createStorage(spec);
  const paths = storePaths(storePathRootDir);
  let lock: LockFile | undefined;
  try {
    if (!storage.exists(paths.root)) throw new MillraceError("ERR_PATH_UNUSABLE", `there is no such directory: path=${paths.root}`);
    lock = LockFile.acquire(storage, paths.lock, paths.abort);
    liftFence(storage, paths);
  } catch (error) {
    throw pathUnusable(error, "the fence stands: its marker cannot be written here", paths.fence);
  } finally {
    lock?.release();
  }
}
