import { configCopyPath, crc32 } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import { readCheckedFile, writeCheckedFile } from "./checked-file.js";
import { CONFIG_COPY_MAGIC } from "./checked-file-descriptor.js";

const KIND = { magic: CONFIG_COPY_MAGIC, version: 1 };

/**
 * What Millrace knows of a file of RocketMQ's `config` directory that it wrote last. RocketMQ's file has no checksum: the copy tells what
 * a broker has written since from what the disk has made of it.
 */
export interface ConfigCopy {
  /** Written to the file. */
  readonly content: string;
  /** End of the log when the content was taken. */
  readonly logOffset: number;
  /** CRCs: of the content; of the file before it, which is there after a crash in between; of the backup beside it. */
  readonly main: number;
  readonly before: number | null;
  readonly backup: number | null;
}

/** A damaged copy is none. */
export function readConfigCopy(storage: Storage, path: string): ConfigCopy | undefined {
  const found = readCheckedFile(storage, configCopyPath(path), KIND);
  return found.state === "good" ? (JSON.parse(new TextDecoder().decode(found.payload)) as ConfigCopy) : undefined;
}

/** Before the file itself. */
export function writeConfigCopy(storage: Storage, path: string, copy: ConfigCopy): void {
  writeCheckedFile(storage, configCopyPath(path), KIND, new TextEncoder().encode(JSON.stringify(copy)));
}

/** Of a file's bytes; null of none. */
export function crcOf(bytes: Uint8Array | undefined): number | null {
  return bytes === undefined ? null : crc32(bytes);
}
