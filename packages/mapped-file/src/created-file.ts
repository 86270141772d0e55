import { notRegular } from "./regular-file.js";
import type { Storage } from "./storage.js";

/**
 * A file of zeros that has its length from the first moment that it has its name: a process killed in between leaves no shorter
 * one, and RocketMQ 4.9 loads no directory with such a one. An existing file is replaced, a link instead of what it leads to. The name
 * is not durable yet.
 *
 * @param temporary where it is prepared: in a directory that is the store's own and that no broker lists. A killed process may leave
 * it, the next call takes it. On another file system than `path` it is of no use, and the file is made under its name directly
 * @throws MillraceError `ERR_FILE_TYPE`: a directory has the name; I/O errors as they are
 */
export function createFile(storage: Storage, path: string, length: number, temporary: string): void {
  if (storage.entry(path)?.kind === "directory") throw notRegular(path);
  prepare(storage, temporary, length);
  try {
    storage.rename(temporary, path);
  } catch (error) {
    storage.remove(temporary);
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    prepare(storage, path, length);
  }
}

function prepare(storage: Storage, path: string, length: number): void {
  storage.remove(path);
  const file = storage.open(path, "exclusive");
  try {
    file.truncate(length);
  } catch (error) {
    storage.remove(path);
    throw error;
  } finally {
    file.close();
  }
}
