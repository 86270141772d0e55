import { type ContestantName, isJavaContestant, JAVA_CONTESTANTS, MILLRACE_CONTESTANTS } from "../contestants/workload.js";
import type { Figure } from "./figure.js";
import { median, type Results } from "./results.js";
import { formatRate, formatUs, type Row, table } from "./table.js";

const MIB = 1024 * 1024;
const COLUMNS: readonly ContestantName[] = [...MILLRACE_CONTESTANTS, ...JAVA_CONTESTANTS];
const ACKNOWLEDGED = { disk: "SYNC_FLUSH", "page-cache": "ASYNC_FLUSH" } as const;

/** Cells of the workloads, beside each other. */
export const JAVA_STORE: Figure = {
  name: "java-store",
  meaning: "RocketMQ's store beside ours",
  heading: "Java store: messages/s (p50 / p99)",
  lines: javaStoreLines,
};

/** Millrace beside RocketMQ's own store, all of the same rounds. */
function javaStoreLines(results: Results): string[] {
  const cells = [...results.cells.values()];
  const javaCells = cells.filter(({ cell }) => isJavaContestant(cell.contestant));
  const workloads = new Map(
    javaCells.map(({ cell }) => [`${cell.durability}/${cell.messageSize}/${cell.inFlight}`, cell] as const),
  );
  if (workloads.size === 0) return [];
  const rows = [...workloads.values()].map(({ durability, messageSize, inFlight }): Row => {
    const cellMedian = (contestant: ContestantName, key: "msgPerSec" | "p50Us" | "p99Us"): number | undefined =>
      results.median(contestant, durability, messageSize, inFlight, key);
    const columns = COLUMNS.map((contestant) => {
      const rate = cellMedian(contestant, "msgPerSec");
      const latency = `${formatUs(cellMedian(contestant, "p50Us"))} / ${formatUs(cellMedian(contestant, "p99Us"))}`;
      return rate === undefined ? "-" : `${formatRate(rate)} (${latency})`;
    });
    const fastest = (names: readonly ContestantName[]): number =>
      Math.max(...names.map((name) => cellMedian(name, "msgPerSec") ?? 0));
    const millrace = fastest(MILLRACE_CONTESTANTS);
    const ratio = millrace === 0 ? "-" : `${(millrace / fastest(JAVA_CONTESTANTS)).toFixed(2)} x`;
    return [`${ACKNOWLEDGED[durability]}, ${messageSize} B, ${inFlight}`, ...columns, ratio];
  });
  const head = ["acknowledged, body, in flight", ...COLUMNS, "best against best"];
  return [...table(head, rows), "", ...noteLines(results)];
}

/** What the figures leave out: failed puts, and dispatching that was still to be done. */
function noteLines(results: Results): string[] {
  return JAVA_CONTESTANTS.flatMap((contestant) => {
    const cells = [...results.cells.entries()].filter(([, { cell }]) => cell.contestant === contestant);
    if (cells.length === 0) return [];
    const behind = Math.max(...cells.map(([, { rounds }]) => median(rounds.map((round) => round.behindBytes ?? 0))));
    const failed = cells.flatMap(([name, { rounds }]) => {
      const failures = rounds.flatMap((round) => Object.entries(round.failures ?? {}));
      return failures.length === 0 ? [] : [`${name}: ${failures.map(([status, count]) => `${count} ${status}`).join(", ")}`];
    });
    const words = failed.length === 0 ? "no put failed" : `FAILED puts, not counted above: ${failed.join("; ")}`;
    return [`- ${contestant}: ${words}; dispatch at most ${(behind / MIB).toFixed(0)} MiB behind at the end of a workload`];
  });
}
