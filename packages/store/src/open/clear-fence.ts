import { MillraceError, parseSegmentFileName, type StorePaths } from "@millrace/format";
import { createStorage, type Storage, type StorageSpec } from "@millrace/mapped-file";
import { pathsOf, type ReadOnlyOptions } from "../config/read-only-options.js";
import { findFence, liftFence } from "../marks/fence-places.js";
import { StoreLock } from "../marks/store-lock.js";
import { pathUnusable } from "../tell/path-unusable.js";

/** See {@link MessageStore.clearFence}. */
export function clearFence(storePathRootDir: string, options: ReadOnlyOptions, spec: StorageSpec): boolean {
  const storage = createStorage(spec);
  const paths = pathsOf(storePathRootDir, options);
  let lock: StoreLock | undefined;
  try {
    if (!storage.exists(paths.root)) throw new MillraceError("ERR_PATH_UNUSABLE", `there is no such directory: path=${paths.root}`);
    if (!holdsSegment(storage, paths)) needFence(storage, paths); // nothing is left where no store is, not even a lock
    lock = StoreLock.acquire(storage, paths);
    if (storage.exists(paths.commitLog)) lock.lockLog(storage, paths);
    const isFenced = findFence(storage, paths) !== undefined;
    liftFence(storage, paths);
    return isFenced;
  } catch (error) {
    throw pathUnusable(error, "the fence stands: its marker cannot be written here", paths.fence);
  } finally {
    lock?.release();
  }
}

function holdsSegment(storage: Storage, { commitLog }: StorePaths): boolean {
  return storage.list(commitLog).some(({ kind, name }) => kind === "file" && parseSegmentFileName(name) !== undefined);
}

/** @throws MillraceError `ERR_PATH_UNUSABLE`: no fence is here, and it may lie beside the log, which is elsewhere */
function needFence(storage: Storage, paths: StorePaths): void {
  if (findFence(storage, paths) !== undefined) return;
  const text = `no fence is here, and no log: where it lies elsewhere, storePathCommitLog says so: path=${paths.commitLog}`;
  throw new MillraceError("ERR_PATH_UNUSABLE", text);
}
