import { type LoadSeries, loadCharts } from "../load-generator/load-charts.js";
import type { Machine } from "../load-generator/machine.js";
import type { Chart, Line } from "../load-generator/report-chart.js";
import { linesOf, type ReportTable, readEarlierReport, writeReportPage } from "../load-generator/report-page.js";
import { type Measurement, MILLRACE_CONTESTANTS } from "./contestants/workload.js";
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

/** @throws UsageError */
export function readBenchRecord(path: string): BenchRecord {
  return readEarlierReport<BenchRecord>(path, ({ version, results }) => version === 1 && Array.isArray(results?.cells));
}

/** One file that needs no other. @param markdown the report as it is printed */
export function writeBenchPage(path: string, markdown: string, results: Results, record: BenchRecord, earlier?: BenchRecord): void {
  const { judged, missed } = goalsOf(results, record.machine.cores);
  writeReportPage(path, {
    title: "Millrace bench",
    verdict: missed.length > 0 ? `NOT REACHED: ${missed.join("; ")}.` : `Figures to reach: ${judged} measured, ${judged} reached.`,
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

function goalsOf(results: Results, cores: number): { readonly judged: number; readonly missed: readonly string[] } {
  const judged = [...judgeFigures(results, cores), ...judge(results)].filter(({ reached }) => reached !== undefined);
  const missed = judged.filter(({ reached }) => !reached).map(({ name, measured, wanted }) => `${name} ${measured} (${wanted})`);
  return { judged: judged.length, missed };
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

/** Of each workload that Millrace took part in: its rate round by round, and what it was like meanwhile. */
function chartsOf(record: BenchRecord, earlier: BenchRecord | undefined): Chart[] {
  const cellOf = (run: BenchRecord | undefined, name: string): MeasuredCell | undefined =>
    run?.results.cells.find((cell) => cellName(cell) === name);
  return record.results.cells.filter(isMillrace).flatMap((cell) => {
    const name = cellName(cell);
    const before = cellOf(earlier, name);
    const rates = (run: BenchRecord): Line["points"] =>
      (cellOf(run, name)?.rounds ?? []).map(({ msgPerSec }, index) => [index + 1, msgPerSec] as const);
    const rounds: Chart = {
      title: `${name}: messages a second, by round`,
      x: "linear",
      xText: (x) => x.toFixed(1),
      yText: formatRate,
      lines: linesOf(record, earlier, "rate", "a", rates),
    };
    return [rounds, ...loadCharts(seriesOf(cell), before === undefined ? undefined : seriesOf(before), name)];
  });
}

/** Of all rounds, one after another; the percentiles are medians. */
function seriesOf({ rounds }: MeasuredCell): LoadSeries {
  const all = rounds.flatMap(({ series }) => series ?? []);
  let beganAt = 0;
  const samples = all.flatMap((series) => {
    const shifted = series.samples.map((sample) => ({ ...sample, seconds: beganAt + sample.seconds }));
    beganAt = shifted.at(-1)?.seconds ?? beganAt;
    return shifted;
  });
  const [first] = all;
  const percentiles = (first?.percentiles ?? []).map(
    ([share], index) => [share, median(all.map((series) => series.percentiles[index]?.[1] ?? Number.NaN))] as const,
  );
  return { samples, percentiles };
}

function isMillrace({ contestant }: Cell): boolean {
  return (MILLRACE_CONTESTANTS as readonly string[]).includes(contestant);
}
