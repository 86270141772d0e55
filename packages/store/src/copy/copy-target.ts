import { relative, resolve } from "node:path";
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
  const prepared = preparedPath(target);
  if (storage.exists(prepared)) throw refusal(`a copy that was not completed is in the way, remove it: path=${prepared}`);
  return target;
}

function isWithin(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way === "" || !(way === ".." || way.startsWith("../"));
}

function refusal(what: string): MillraceError {
  return new MillraceError("ERR_COPY_TARGET", `nothing can be copied there: ${what}`);
}
