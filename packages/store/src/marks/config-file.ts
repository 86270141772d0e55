import { dirname } from "node:path";
import { configCopyPath, crc32, MillraceError, type MillraceErrorCode, parseRocketMqJson } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import { type ConfigCopy, crcOf, readConfigCopy, writeConfigCopy } from "./config-copy.js";

/** Of the file that keeps the content before the last. */
export function backupPath(path: string): string {
  return `${path}.bak`;
}

/** Puts the content of a file of `config` on disk, atomically and durably. @param logOffset end of the log when it was taken */
export type SaveConfigFile = (content: Uint8Array, logOffset: number) => Promise<void>;

/** A file of RocketMQ's `config` directory that was damaged when the store was opened. */
export interface ConfigFileDamage {
  readonly path: string;
  readonly reason: string;
  /** Where the content was found instead. */
  readonly takenFrom: string;
}

/** What a file of `config` says. */
export interface ConfigFileContent<T> {
  /** Undefined when there is no file at all. */
  readonly value: T | undefined;
  /** End of the log when Millrace took the content that this one is, or follows on; 0 when that is not known. */
  readonly logOffset: number;
  readonly damaged: readonly ConfigFileDamage[];
}

/** The file or its backup, as far as it can be understood. */
interface Candidate<T> {
  readonly path: string;
  readonly crc: number | null;
  readonly value: T | undefined;
  readonly reason: string | undefined;
}

/**
 * Reads a file of RocketMQ's `config` directory. When a broker has written it since, the file counts, or else its backup; otherwise
 * Millrace's copy, which has a checksum, and what differs from it is damage. (RocketMQ: `ConfigManager.load`.)
 *
 * @param decode throws when the value is not what the file is for: then the file counts as damaged
 * @throws MillraceError `code`, when something is there but neither file nor copy nor backup can be understood; nothing is changed
 */
export function readConfigFile<T>(
  storage: Storage,
  path: string,
  code: MillraceErrorCode,
  decode: (value: unknown) => T,
): ConfigFileContent<T> {
  const main = candidateAt(storage, path, decode);
  const backup = candidateAt(storage, backupPath(path), decode);
  const copy = readConfigCopy(storage, path);
  const logOffset = copy?.logOffset ?? 0;
  if (copy !== undefined && isOurs(copy, main, backup)) {
    const isIntact = main.crc === copy.main || main.crc === copy.before;
    const reason =
      main.reason ?? (main.crc === null ? "it is missing" : "it is not what was written, and no broker has written since");
    const damaged = isIntact ? [] : [{ path, reason, takenFrom: configCopyPath(path) }];
    return { value: decode(parseRocketMqJson(copy.content)), logOffset, damaged };
  }
  if (main.value !== undefined) return { value: main.value, logOffset, damaged: [] };
  const reason = main.reason ?? "it is missing";
  if (backup.value !== undefined) return { value: backup.value, logOffset, damaged: [{ path, reason, takenFrom: backup.path }] };
  const reasons = [main, backup].flatMap((one) => (one.reason === undefined ? [] : [`${one.path}: ${one.reason}`]));
  if (reasons.length === 0) return { value: undefined, logOffset: 0, damaged: [] };
  const found = `path=${path} reason=${reasons.join("; ")}`;
  throw new MillraceError(code, `neither the file nor its backup can be read: ${found}`);
}

/**
 * Whether the copy has what was written last. A broker that writes the file makes what it found there the backup: with the backup of
 * ours still in its place, none has written. With what the copy holds in the backup's place the file was written after it, although it
 * says what it said before.
 */
function isOurs<T>(copy: ConfigCopy, main: Candidate<T>, backup: Candidate<T>): boolean {
  if (main.crc !== null && main.crc === copy.main) return true;
  if (main.crc !== null && main.crc === copy.before) return backup.crc !== copy.main;
  if (main.value === undefined && backup.value === undefined) return true;
  return backup.crc === copy.backup && copy.backup !== copy.main;
}

function candidateAt<T>(storage: Storage, path: string, decode: (value: unknown) => T): Candidate<T> {
  const bytes = storage.readSmall(path);
  const crc = crcOf(bytes);
  if (bytes === undefined) return { path, crc, value: undefined, reason: undefined };
  try {
    return { path, crc, value: decode(parseText(bytes)), reason: undefined };
  } catch (error) {
    return { path, crc, value: undefined, reason: (error as Error).message };
  }
}

/**
 * Replaces the file, atomically and durably. First Millrace's copy; then what the file held before goes to `.bak`, unless it is broken,
 * or the same: a backup is never replaced by less. A crash at any point leaves the old content or the new. Blocks for several forces.
 * (RocketMQ: `ConfigManager.persist`.)
 *
 * @param logOffset end of the log when the content was taken
 */
export function writeConfigFile(storage: Storage, path: string, content: Uint8Array, logOffset = 0): void {
  storage.makeDirectory(dirname(path));
  const previous = storage.readSmall(path);
  const isKept = previous !== undefined && isJson(previous) && !Buffer.from(previous).equals(content);
  const kept = isKept ? previous : undefined;
  const backup = kept ?? storage.readSmall(backupPath(path));
  const crcs = { main: crc32(content), before: crcOf(previous), backup: crcOf(backup) };
  writeConfigCopy(storage, path, { content: new TextDecoder().decode(content), logOffset, ...crcs });
  if (kept !== undefined) storage.writeSmall(backupPath(path), kept);
  storage.writeSmall(path, content);
}

/** Replaces a file of Millrace's own in the same directory, atomically and durably. */
export function writeOwnFile(storage: Storage, path: string, content: Uint8Array): void {
  storage.makeDirectory(dirname(path));
  storage.writeSmall(path, content);
}

function isJson(bytes: Uint8Array): boolean {
  try {
    parseText(bytes);
    return true;
  } catch {
    return false;
  }
}

function parseText(bytes: Uint8Array): unknown {
  return parseRocketMqJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
}
