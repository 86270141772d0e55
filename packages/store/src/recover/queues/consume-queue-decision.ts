/** What is known about one queue: its ConsumeQueue held against the log. */
export interface QueueFinding {
  /** Whether the log has records of the queue; `deleted`: none, and what the files hold belongs to a topic that was deleted. */
  readonly log: "records" | "none" | "deleted";
  /**
   * The unit of the log's first record: it is there and right; it is `missing` (no directory, first files gone, units before it damaged); or another
   * unit stands in its place. `good` when the log has no records.
   */
  readonly front: "good" | "missing" | "wrong";
  /** Good units reach to the log's last record. True when the log has no records. */
  readonly reachesEnd: boolean;
  /** Nothing but zeros follows the good units, and no further file. */
  readonly isTailClean: boolean;
}

/**
 * `keep`: nothing to do; `dispatch`: what follows the good units is dispatched again; `cut`: what follows them is zeroed or removed; `cutAndDispatch`: both;
 * `rebuild`: all files are removed, and the queue is dispatched from the log's first record; `remove`: all files are removed. No verdict touches the log.
 */
export type QueueVerdict = "keep" | "dispatch" | "cut" | "cutAndDispatch" | "rebuild" | "remove";

export interface QueueRow {
  readonly name: string;
  readonly when: { readonly [Condition in keyof QueueFinding]?: readonly QueueFinding[Condition][] };
  readonly verdict: QueueVerdict;
  readonly reason: string;
}

/** Every finding matches exactly one row. A condition that a row does not name does not matter to it. */
export const QUEUE_TABLE: readonly QueueRow[] = [
  {
    name: "intact",
    when: { log: ["records"], front: ["good"], reachesEnd: [true], isTailClean: [true] },
    verdict: "keep",
    reason: "every record of the log has its unit",
  },
  {
    name: "ahead",
    when: { log: ["records"], front: ["good"], reachesEnd: [true], isTailClean: [false] },
    verdict: "cut",
    reason: "units follow whose records were cut off the log",
  },
  {
    name: "behind",
    when: { log: ["records"], front: ["good"], reachesEnd: [false], isTailClean: [true] },
    verdict: "dispatch",
    reason: "store stopped before the last records were dispatched durably",
  },
  {
    name: "damaged",
    when: { log: ["records"], front: ["good"], reachesEnd: [false], isTailClean: [false] },
    verdict: "cutAndDispatch",
    reason: "unit in the middle is bad",
  },
  {
    name: "missing",
    when: { log: ["records"], front: ["missing"] },
    verdict: "rebuild",
    reason: "units of the log's first records are gone",
  },
  {
    name: "misplaced",
    when: { log: ["records"], front: ["wrong"] },
    verdict: "rebuild",
    reason: "units do not stand where their records' queue offsets say",
  },
  {
    name: "expired",
    when: { log: ["none"], isTailClean: [true] },
    verdict: "keep",
    reason: "log has none of the records any more",
  },
  {
    name: "lost",
    when: { log: ["none"], isTailClean: [false] },
    verdict: "cut",
    reason: "units point to what the log does not have",
  },
  {
    name: "deleted",
    when: { log: ["deleted"] },
    verdict: "remove",
    reason: "topic was deleted",
  },
];

export function matchesQueueRow(row: QueueRow, finding: QueueFinding): boolean {
  return Object.entries(row.when).every(([condition, values]) => {
    const value = finding[condition as keyof QueueFinding];
    return (values as readonly unknown[]).includes(value);
  });
}

export function decideQueue(finding: QueueFinding): QueueRow {
  const row = QUEUE_TABLE.find((candidate) => matchesQueueRow(candidate, finding));
  if (row === undefined) throw new RangeError(`no row of the queue table for finding=${JSON.stringify(finding)}`);
  return row;
}
