import { dirname } from "node:path";
import { MillraceError } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import { wallClockMs } from "@millrace/shared-memory";

/** Why a store takes no more puts. */
export interface StoreFence {
  readonly reason: string;
  /** Durable bytes of the log when it happened. */
  readonly offset: number;
  /** Milliseconds. */
  readonly time: number;
}

/** Durable on return. The fence outlives restarts: the kernel forgets a failed force, and the pages in its cache look clean. @forTests */
export function writeStoreFence(storage: Storage, path: string, { reason, offset, time }: StoreFence): void {
  storage.writeSmall(path, new TextEncoder().encode(`${JSON.stringify({ reason, offset, time })}\n`));
}

/** Undefined when the store is not fenced. A fence that cannot be understood is a fence. */
export function readStoreFence(storage: Storage, path: string): StoreFence | undefined {
  const bytes = storage.readSmall(path);
  if (bytes === undefined) return undefined;
  const text = new TextDecoder().decode(bytes);
  const { reason, offset, time } = parseObject(text);
  return {
    reason: typeof reason === "string" ? reason : `fence file says ${JSON.stringify(text.trim())}`,
    offset: typeof offset === "number" ? offset : 0,
    time: typeof time === "number" ? time : 0,
  };
}

/** The operator's word that the disk can be trusted again. Durable on return. */
export function clearStoreFence(storage: Storage, path: string): void {
  storage.remove(path);
  storage.syncDirectory(dirname(path));
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/**
 * A force whose failure is final: the kernel has dropped the error and marked the pages clean, so nobody may try again and believe
 * the answer. The marker is on disk before the error goes up, if the disk still takes it.
 *
 * @param durable the offset below which everything was durable before
 * @throws MillraceError `ERR_FORCE_FAILED`
 */
export function forceOrFence(storage: Storage, path: string, durable: number, force: () => void): void {
  try {
    force();
  } catch (cause) {
    try {
      writeStoreFence(storage, path, { reason: String(cause), offset: durable, time: wallClockMs() });
    } catch {
      // The store that is open is fenced by the error alone.
    }
    throw new MillraceError("ERR_FORCE_FAILED", `a force failed: ${String(cause)} durableOffset=${durable}`, {
      outcome: "unknown",
      cause,
    });
  }
}
