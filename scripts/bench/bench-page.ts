import type { Machine } from "../load-generator/machine.js";
import type { Chart, Line } from "../load-generator/report-chart.js";
import { linesOf, nineText, type ReportTable, readEarlierReport, writeReportPage } from "../load-generator/report-page.js";
import { type ContestantName, type Measurement, MILLRACE_CONTESTANTS } from "./contestants/workload.js";
import type { BenchOptions } from "./figures/bench-options.js";
import { judge } from "./figures/figures.js";
import { judgeFigures } from "./figures/figures-to-reach.js";
import { type Cell, cellName, median, type Results } from "./figures/results.js";
import { formatRate, formatUs } from "./figures/table.js";

/** What the bench writes as JSON, and `--compare` reads. */
export interface BenchRecord {
  readonly version: 1;
  readonly machine: Machine;
  readonly peers: Readonly<Record<string, string>>;
  readonly options: BenchOptions;
  readonly results: { readonly cells: readonly MeasuredCell[] };
}

type MeasuredCell = Cell & { readonly rounds: readonly Measurement[] };

const COLORS: Readonly<Partial<Record<ContestantName, Line["color"]>>> = { "store-mapped": "a", "store-channel": "b" };

/** @throws UsageError */
export function readBenchRecord(path: string): BenchRecord {
  return readEarlierReport<BenchRecord>(path, ({ version, results }) => version === 1 && Array.isArray(results?.cells));
}

/** One file that needs no other. @param markdown the report as it is printed */
export function writeBenchPage(path: string, markdown: string, results: Results, record: BenchRecord, earlier?: BenchRecord): void {
  const missed = missedGoals(results, record.machine.cores);
  writeReportPage(path, {
    title: "Millrace bench",
    verdict: missed.length === 0 ? "What was measured reaches what is to be reached." : `NOT REACHED: ${missed.join("; ")}.`,
    isGood: missed.length === 0,
    tables: [runTable(earlier === undefined ? [record] : [record, earlier]), cellTable(record, earlier)],
    charts: chartsOf(record, earlier),
    earlierDate: earlier?.machine.date,
    texts: [
      ["All figures", markdown],
      ["Options", JSON.stringify(record.options, null, 2)],
    ],
  });
}

function missedGoals(results: Results, cores: number): string[] {
  return [...judgeFigures(results, cores), ...judge(results)].flatMap(({ name, measured, wanted, reached }) =>
    reached === false ? [`${name} ${measured} (${wanted})`] : [],
  );
}

function runTable(runs: readonly BenchRecord[]): ReportTable {
  const rows: readonly (readonly [string, (run: BenchRecord) => string])[] = [
    ["when", ({ machine }) => machine.date],
    [
      "machine",
      ({ machine }) => `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.kernel}, ${machine.fileSystem}`,
    ],
    ["load average before", ({ machine }) => machine.loadAverage.toFixed(2)],
    ["Node, commit", ({ machine }) => `${machine.node}, ${machine.commit}`],
    ["rounds", ({ options }) => `${options.rounds} of ${options.seconds} s after ${options.warmUpSeconds} s of warm-up`],
    [
      "peers",
      ({ peers }) =>
        Object.entries(peers)
          .map(([name, version]) => `${name} ${version}`)
          .join(", "),
    ],
  ];
  return { rows: rows.map(([name, text]) => [name, ...runs.map(text)]) };
}

/** Medians of each workload, and of the earlier run's. */
function cellTable({ results }: BenchRecord, earlier: BenchRecord | undefined): ReportTable {
  const before = new Map((earlier?.results.cells ?? []).map((cell) => [cellName(cell), cell]));
  const head = ["durability/bytes/in flight/contestant", "messages/s", "p50", "p99", "p99.9", "CPU a message"];
  const rows = results.cells.map((cell): readonly [string, ...string[]] => {
    const old = before.get(cellName(cell));
    const rate = medianOf(cell, "msgPerSec");
    const change = old === undefined ? [] : [changeText(rate / medianOf(old, "msgPerSec")), formatUs(medianOf(old, "p99Us"))];
    const times = (["p50Us", "p99Us", "p999Us"] as const).map((key) => formatUs(medianOf(cell, key)));
    return [cellName(cell), formatRate(rate), ...times, `${(medianOf(cell, "cpuNs") / 1000).toFixed(2)} us`, ...change];
  });
  return { heading: "Puts", head: earlier === undefined ? head : [...head, "rate, to the earlier", "p99, earlier"], rows };
}

function medianOf({ rounds }: MeasuredCell, key: "msgPerSec" | "p50Us" | "p99Us" | "p999Us" | "cpuNs"): number {
  return median(rounds.map((round) => round[key]));
}

function changeText(ratio: number): string {
  return Number.isFinite(ratio) ? `${ratio >= 1 ? "+" : ""}${(100 * (ratio - 1)).toFixed(0)} %` : "-";
}

/** Of each workload that Millrace took part in: its rate round by round, and its latency by percentile. */
function chartsOf(record: BenchRecord, earlier: BenchRecord | undefined): Chart[] {
  const workloads = new Map<string, Cell>();
  for (const cell of record.results.cells) if (isMillrace(cell)) workloads.set(workloadName(cell), cell);
  return [...workloads].flatMap(([name]) => {
    const of = (points: (rounds: readonly Measurement[]) => Line["points"]): Line[] =>
      MILLRACE_CONTESTANTS.flatMap((contestant) => {
        const rounds = (run: BenchRecord): readonly Measurement[] =>
          run.results.cells.find((cell) => cell.contestant === contestant && workloadName(cell) === name)?.rounds ?? [];
        if (rounds(record).length === 0) return [];
        return linesOf(record, earlier, contestant, COLORS[contestant] ?? "c", (run) => points(rounds(run)));
      });
    return [
      {
        title: `${name} in flight: messages a second, by round`,
        x: "linear",
        xText: (x) => x.toFixed(1),
        yText: formatRate,
        lines: of((rounds) => rounds.map(({ msgPerSec }, index) => [index + 1, msgPerSec] as const)),
      },
      {
        title: `${name} in flight: latency by percentile`,
        x: "nines",
        xText: nineText,
        yText: formatUs,
        lines: of((rounds) => (rounds.length === 0 ? [] : percentilesOf(rounds))),
      },
    ];
  });
}

function percentilesOf(rounds: readonly Measurement[]): Line["points"] {
  const at = (share: number, key: "p50Us" | "p99Us" | "p999Us") =>
    [-Math.log10(1 - share), median(rounds.map((round) => round[key]))] as const;
  return [at(0.5, "p50Us"), at(0.99, "p99Us"), at(0.999, "p999Us")];
}

function isMillrace({ contestant }: Cell): boolean {
  return (MILLRACE_CONTESTANTS as readonly string[]).includes(contestant);
}

function workloadName({ durability, messageSize, inFlight }: Cell): string {
  return `${durability}/${messageSize}/${inFlight}`;
}
