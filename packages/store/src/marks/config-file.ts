import { dirname } from "node:path";
import { MillraceError, type MillraceErrorCode, parseRocketMqJson } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";

/** Names the file that keeps the content before the last. */
const BACKUP_SUFFIX = ".bak";

/**
 * Reads a file of RocketMQ's `config` directory, or its backup when the file is missing, empty or broken. (RocketMQ: `ConfigManager.load`.)
 *
 * @param decode throws when the value is not what the file is for: then the file counts as broken
 * @returns undefined when there is neither
 * @throws MillraceError `code`, when something is there but cannot be understood; nothing is changed
 */
export function readConfigFile<T>(
  storage: Storage,
  path: string,
  code: MillraceErrorCode,
  decode: (value: unknown) => T,
): T | undefined {
  const reasons: string[] = [];
  for (const candidate of [path, path + BACKUP_SUFFIX]) {
    const bytes = storage.readSmall(candidate);
    if (bytes === undefined) continue;
    try {
      return decode(parseRocketMqJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
    } catch (error) {
      reasons.push(`${candidate}: ${(error as Error).message}`);
    }
  }
  if (reasons.length === 0) return undefined;
  throw new MillraceError(code, `neither the file nor its backup can be read: path=${path} reason=${reasons.join("; ")}`);
}

/**
 * Replaces the file, atomically and durably; what it held before goes to `.bak` first, unless it is broken: a backup is never replaced by
 * less. A crash at any point leaves the old content or the new. Blocks for several forces. (RocketMQ: `ConfigManager.persist`.)
 */
export function writeConfigFile(storage: Storage, path: string, content: Uint8Array): void {
  storage.makeDirectory(dirname(path));
  const previous = storage.readSmall(path);
  if (previous !== undefined && isJson(previous)) storage.writeSmall(path + BACKUP_SUFFIX, previous);
  storage.writeSmall(path, content);
}

function isJson(bytes: Uint8Array): boolean {
  try {
    parseRocketMqJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}
