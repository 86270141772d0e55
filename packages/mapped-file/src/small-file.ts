import { dirname } from "node:path";
import { MillraceError } from "@millrace/format";
import { openIfThere } from "./open-if-there.js";
import type { Storage } from "./storage.js";

/** Names the file that {@link replaceFile} prepares; a crash may leave one behind, the next write replaces it. */
const TEMPORARY_SUFFIX = ".tmp";
/** What is longer is not one of the small files of a store; millions of offsets fit in. */
export const SMALL_FILE_LIMIT = 256 * 1024 * 1024;

/**
 * {@link Storage.readSmall} in terms of the other calls, so that planned faults reach it. Whether there is a file is asked without
 * opening it: a process out of descriptors would not be told; and it may still go between the two.
 */
export function readWholeFile(storage: Storage, path: string): Uint8Array | undefined {
  if (!storage.exists(path)) return undefined;
  const file = openIfThere(storage, path);
  if (file === undefined) return undefined;
  try {
    const length = file.size();
    if (length > SMALL_FILE_LIMIT) {
      throw new MillraceError(
        "ERR_FILE_TOO_LONG",
        `too long for what it is: path=${path} length=${length} limit=${SMALL_FILE_LIMIT}`,
      );
    }
    const content = new Uint8Array(length);
    return content.subarray(0, file.read(content, 0));
  } finally {
    file.close();
  }
}

/** {@link Storage.writeSmall}: the new content is durable before it gets the name, the name before the call returns. */
export function replaceFile(storage: Storage, path: string, content: Uint8Array): void {
  const temporary = path + TEMPORARY_SUFFIX;
  storage.remove(temporary);
  const file = storage.open(temporary, "exclusive");
  try {
    file.write(content, 0);
    file.force();
  } catch (error) {
    try {
      storage.remove(temporary); // on a full disk it would keep what little there is
    } catch {}
    throw error;
  } finally {
    file.close();
  }
  storage.rename(temporary, path);
  storage.syncDirectory(dirname(path));
}
