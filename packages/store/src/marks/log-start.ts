import type { StorePaths } from "@millrace/format";
import { isNoSpace, type Storage } from "@millrace/mapped-file";
import { readCheckedFile, writeCheckedFile } from "./checked-file.js";
import { LOG_START_MAGIC } from "./checked-file-descriptor.js";
import { parseJsonObject } from "./json-object.js";

const KIND = { magic: LOG_START_MAGIC, version: 1 };

/** Where the log begins: what lies below has been deleted on purpose. */
export interface LogStart {
  /** Absolute, in bytes of the log. */
  readonly minOffset: number;
  /** Nobody but Millrace has opened the directory since: a broker that starts writes the lock file. */
  readonly isOfOwnHands: boolean;
}

/** Undefined when it is missing or damaged: then the log begins where it begins. */
export function readLogStart(storage: Storage, paths: StorePaths): LogStart | undefined {
  const content = readCheckedFile(storage, paths.logStart, KIND);
  if (content.state !== "good") return undefined;
  const { minOffset, lockModifiedMs } = parseJsonObject(new TextDecoder().decode(content.payload));
  if (!Number.isSafeInteger(minOffset)) return undefined;
  return { minOffset: minOffset as number, isOfOwnHands: storage.entry(paths.lock)?.modifiedMs === lockModifiedMs };
}

/**
 * Durable on return: before the first segment below the offset is deleted. A full disk, which deletions are to free, has no room for it:
 * then the file is removed, so that nothing is known.
 */
export function writeLogStart(storage: Storage, paths: StorePaths, minOffset: number): void {
  const lockModifiedMs = storage.entry(paths.lock)?.modifiedMs;
  const text = JSON.stringify({ minOffset, lockModifiedMs });
  try {
    writeCheckedFile(storage, paths.logStart, KIND, new TextEncoder().encode(`${text}\n`));
  } catch (error) {
    if (!isNoSpace(error)) throw error;
    storage.remove(paths.logStart);
    storage.syncDirectory(paths.root);
  }
}
