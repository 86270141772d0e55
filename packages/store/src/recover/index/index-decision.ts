import { DecisionTable, type FactsOf, type FactTable } from "../scan/decision-table.js";
import type { IndexRow } from "../scan/recovery-row.js";

const FACTS = {
  mark: {
    values: ["whole", "behind", "lost", "none"],
    meaning:
      "What the dispatched mark says: `whole`, the store was closed cleanly, and the index ends where the mark says; `behind`, the file " +
      "that the mark names is there and reaches as far as it says, or the mark names none, but there may be more; `lost`, that file is " +
      "missing, its header is impossible, or it does not reach as far as the mark says; `none`, there is no mark that can be " +
      "read: only RocketMQ has written the directory.",
  },
  lastExitOk: { values: [true, false], meaning: "There was no abort file: the store was closed cleanly." },
  end: {
    values: ["beyond", "before", "record", "elsewhere", "none"],
    meaning:
      "Without a mark: where the newest file says that its last record begins, after a crash the one before the newest. `beyond` the end " +
      "of the log; `before` its first byte, or the file has no keys; at a `record` of the log; `elsewhere`; `none`, there is no such " +
      "file, or its header is impossible.",
  },
  isSound: {
    values: [true, false],
    meaning:
      "Nothing is known against the files that stay. False when, after a verdict was carried out, one of them has an impossible header, " +
      "or the file that the mark names has lost keys from its end.",
  },
} as const satisfies FactTable;

/** What is known about the index files: held against the dispatched mark or, without one, against the log. */
export type IndexFacts = FactsOf<typeof FACTS>;

export type IndexVerdict = "keep" | "cut" | "removeNewest" | "rebuild";

/** What becomes of the index. Looked up once for all of its files, and again when those that stay turn out not to be sound. */
export const INDEX_TABLE: DecisionTable<typeof FACTS, IndexVerdict, IndexRow> = new DecisionTable({
  facts: FACTS,
  verdicts: {
    keep: "The files stay as they are.",
    cut: "Keys of records from an offset on go, and files that hold no others; the slots of the last file that stays are built again.",
    removeNewest: "The newest file is removed; the others are cut before the last record that they have.",
    rebuild: "All files are removed, and the index is built from the log's first record.",
  },
  rows: {
    "as-marked": {
      when: { mark: ["whole"], isSound: [true] },
      verdict: "keep",
      reason: "index is as the mark of the clean end says",
    },
    "past-mark": {
      when: { mark: ["behind"], isSound: [true] },
      verdict: "cut",
      reason: "the mark vouches for no key of a record behind it",
    },
    "marked-file-lost": {
      when: { mark: ["lost"], isSound: [true] },
      verdict: "rebuild",
      reason: "index file that was durable is missing, or has lost keys",
    },
    "no-index": {
      when: { mark: ["none"], end: ["none"], isSound: [true] },
      verdict: "rebuild",
      reason: "there is no index file whose header says how far the index reaches",
    },
    "other-log": {
      when: { mark: ["none"], end: ["elsewhere"], isSound: [true] },
      verdict: "rebuild",
      reason: "index ends where no record of the log begins",
    },
    "index-ahead": {
      when: { mark: ["none"], lastExitOk: [true], end: ["beyond"], isSound: [true] },
      verdict: "cut",
      reason: "index has keys of records that the log does not have",
    },
    "index-expired": {
      when: { mark: ["none"], lastExitOk: [true], end: ["before"], isSound: [true] },
      verdict: "keep",
      reason: "index has no key of any record that the log has",
    },
    "index-unproven": {
      when: { mark: ["none"], lastExitOk: [true], end: ["record"], isSound: [true] },
      verdict: "cut",
      reason: "index ends with a record of the log, yet nothing vouches for the slots and items before it",
    },
    "newest-unproven": {
      when: { mark: ["none"], lastExitOk: [false], end: ["beyond", "before", "record"], isSound: [true] },
      verdict: "removeNewest",
      reason: "nothing says what of the newest index file had reached the disk when the machine stopped",
    },
    "unsound-index": {
      when: { isSound: [false] },
      verdict: "rebuild",
      reason: "index file that was to stay is damaged",
    },
  },
});
