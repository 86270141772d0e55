import type { Machine } from "../load-generator/machine.js";
import { figureLines, judge } from "./figures/figures.js";
import { type JudgedFigure, judgeFigures } from "./figures/figures-to-reach.js";
import type { Goal } from "./figures/goal.js";
import type { Results } from "./figures/results.js";
import { type Row, table } from "./figures/table.js";

/** What a report says of how it came about. */
export interface Run {
  readonly machine: Machine;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Whether the figures to reach were asked for: then the table has all of its lines. */
  readonly figures: boolean;
  /** Versions by name. */
  readonly peers: Readonly<Record<string, string>>;
}

/** The whole report in Markdown; its tables read as well on a terminal. */
export function formatReport(results: Results, run: Run): string {
  const reach = reachLines(results, run);
  return [
    "# Millrace bench",
    "",
    ...(run.figures ? [] : runLines(run)),
    ...reach,
    ...limitLines(results),
    ...figureLines(results),
  ].join("\n");
}

function runLines({ machine, rounds, seconds, warmUpSeconds, peers }: Run): string[] {
  const versions = Object.entries(peers).map(([name, version]) => `${name} ${version}`);
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${machine.kernel}; ${machine.fileSystem}; Node ${machine.node}.`,
    `${machine.date}, commit ${machine.commit}; load average before ${machine.loadAverage.toFixed(2)}.`,
    `Medians of ${rounds} interleaved rounds of ${seconds} s after ${warmUpSeconds} s of warm-up,`,
    "± half of the distance between the least and the most.",
    `Peers: ${versions.join(", ")}.`,
    "",
  ];
}

/** As docs/measured.md has it, one section a machine, and the README its shorter table. Empty when nothing of it was measured. */
function reachLines(results: Results, run: Run): string[] {
  const { machine, figures } = run;
  const judged = judgeFigures(results, machine.cores).filter(({ measured }) => figures || measured !== "-");
  if (judged.length === 0) return [];
  const head = ["workload", "measured", "to reach", "", "of"];
  const row = ({ name, measured, wanted, reached, detail }: JudgedFigure): Row => [
    name,
    measured,
    wanted,
    verdict(reached),
    detail,
  ];
  const short = judged.filter(({ isInReadme }) => isInReadme).map(({ name, measured, detail }): Row => [name, measured, detail]);
  return [
    `## Figures to reach, ${machine.cores} cores`,
    "",
    ...(figures ? runLines(run) : []),
    ...table(head, judged.map(row)),
    "",
    ...(figures ? ["In short, for the README:", "", ...table([`${machine.cores} cores`, "", ""], short), ""] : []),
  ];
}

/** What is wanted beside the figures to reach, of what was measured. */
function limitLines(results: Results): string[] {
  const measured = judge(results).filter(({ reached }) => reached !== undefined);
  const row = (goal: Goal): Row => [goal.name, goal.measured, goal.wanted, verdict(goal.reached)];
  return measured.length === 0 ? [] : ["## Limits", "", ...table(["workload", "measured", "wanted", ""], measured.map(row)), ""];
}

function verdict(reached: boolean | undefined): string {
  return reached === undefined ? "-" : reached ? "pass" : "FAIL";
}
