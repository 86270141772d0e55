import type { Storage } from "@millrace/mapped-file";
import { readCheckedFile, writeCheckedFile } from "./checked-file.js";
import { DISPATCHED_MARK_MAGIC } from "./checked-file-descriptor.js";
import { parseJsonObject } from "./json-object.js";

const KIND = { magic: DISPATCHED_MARK_MAGIC, version: 1 };

/** What was durable, of what dispatching makes, when it was written. Offsets are absolute, in bytes of the log. */
export interface DispatchedMark {
  /** Every record below it has its unit in its ConsumeQueue. */
  readonly dispatchedOffset: number;
  /** The index has the keys of every record below it. */
  readonly indexedOffset: number;
  /** Name of the newest index file, and the end offset in its header; without one, the index was empty. */
  readonly indexFile: string | undefined;
  readonly indexEndOffset: number;
  /**
   * When the `lock` file last changed, in milliseconds: a broker writes it when it starts. What was noted before somebody else has started
   * says nothing of the files. Undefined when it is not known.
   */
  readonly lockModifiedMs?: number | undefined;
}

/** Undefined when it is missing or damaged: then nothing is known to be durable, and everything is verified. */
export function readDispatchedMark(storage: Storage, path: string): DispatchedMark | undefined {
  const content = readCheckedFile(storage, path, KIND);
  if (content.state !== "good") return undefined;
  const object = parseJsonObject(new TextDecoder().decode(content.payload));
  const { dispatchedOffset, indexedOffset, indexFile, indexEndOffset } = object;
  if (!isOffset(dispatchedOffset) || !isOffset(indexedOffset) || !isOffset(indexEndOffset)) return undefined;
  if (indexFile !== undefined && typeof indexFile !== "string") return undefined;
  const lockModifiedMs = typeof object.lockModifiedMs === "number" ? object.lockModifiedMs : undefined;
  return { dispatchedOffset, indexedOffset, indexFile, indexEndOffset, lockModifiedMs };
}

/** Only after the forces that make it true. Atomic, and durable on return. */
export function writeDispatchedMark(storage: Storage, path: string, mark: DispatchedMark): void {
  const { dispatchedOffset, indexedOffset, indexFile, indexEndOffset, lockModifiedMs } = mark;
  const text = JSON.stringify({ dispatchedOffset, indexedOffset, indexFile, indexEndOffset, lockModifiedMs });
  writeCheckedFile(storage, path, KIND, new TextEncoder().encode(`${text}\n`));
}

function isOffset(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
