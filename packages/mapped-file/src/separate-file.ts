import { MillraceError } from "@millrace/format";
import type { Storage, StorageFile } from "./storage.js";

const BLOCK_LENGTH = 1024 * 1024;

/**
 * Before a file is written to in place: one that has other names ({@link Storage.share}) is replaced by a copy of its own, durable, and
 * what the other names lead to stays as it is. On failure nothing has happened. Holes stay holes. The name is not durable yet.
 *
 * @param temporary where the copy is prepared, on the same file system. A killed process may leave it, the next call takes it
 * @returns whether the file was one with other names
 * @throws I/O errors as they are
 */
export function separateFile(storage: Storage, path: string, temporary: string): boolean {
  const { links = 1 } = storage.entry(path) ?? {};
  if (links <= 1) return false;
  storage.remove(temporary);
  try {
    copyWhole(storage, path, temporary);
    storage.rename(temporary, path);
  } catch (error) {
    try {
      storage.remove(temporary); // on a full disk it would keep what little there is
    } catch {}
    throw error;
  }
  return true;
}

function copyWhole(storage: Storage, from: string, to: string): void {
  const source = storage.open(from, "read");
  try {
    const target = storage.open(to, "exclusive");
    try {
      const size = source.size();
      target.truncate(size);
      for (let at = source.seekData(0); at < size; at = source.seekData(at)) {
        const end = source.seekHole(at);
        copyBytes(source, target, at, end);
        at = end;
      }
      target.force();
    } finally {
      target.close();
    }
  } finally {
    source.close();
  }
}

/**
 * Bytes [position, end) of a file, into the same place of another one.
 *
 * @param onBlock called with the bytes of each block that was copied; what it throws ends the copying
 * @throws MillraceError `ERR_SEGMENT_SIZE`: the file is shorter
 */
export function copyBytes(
  source: StorageFile,
  target: StorageFile,
  position: number,
  end: number,
  onBlock?: (length: number) => void,
): void {
  const block = new Uint8Array(Math.max(0, Math.min(BLOCK_LENGTH, end - position)));
  for (let at = position; at < end; ) {
    const count = source.read(block.subarray(0, Math.min(block.length, end - at)), at);
    if (count === 0) throw new MillraceError("ERR_SEGMENT_SIZE", `a file ends early: path=${source.path}, length=${at}`);
    target.write(block.subarray(0, count), at);
    at += count;
    onBlock?.(count);
  }
}
