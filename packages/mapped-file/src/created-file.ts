import type { Storage } from "./storage.js";

/** Of what {@link createFile} prepares beside the directory that gets the file; a killed process may leave one, the next call takes it. */
const NEW_SUFFIX = ".new";

/** The directory is a file system of its own, or nothing may be written beside it. */
const NOT_BESIDE = new Set(["EXDEV", "EACCES", "EPERM", "EROFS"]);

/**
 * A file of zeros that has its length from the first moment that it has its name: a process killed in between leaves no shorter
 * one, and RocketMQ 4.9 loads no directory with such a one. An existing file is replaced. The name is not durable yet.
 *
 * @param listed the directory that a broker lists: what is being prepared lies beside it. Where that cannot be, it gets the file directly
 */
export function createFile(storage: Storage, path: string, length: number, listed: string): void {
  try {
    createThrough(storage, listed + NEW_SUFFIX, path, length);
  } catch (error) {
    if (!NOT_BESIDE.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    prepare(storage, path, length);
  }
}

function createThrough(storage: Storage, temporary: string, path: string, length: number): void {
  prepare(storage, temporary, length);
  try {
    storage.rename(temporary, path);
  } catch (error) {
    storage.remove(temporary);
    throw error;
  }
}

function prepare(storage: Storage, path: string, length: number): void {
  const file = storage.open(path, "create");
  try {
    file.truncate(length);
  } catch (error) {
    storage.remove(path);
    throw error;
  } finally {
    file.close();
  }
}
