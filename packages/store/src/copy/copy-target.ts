import { dirname, join, relative, resolve } from "node:path";
import { MillraceError, preparedPath, type StorePaths, shownValue } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";

interface CopiedDirectory {
  readonly storage: Storage;
  readonly paths: StorePaths;
}

/**
 * A directory that is not there, or an empty one, outside of the store.
 *
 * @throws MillraceError `ERR_COPY_TARGET`
 */
export function checkTarget({ storage, paths }: CopiedDirectory, directory: unknown): string {
  if (typeof directory !== "string" || directory === "") throw refusal(`a path is needed: directory=${shownValue(directory)}`);
  const target = resolve(directory);
  for (const own of [paths.root, paths.commitLog]) {
    if (isWithin(target, resolve(own)) || isWithin(resolve(own), target))
      throw refusal(`it overlaps the store: directory=${target}`);
  }
  const isEmpty = storage.entry(target)?.kind === "directory" && storage.list(target).length === 0;
  if (storage.exists(target) && !isEmpty) throw refusal(`it is there already: directory=${target}`);
  return target;
}

/**
 * Has `write` fill a directory beside the target, which gets the target's name when it is whole, durably. Where anything of that fails,
 * nothing is left.
 *
 * @throws MillraceError `ERR_COPY_TARGET`; and what `write` or the system throws
 */
export async function copyInto<T>(storage: Storage, target: string, write: (prepared: string) => Promise<T>): Promise<T> {
  let place = makePrepared(storage, target);
  try {
    const written = await write(place);
    storage.rename(place, target);
    place = target;
    storage.syncDirectory(dirname(target));
    return written;
  } catch (error) {
    removeCopy(storage, place);
    throw error;
  }
}

/**
 * Makes the directory in which a copy lies until it is whole. Nobody else works there, in this process or another.
 *
 * @throws MillraceError `ERR_COPY_TARGET`
 */
function makePrepared(storage: Storage, target: string): string {
  const prepared = preparedPath(target);
  if (storage.exists(prepared) || !storage.makeDirectory(prepared))
    throw refusal(`a copy under way, or one that was not completed, is in the way; the latter is to be removed: path=${prepared}`);
  return prepared;
}

/** What a copy has made, with all that is in it. What cannot be removed stays: the next copy to this target names it. */
function removeCopy(storage: Storage, path: string): void {
  try {
    removeTree(storage, path);
  } catch {
    // Why the copy failed says more.
  }
}

function removeTree(storage: Storage, path: string): void {
  for (const { kind, name } of storage.list(path)) {
    if (kind === "directory") removeTree(storage, join(path, name));
    else storage.remove(join(path, name));
  }
  storage.removeDirectory(path);
}

function isWithin(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way === "" || !(way === ".." || way.startsWith("../"));
}

function refusal(what: string): MillraceError {
  return new MillraceError("ERR_COPY_TARGET", `nothing can be copied there: ${what}`);
}
