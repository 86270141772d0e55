import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { MillraceError } from "@millrace/format";
import type { FileAccess } from "./storage.js";

/** Of files, where nothing else is said: nobody but the owner writes, nobody but the owner's group reads. */
export const DEFAULT_FILE_MODE = 0o640;
const READ_BITS = 0o444;
/** From the right to read a file to the right to enter a directory. */
const READ_TO_ENTER = 2;

/** Neither a link nor a FIFO may stand for a file, and none of them may make the thread wait. */
const NEVER_WAITS = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const OPEN_FLAGS: Record<FileAccess, number> = {
  read: constants.O_RDONLY | NEVER_WAITS,
  write: constants.O_RDWR | NEVER_WAITS,
  create: constants.O_RDWR | constants.O_CREAT | NEVER_WAITS,
  exclusive: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | NEVER_WAITS,
};

/** What the system says when it opens no file: a link, a socket or a device without a driver, a directory. */
const OTHER_KINDS = new Set(["ELOOP", "ENXIO", "ENODEV", "EISDIR"]);

/** A directory can be entered by whoever may read its files. */
export function directoryModeOf(fileMode: number): number {
  return fileMode | ((fileMode & READ_BITS) >> READ_TO_ENTER);
}

/**
 * The one way to the descriptor of a file.
 *
 * @throws MillraceError `ERR_FILE_TYPE`: something else lies there; I/O errors as they are
 */
export function openRegularFile(path: string, access: FileAccess, fileMode: number): number {
  let fd: number;
  try {
    fd = openSync(path, OPEN_FLAGS[access], fileMode);
  } catch (cause) {
    throw OTHER_KINDS.has((cause as NodeJS.ErrnoException).code ?? "") ? notRegular(path, cause) : cause;
  }
  try {
    if (!fstatSync(fd).isFile()) throw notRegular(path);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** The error of a path where a file is expected and something else lies. */
export function notRegular(path: string, cause?: unknown): MillraceError {
  return new MillraceError("ERR_FILE_TYPE", `not a regular file: path=${path}`, cause === undefined ? {} : { cause });
}
