import type { OwnedCounter, ReadableCounter } from "./counter.js";

/**
 * How long the appender is at its present group, in one word that never goes back: microseconds of the monotonic clock at which the
 * latest group began, odd while it is being written, even between groups.
 *
 * Were it 0 between groups, its high half would go to and fro on a machine that has been up for 2^32 microseconds (72 minutes), and
 * a reader that is interrupted could take the halves of two values for one, hours off: see `counter.ts`.
 */
export function beginGroup(appendBeganUs: OwnedCounter, nowUs: number): void {
  appendBeganUs.set(2 * Math.floor(Math.max(nowUs, appendBeganUs.value) / 2) + 1);
}

/** Idempotent. */
export function endGroup(appendBeganUs: OwnedCounter): void {
  if (isUnderWay(appendBeganUs.value)) appendBeganUs.set(appendBeganUs.value + 1);
}

/** Undefined between groups. */
export function groupBeganUs(appendBeganUs: ReadableCounter): number | undefined {
  const us = appendBeganUs.get();
  return isUnderWay(us) ? us : undefined;
}

/** Without the remainder of a division, which is slow for numbers of this size. */
function isUnderWay(us: number): boolean {
  return 2 * Math.floor(us / 2) !== us;
}
