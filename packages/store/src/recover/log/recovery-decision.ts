import type { SegmentEnding } from "./segment-scan.js";

/** What is known about the place where a segment's good records end, and about what surrounds it. */
export interface RecoveryFinding {
  readonly ending: SegmentEnding;
  /** No segment follows. */
  readonly isLast: boolean;
  /** The place is before the flushed watermark: bytes that were durable are not good any more. */
  readonly isBelowWatermark: boolean;
  /** A later segment holds something other than zeros. */
  readonly hasDataBehind: boolean;
  readonly lastExitOk: boolean;
  /** There is no watermark, and the place is not in the last few segments with data: the system has long written it to the disk. */
  readonly isOld: boolean;
}

/**
 * `roll`: the log goes on in the next segment; `end`: it ends here; `cut`: it ends here, and what follows is zeroed or removed;
 * `refuse`: the store is not opened and nothing is changed.
 */
type RecoveryVerdict = "roll" | "end" | "cut" | "refuse";

export interface RecoveryRow {
  readonly name: string;
  readonly when: { readonly [Condition in keyof RecoveryFinding]?: readonly RecoveryFinding[Condition][] };
  readonly verdict: RecoveryVerdict;
  /** For the report, or the error. */
  readonly reason: string;
}

/** Every finding matches exactly one row. A condition that a row does not name does not matter to it. @forTests */
export const RECOVERY_TABLE: readonly RecoveryRow[] = [
  {
    name: "next-segment",
    when: { ending: ["complete"], isLast: [false] },
    verdict: "roll",
    reason: "segment is complete and another follows",
  },
  {
    name: "full-end",
    when: { ending: ["complete"], isLast: [true], isBelowWatermark: [false] },
    verdict: "end",
    reason: "log ends with a complete segment",
  },
  {
    name: "missing-segments",
    when: { ending: ["complete"], isLast: [true], isBelowWatermark: [true] },
    verdict: "refuse",
    reason: "segments that were durable are missing",
  },
  {
    name: "damage-below-watermark",
    when: { ending: ["empty", "damaged"], isBelowWatermark: [true] },
    verdict: "refuse",
    reason: "bytes that were durable are damaged",
  },
  {
    name: "clean-end",
    when: { ending: ["empty"], isBelowWatermark: [false], hasDataBehind: [false] },
    verdict: "end",
    reason: "nothing but zeros follows",
  },
  {
    name: "torn-tail",
    when: { ending: ["damaged"], isBelowWatermark: [false], hasDataBehind: [false] },
    verdict: "cut",
    reason: "record was being written when the store stopped",
  },
  {
    name: "hole-after-clean-exit",
    when: { ending: ["empty", "damaged"], isBelowWatermark: [false], hasDataBehind: [true], lastExitOk: [true] },
    verdict: "refuse",
    reason: "store was closed cleanly, yet bytes in the middle of the log are damaged",
  },
  {
    name: "unflushed-segment",
    when: { ending: ["empty", "damaged"], isBelowWatermark: [false], hasDataBehind: [true], lastExitOk: [false], isOld: [false] },
    verdict: "cut",
    reason: "segment was not on the disk yet when the machine stopped, a later one was",
  },
  {
    name: "old-damage",
    when: { ending: ["empty", "damaged"], isBelowWatermark: [false], hasDataBehind: [true], lastExitOk: [false], isOld: [true] },
    verdict: "refuse",
    reason: "bytes far before the end of the log are damaged",
  },
  {
    name: "forbidden-topic",
    when: { ending: ["forbidden"] },
    verdict: "refuse",
    reason: "intact record has a topic that is no legal directory name",
  },
];

/** @forTests */
export function matchesRow(row: RecoveryRow, finding: RecoveryFinding): boolean {
  return Object.entries(row.when).every(([condition, values]) => {
    const value = finding[condition as keyof RecoveryFinding];
    return (values as readonly unknown[]).includes(value);
  });
}

export function decideRecovery(finding: RecoveryFinding): RecoveryRow {
  const row = RECOVERY_TABLE.find((candidate) => matchesRow(candidate, finding));
  if (row === undefined) throw new RangeError(`no row of the recovery table for finding=${JSON.stringify(finding)}`);
  return row;
}
