import { median, type Results } from "./results.js";
import { formatRate, formatUs, type Row, table } from "./table.js";
import { type ContestantName, isJavaContestant, JAVA_CONTESTANTS, MILLRACE_CONTESTANTS } from "./workload.js";

const MIB = 1024 * 1024;
const COLUMNS: readonly ContestantName[] = [...MILLRACE_CONTESTANTS, ...JAVA_CONTESTANTS];
const ACKNOWLEDGED = { disk: "SYNC_FLUSH", "page-cache": "ASYNC_FLUSH" } as const;

/** Millrace beside RocketMQ's own store, all of the same rounds. */
export function javaStoreLines(results: Results): string[] {
  const cells = [...results.cells.values()];
  const javaCells = cells.filter(({ cell }) => isJavaContestant(cell.contestant));
  const workloads = new Map(
    javaCells.map(({ cell }) => [`${cell.durability}/${cell.messageSize}/${cell.inFlight}`, cell] as const),
  );
  if (workloads.size === 0) return [];
  const rows = [...workloads.values()].map(({ durability, messageSize, inFlight }): Row => {
    const figure = (contestant: ContestantName, key: "msgPerSec" | "p50Us" | "p99Us"): number | undefined =>
      results.figure(contestant, durability, messageSize, inFlight, key);
    const figures = COLUMNS.map((contestant) => {
      const rate = figure(contestant, "msgPerSec");
      const latency = `${formatUs(figure(contestant, "p50Us"))} / ${formatUs(figure(contestant, "p99Us"))}`;
      return rate === undefined ? "-" : `${formatRate(rate)} (${latency})`;
    });
    const fastest = (names: readonly ContestantName[]): number => Math.max(...names.map((name) => figure(name, "msgPerSec") ?? 0));
    const millrace = fastest(MILLRACE_CONTESTANTS);
    const ratio = millrace === 0 ? "-" : `${(millrace / fastest(JAVA_CONTESTANTS)).toFixed(2)} x`;
    return [`${ACKNOWLEDGED[durability]}, ${messageSize} B, ${inFlight}`, ...figures, ratio];
  });
  const head = ["acknowledged, body, in flight", ...COLUMNS, "best against best"];
  return ["## Java store: messages/s (p50 / p99)", "", ...table(head, rows), "", ...noteLines(results), ""];
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
