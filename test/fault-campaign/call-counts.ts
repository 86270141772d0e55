import { existsSync, readFileSync, writeFileSync } from "node:fs";

/** Calls that the shim counts and can let fail; in the order of its own list. */
export const CALLS = [
  "open",
  "read",
  "write",
  "fsync",
  "fdatasync",
  "msync",
  "ftruncate",
  "fallocate",
  "mmap",
  "unlink",
  "rmdir",
  "rename",
  "mkdir",
  "scandir",
  "lock",
  "stat",
  "statfs",
] as const;
export type Call = (typeof CALLS)[number];

/** Kinds of path below a store's root that the shim tells apart; in the order of its own list. */
export const PATH_KINDS = ["root", "commitlog", "consumequeue", "index", "config", "marks", "rocketmq"] as const;
export type PathKind = (typeof PATH_KINDS)[number];

const LENGTH = 4 * (CALLS.length * PATH_KINDS.length + 1);

/** A file that the shim maps: first whether the planned call has failed, then the number of calls by call and kind. */
export function makeCallCounts(path: string): void {
  writeFileSync(path, Buffer.alloc(LENGTH));
}

export function callCount(path: string, call: Call, kind: PathKind): number {
  return words(path)[1 + CALLS.indexOf(call) * PATH_KINDS.length + PATH_KINDS.indexOf(kind)] as number;
}

export interface FiredCalls {
  readonly hasFired: boolean;
  /** What failed is an fsync, fdatasync or msync of a file of the log, or of its directory, for another reason than a full disk. */
  readonly isForceOfLog: boolean;
}

export function firedCalls(path: string): FiredCalls {
  const fired = existsSync(path) ? (words(path)[0] as number) : 0;
  return { hasFired: fired !== 0, isForceOfLog: fired === 2 };
}

function words(path: string): Uint32Array {
  const bytes = readFileSync(path);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}
