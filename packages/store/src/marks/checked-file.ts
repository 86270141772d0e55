import { crc32 } from "@millrace/format";
import { SMALL_FILE_LIMIT, type Storage } from "@millrace/mapped-file";
import {
  CHECKED_CRC_OFFSET,
  CHECKED_LENGTH_OFFSET,
  CHECKED_MAGIC_OFFSET,
  CHECKED_PAYLOAD_OFFSET,
  CHECKED_VERSION_OFFSET,
} from "./checked-file-descriptor.js";

/** Which file of ours it is, and how its payload is written. */
export interface CheckedFileKind {
  /** From the descriptor. */
  readonly magic: number;
  /** A file of another version counts as damaged: its owner builds it again. */
  readonly version: number;
}

/** What is at a path. A damaged file is never an error: its owner makes it again from what it was made from. */
export type CheckedFileContent =
  | { readonly state: "good"; readonly payload: Uint8Array }
  | { readonly state: "missing" }
  | { readonly state: "damaged"; readonly reason: string };

/** Reads a file written by {@link writeCheckedFile}. What cannot be read because of the disk (EIO), or is no file, is damaged too. */
export function readCheckedFile(storage: Storage, path: string, kind: CheckedFileKind): CheckedFileContent {
  try {
    const entry = storage.entry(path);
    if (entry === undefined) return { state: "missing" };
    if (entry.kind !== "file") return damaged(`it is no regular file: kind=${entry.kind}`);
    if (entry.size > SMALL_FILE_LIMIT) return damaged(`it is too long: length=${entry.size}`);
    const bytes = storage.readSmall(path);
    return bytes === undefined ? { state: "missing" } : decode(bytes, kind);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EIO") throw error;
    return damaged("it cannot be read: code=EIO");
  }
}

/** Replaces the file, atomically and durably. */
export function writeCheckedFile(storage: Storage, path: string, kind: CheckedFileKind, payload: Uint8Array): void {
  storage.writeSmall(path, encodeCheckedFile(kind, payload));
}

/** The whole file, for who writes it in another way. */
export function encodeCheckedFile({ magic, version }: CheckedFileKind, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(CHECKED_PAYLOAD_OFFSET + payload.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(CHECKED_MAGIC_OFFSET, magic);
  view.setInt32(CHECKED_VERSION_OFFSET, version);
  view.setInt32(CHECKED_LENGTH_OFFSET, payload.length);
  bytes.set(payload, CHECKED_PAYLOAD_OFFSET);
  view.setInt32(CHECKED_CRC_OFFSET, crcOf(bytes));
  return bytes;
}

function decode(bytes: Uint8Array, kind: CheckedFileKind): CheckedFileContent {
  if (bytes.length < CHECKED_PAYLOAD_OFFSET) return damaged(`it is too short: length=${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = view.getInt32(CHECKED_LENGTH_OFFSET);
  if (view.getInt32(CHECKED_MAGIC_OFFSET) !== kind.magic) return damaged("another file's magic");
  if (length !== bytes.length - CHECKED_PAYLOAD_OFFSET) return damaged(`another length than its head says: length=${length}`);
  if (view.getInt32(CHECKED_CRC_OFFSET) !== crcOf(bytes)) return damaged("the CRC does not match");
  const version = view.getInt32(CHECKED_VERSION_OFFSET);
  if (version !== kind.version) return damaged(`another version: version=${version} expected=${kind.version}`);
  return { state: "good", payload: bytes.subarray(CHECKED_PAYLOAD_OFFSET) };
}

function crcOf(bytes: Uint8Array): number {
  return crc32(bytes.subarray(CHECKED_PAYLOAD_OFFSET), crc32(bytes.subarray(0, CHECKED_CRC_OFFSET)));
}

function damaged(reason: string): CheckedFileContent {
  return { state: "damaged", reason };
}
