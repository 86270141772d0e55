import type { Storage } from "@millrace/mapped-file";
import { encodeCheckedFile, readCheckedFile } from "./checked-file.js";
import { DELAY_ARRIVALS_MAGIC } from "./checked-file-descriptor.js";

const KIND = { magic: DELAY_ARRIVALS_MAGIC, version: 1 };

/** Messages of a delay level that came together: one past their last queue offset, and when the last of them was first seen. */
export type DelayArrival = readonly [endOffset: number, seenMs: number];

/** When the messages that wait for their delay were first seen, in milliseconds, all by the wall clock as it was at `savedMs`. */
export interface DelayArrivals {
  readonly savedMs: number;
  /** Level → its groups, in order. */
  readonly levels: ReadonlyMap<number, readonly DelayArrival[]>;
}

/** Undefined when it is missing or damaged: then every message counts as first seen now. */
export function readDelayArrivals(storage: Storage, path: string): DelayArrivals | undefined {
  const content = readCheckedFile(storage, path, KIND);
  if (content.state !== "good") return undefined;
  try {
    const { savedMs, levels } = JSON.parse(new TextDecoder().decode(content.payload));
    if (!isTime(savedMs) || !Array.isArray(levels) || !levels.every(isLevel)) return undefined;
    return { savedMs, levels: new Map(levels) };
  } catch {
    return undefined;
  }
}

/** What the file holds. Written whole, by who writes the files of `config`. */
export function encodeDelayArrivals({ savedMs, levels }: DelayArrivals): Uint8Array {
  return encodeCheckedFile(KIND, new TextEncoder().encode(`${JSON.stringify({ savedMs, levels: [...levels] })}\n`));
}

function isLevel(value: unknown): value is [number, DelayArrival[]] {
  if (!Array.isArray(value) || value.length !== 2 || !isTime(value[0]) || !Array.isArray(value[1])) return false;
  const groups: unknown[] = value[1];
  return groups.every((group) => Array.isArray(group) && group.length === 2 && group.every(isTime));
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}
