import { DecisionTable, type FactTable } from "../scan/decision-table.js";
import type { LogRow } from "../scan/recovery-row.js";

const FACTS = {
  ending: {
    values: ["complete", "empty", "damaged", "forbidden"],
    meaning:
      "How the good records of a segment end: `complete`, by a blank record or the segment's end; `empty`, nothing but zeros follows; " +
      "`damaged`, something else follows; `forbidden`, an intact record follows whose topic must never become a directory.",
  },
  isLast: { values: [true, false], meaning: "No segment follows." },
  isBelowWatermark: {
    values: [true, false],
    meaning: "The place is before the flushed watermark: bytes that were durable are not good any more.",
  },
  hasDataBehind: { values: [true, false], meaning: "A later segment holds something other than zeros." },
  lastExitOk: { values: [true, false], meaning: "There was no abort file: the store was closed cleanly." },
  isOld: {
    values: [true, false],
    meaning:
      "There is no watermark, and the place is not in the last few segments with data: the system has long written it to the disk.",
  },
} as const satisfies FactTable;

export type LogVerdict = "roll" | "end" | "cut" | "refuse";

/** Where the commit log ends. Looked up for each segment in order, as long as the log goes on. */
export const LOG_TABLE: DecisionTable<typeof FACTS, LogVerdict, LogRow> = new DecisionTable({
  facts: FACTS,
  verdicts: {
    roll: "The log goes on in the next segment.",
    end: "The log ends here.",
    cut: "The log ends here, and what follows is zeroed or removed.",
    refuse: "The store is not opened and nothing is changed.",
  },
  rows: {
    "next-segment": {
      when: { ending: ["complete"], isLast: [false] },
      verdict: "roll",
      reason: "segment is complete and another follows",
    },
    "full-end": {
      when: { ending: ["complete"], isLast: [true], isBelowWatermark: [false] },
      verdict: "end",
      reason: "log ends with a complete segment",
    },
    "missing-segments": {
      when: { ending: ["complete"], isLast: [true], isBelowWatermark: [true] },
      verdict: "refuse",
      reason: "segments that were durable are missing",
    },
    "damage-below-watermark": {
      when: { ending: ["empty", "damaged"], isBelowWatermark: [true] },
      verdict: "refuse",
      reason: "bytes that were durable are damaged",
    },
    "clean-end": {
      when: { ending: ["empty"], isBelowWatermark: [false], hasDataBehind: [false] },
      verdict: "end",
      reason: "nothing but zeros follows",
    },
    "torn-tail": {
      when: { ending: ["damaged"], isBelowWatermark: [false], hasDataBehind: [false] },
      verdict: "cut",
      reason: "record was being written when the store stopped",
    },
    "hole-after-clean-exit": {
      when: { ending: ["empty", "damaged"], isBelowWatermark: [false], hasDataBehind: [true], lastExitOk: [true] },
      verdict: "refuse",
      reason: "store was closed cleanly, yet bytes in the middle of the log are damaged",
    },
    "unflushed-segment": {
      when: { ending: ["empty", "damaged"], isBelowWatermark: [false], hasDataBehind: [true], lastExitOk: [false], isOld: [false] },
      verdict: "cut",
      reason: "segment was not on the disk yet when the machine stopped, a later one was",
    },
    "old-damage": {
      when: { ending: ["empty", "damaged"], isBelowWatermark: [false], hasDataBehind: [true], lastExitOk: [false], isOld: [true] },
      verdict: "refuse",
      reason: "bytes far before the end of the log are damaged",
    },
    "forbidden-topic": {
      when: { ending: ["forbidden"] },
      verdict: "refuse",
      reason: "intact record has a topic that is no legal directory name",
    },
  },
});
