import { INDEX_TABLE } from "./index/index-decision.js";
import type { LogReport } from "./log/log-report.js";
import { LOG_TABLE } from "./log/recovery-decision.js";
import { QUEUE_TABLE } from "./queues/consume-queue-decision.js";
import type { DispatchReport, RecoveryReport } from "./recovery-report.js";
import type { QueueRow } from "./scan/recovery-row.js";

/** The reasons of all rows that the reports name: those of the log, of the queues and of the index. */
export function recoveryReasons(log: LogReport, dispatch: DispatchReport): RecoveryReport["reasons"] {
  const queueRows = Object.keys(dispatch.rows) as QueueRow[];
  const indexRows = dispatch.indexRow === undefined ? [] : [dispatch.indexRow];
  return Object.fromEntries([
    ...log.rows.map((row) => [row, LOG_TABLE.rows[row].reason]),
    ...queueRows.map((row) => [row, QUEUE_TABLE.rows[row].reason]),
    ...indexRows.map((row) => [row, INDEX_TABLE.rows[row].reason]),
  ]);
}
