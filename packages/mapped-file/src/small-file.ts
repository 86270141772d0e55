import { dirname } from "node:path";
import type { Storage } from "./storage.js";

/** Names the file that {@link replaceFile} prepares; a crash may leave one behind, the next write replaces it. */
const TEMPORARY_SUFFIX = ".tmp";

/** {@link Storage.readSmall} in terms of the other calls, so that planned faults reach it. */
export function readWholeFile(storage: Storage, path: string): Uint8Array | undefined {
  if (!storage.exists(path)) return undefined;
  const file = storage.open(path, "read");
  try {
    const content = new Uint8Array(file.size());
    return content.subarray(0, file.read(content, 0));
  } finally {
    file.close();
  }
}

/** {@link Storage.writeSmall}: the new content is durable before it gets the name, the name before the call returns. */
export function replaceFile(storage: Storage, path: string, content: Uint8Array): void {
  const temporary = path + TEMPORARY_SUFFIX;
  storage.remove(temporary);
  const file = storage.open(temporary, "create");
  try {
    file.write(content, 0);
    file.force();
  } catch (error) {
    storage.remove(temporary); // on a full disk it would keep what little there is
    throw error;
  } finally {
    file.close();
  }
  storage.rename(temporary, path);
  storage.syncDirectory(dirname(path));
}
