import { DecisionTable, type FactsOf, type FactTable } from "../scan/decision-table.js";
import type { QueueRow } from "../scan/recovery-row.js";

const FACTS = {
  log: {
    values: ["records", "none", "deleted"],
    meaning:
      "Whether the log has `records` of the queue, or `none`; `deleted`: none, and what the files hold belongs to a topic that was " +
      "deleted.",
  },
  front: {
    values: ["good", "missing", "wrong"],
    meaning:
      "The unit of the log's first record: it is there and right, `good`; it is `missing` (no directory, first files gone, units before " +
      "it damaged); or another unit stands in its place, `wrong`. `good` when the log has no records.",
  },
  reachesEnd: {
    values: [true, false],
    meaning: "Good units reach to the log's last record. True when the log has no records.",
  },
  isWhole: {
    values: [true, false],
    meaning:
      "No damaged unit lies before one of a record that the log has no more, nor zeros where units were noted. " +
      "True when the log has records: then `front` and " +
      "`reachesEnd` say it.",
  },
  isTailClean: { values: [true, false], meaning: "Nothing but zeros follows the good units, and no further file." },
} as const satisfies FactTable;

/** What is known about one queue: its ConsumeQueue held against the log. */
export type QueueFacts = FactsOf<typeof FACTS>;

export type QueueVerdict = "keep" | "dispatch" | "cut" | "cutAndDispatch" | "fill" | "rebuild" | "remove";

/** What becomes of a ConsumeQueue. Looked up for each queue that has files, or records in the log. No verdict touches the log. */
export const QUEUE_TABLE: DecisionTable<typeof FACTS, QueueVerdict, QueueRow> = new DecisionTable({
  facts: FACTS,
  verdicts: {
    keep: "There is nothing to do.",
    dispatch: "What follows the good units is dispatched again.",
    cut: "What follows the good units is zeroed or removed.",
    cutAndDispatch: "What follows the good units is zeroed or removed, and dispatched again.",
    fill: "Damaged units become such as lead nowhere; what follows the good ones is zeroed or removed.",
    rebuild: "All files are removed, and the queue is dispatched from the log's first record.",
    remove: "All files are removed.",
  },
  rows: {
    intact: {
      when: { log: ["records"], front: ["good"], reachesEnd: [true], isTailClean: [true] },
      verdict: "keep",
      reason: "every record of the log has its unit",
    },
    ahead: {
      when: { log: ["records"], front: ["good"], reachesEnd: [true], isTailClean: [false] },
      verdict: "cut",
      reason: "units follow whose records were cut off the log",
    },
    behind: {
      when: { log: ["records"], front: ["good"], reachesEnd: [false], isTailClean: [true] },
      verdict: "dispatch",
      reason: "store stopped before the last records were dispatched durably",
    },
    damaged: {
      when: { log: ["records"], front: ["good"], reachesEnd: [false], isTailClean: [false] },
      verdict: "cutAndDispatch",
      reason: "unit in the middle is bad",
    },
    missing: {
      when: { log: ["records"], front: ["missing"] },
      verdict: "rebuild",
      reason: "units of the log's first records are gone",
    },
    misplaced: {
      when: { log: ["records"], front: ["wrong"] },
      verdict: "rebuild",
      reason: "units do not stand where their records' queue offsets say",
    },
    expired: {
      when: { log: ["none"], isWhole: [true], isTailClean: [true] },
      verdict: "keep",
      reason: "log has none of the records any more",
    },
    lost: {
      when: { log: ["none"], isWhole: [true], isTailClean: [false] },
      verdict: "cut",
      reason: "units point to what the log does not have",
    },
    scarred: {
      when: { log: ["none"], isWhole: [false] },
      verdict: "fill",
      reason: "units are bad whose records the log has no more",
    },
    deleted: {
      when: { log: ["deleted"] },
      verdict: "remove",
      reason: "topic was deleted",
    },
  },
});
