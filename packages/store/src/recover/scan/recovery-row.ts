/** A row of one of recovery's three decision tables, by name; `docs/recovery.md` explains each. No two tables share a name. */
export type RecoveryRow = LogRow | QueueRow | IndexRow;

/** What was decided about the end of a segment of the commit log. */
export type LogRow =
  | "next-segment"
  | "full-end"
  | "missing-segments"
  | "damage-below-watermark"
  | "clean-end"
  | "torn-tail"
  | "hole-after-clean-exit"
  | "unflushed-segment"
  | "old-damage"
  | "forbidden-topic";

/** What was decided about a ConsumeQueue. */
export type QueueRow =
  | "intact"
  | "ahead"
  | "behind"
  | "damaged"
  | "missing"
  | "misplaced"
  | "expired"
  | "lost"
  | "scarred"
  | "deleted";

/** What was decided about the index. */
export type IndexRow =
  | "as-marked"
  | "past-mark"
  | "marked-file-lost"
  | "no-index"
  | "other-log"
  | "index-ahead"
  | "index-expired"
  | "index-unproven"
  | "newest-unproven"
  | "unsound-index";
