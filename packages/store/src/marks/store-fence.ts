import { dirname } from "node:path";
import type { Storage } from "@millrace/mapped-file";
import { readCheckedFile, writeCheckedFile } from "./checked-file.js";
import { FENCE_MAGIC } from "./checked-file-descriptor.js";
import { parseJsonObject } from "./json-object.js";

const KIND = { magic: FENCE_MAGIC, version: 1 };
/** Of a file that cannot be understood. */
const SHOWN_LENGTH = 200;

/** Why a store takes no more puts. */
export interface StoreFence {
  readonly reason: string;
  /** Durable bytes of the log when it happened. */
  readonly offset: number;
  /** Milliseconds. */
  readonly time: number;
}

/** What the file says. Once an operator has lifted the fence, its offset counts until recovery has written the log again from there. */
interface FenceFile extends StoreFence {
  readonly isLifted: boolean;
}

/** Durable on return. The fence outlives restarts: the kernel forgets a failed force, and the pages in its cache look clean. */
export function writeStoreFence(storage: Storage, path: string, { reason, offset, time }: StoreFence): void {
  write(storage, path, { reason, offset, time, isLifted: false });
}

/** Undefined when the store is not fenced. A fence that cannot be understood is a fence. */
export function readStoreFence(storage: Storage, path: string): StoreFence | undefined {
  const file = read(storage, path);
  if (file === undefined || file.isLifted) return undefined;
  const { reason, offset, time } = file;
  return { reason, offset, time };
}

/** From where on the page cache may hold what the disk never took, be the fence lifted or not; undefined when no force failed. */
export function unforcedFrom(storage: Storage, path: string): number | undefined {
  return read(storage, path)?.offset;
}

/** The operator's word that the disk can be trusted again: the store is not fenced, and the offset stays. Durable on return. */
export function liftStoreFence(storage: Storage, path: string): void {
  const file = read(storage, path);
  if (file !== undefined && !file.isLifted) write(storage, path, { ...file, isLifted: true });
}

/** The log has been written again and forced. Durable on return; a fence that nobody has lifted stays. */
export function removeLiftedFence(storage: Storage, path: string): void {
  if (read(storage, path)?.isLifted !== true) return;
  storage.remove(path);
  storage.syncDirectory(dirname(path));
}

function write(storage: Storage, path: string, { reason, offset, time, isLifted }: FenceFile): void {
  const fence = isLifted ? { reason, offset, time, isLifted } : { reason, offset, time };
  writeCheckedFile(storage, path, KIND, new TextEncoder().encode(`${JSON.stringify(fence)}\n`));
}

/** Damaged, it is a fence all the same, and nothing is known of the offset. The first versions wrote no CRC. */
function read(storage: Storage, path: string): FenceFile | undefined {
  const content = readCheckedFile(storage, path, KIND);
  if (content.state === "missing") return undefined;
  const text = new TextDecoder().decode(content.state === "good" ? content.payload : uncheckedContent(storage, path));
  const { reason, offset, time, isLifted } = parseJsonObject(text);
  return {
    reason: typeof reason === "string" ? reason : `fence file says ${JSON.stringify(text.trim().slice(0, SHOWN_LENGTH))}`,
    offset: typeof offset === "number" && Number.isSafeInteger(offset) && offset >= 0 ? offset : 0,
    time: typeof time === "number" ? time : 0,
    isLifted: isLifted === true && typeof offset === "number",
  };
}

/** Of the file as it is; empty when it is none, or cannot be read. */
function uncheckedContent(storage: Storage, path: string): Uint8Array | undefined {
  try {
    return storage.entry(path)?.kind === "file" ? storage.readSmall(path) : undefined;
  } catch {
    return undefined;
  }
}
