import { figureLines, judge } from "./figures/figures.js";
import type { Results } from "./figures/results.js";
import { type Row, table } from "./figures/table.js";
import type { Machine } from "./machine.js";

/** The whole report in Markdown; its tables read as well on a terminal. */
export function formatReport(results: Results, machine: Machine, rounds: number, peers: Readonly<Record<string, string>>): string {
  return [
    "# Millrace bench",
    "",
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${machine.kernel}; ${machine.fileSystem}; ` +
      `Node ${machine.node}; ${machine.date}`,
    "",
    `Medians of ${rounds} interleaved rounds; load average before ${machine.loadAverage.toFixed(2)}. Peers: ${formatPeers(peers)}.`,
    "",
    ...goalLines(results),
    ...figureLines(results),
  ].join("\n");
}

function formatPeers(peers: Readonly<Record<string, string>>): string {
  return Object.entries(peers)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
}

function goalLines(results: Results): string[] {
  const mark = (reached: boolean | undefined): string => (reached === undefined ? "-" : reached ? "pass" : "FAIL");
  const rows = judge(results).map((goal): Row => [goal.name, goal.measured, goal.wanted, mark(goal.reached)]);
  return ["## Speed to reach", "", ...table(["workload", "measured", "at least", ""], rows), ""];
}
