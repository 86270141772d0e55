import { readFileSync, writeFileSync } from "node:fs";
import { UsageError } from "@millrace/cli/usage-error";
import type { LoadSample } from "./load-sampler.js";
import { formatCount, formatUs, isGood, type LoadSummary } from "./load-summary.js";
import type { Machine } from "./machine.js";
import { type Chart, chartSvg, escapeText, type Line } from "./report-chart.js";

/** All that a report shows; beside it, as JSON, for `--compare`. */
export interface LoadReport {
  readonly version: 1;
  readonly machine: Machine;
  readonly summary: LoadSummary;
  readonly samples: readonly LoadSample[];
  /** Share of the puts, 0 to 1, and what they took at most, in microseconds. */
  readonly percentiles: readonly (readonly [share: number, us: number])[];
}

/** Writes `out.html`, one file that needs no other, and `out.json` beside it. @param compare an earlier JSON */
export function writeLoadReport(path: string, report: LoadReport, compare: string | undefined): void {
  const earlier = compare === undefined ? undefined : readLoadReport(compare);
  writeFileSync(path.replace(/(\.html)?$/, ".json"), `${JSON.stringify(report)}\n`);
  writeFileSync(path, reportPage(report, earlier));
}

/** @throws UsageError */
export function readLoadReport(path: string): LoadReport {
  try {
    const report = JSON.parse(readFileSync(path, "utf8")) as LoadReport;
    if (report.version === 1 && Array.isArray(report.samples) && Array.isArray(report.percentiles)) return report;
  } catch (error) {
    throw new UsageError(`no report can be read there: --compare=${path} reason=${(error as Error).message}`);
  }
  throw new UsageError(`this is no JSON of a report: --compare=${path}`);
}

/** The page: tables and plots, without a script; the earlier run dashed, over the other. */
function reportPage(report: LoadReport, earlier: LoadReport | undefined): string {
  const runs = earlier === undefined ? [report] : [report, earlier];
  const charts = chartsOf(report, earlier).map((chart) => `<figure>${chartSvg(chart)}</figure>`);
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<title>Millrace under load</title><style>${STYLE}</style></head><body><h1>Millrace under load</h1>`,
    `<p class="${isGood(report.summary) ? "good" : "bad"}">${verdictOf(report.summary)}</p>`,
    summaryTable(runs),
    `<div class="charts">${charts.join("\n")}</div>`,
    earlier === undefined ? "" : `<p>Dashed: the earlier run, of ${escapeText(earlier.machine.date)}.</p>`,
    `<h2>Options</h2><pre>${escapeText(JSON.stringify(report.summary.options, null, 2))}</pre></body></html>\n`,
  ].join("\n");
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#c9d1d9;--a:#0072b2;--b:#b35c00;--c:#00734f}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa7b4;--line:#3b4550;--a:#56b4e9;--b:#f0a63c;--c:#3fc79a}}
body{font:15px/1.45 system-ui,sans-serif;margin:1rem auto;max-width:80rem;padding:0 1rem}
table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:left;border-bottom:1px solid var(--line)}
td{font-variant-numeric:tabular-nums}.bad{border:3px double var(--b);padding:.5rem}.good{color:var(--c)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1rem}
figure{margin:0}svg{width:100%;height:auto}text{fill:var(--soft);font:11px system-ui,sans-serif}.title{fill:var(--ink);font-weight:600}
.grid{stroke:var(--line)}path{fill:none;stroke-width:1.5}.a{stroke:var(--a)}.b{stroke:var(--b)}.c{stroke:var(--c)}
.earlier{stroke-dasharray:5 3;opacity:.75}pre{overflow:auto}`;

function verdictOf(summary: LoadSummary): string {
  const { verified, lost, failed, problems } = summary;
  if (isGood(summary)) return `Every acknowledged message is there: ${formatCount(verified)} were verified after re-opening.`;
  return escapeText([`FAILED: verified ${verified}, lost ${lost}, refused ${failed}.`, ...problems].join(" "));
}

function summaryTable(runs: readonly LoadReport[]): string {
  const rows: readonly (readonly [string, (run: LoadReport) => string])[] = [
    ["when", ({ machine }) => machine.date],
    [
      "machine",
      ({ machine }) => `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.kernel}, ${machine.fileSystem}`,
    ],
    ["Node, commit", ({ machine }) => `${machine.node}, ${machine.commit}`],
    ["messages a second", ({ summary }) => formatCount(summary.msgPerSec)],
    ["MB of bodies a second", ({ summary }) => summary.mbPerSec.toFixed(1)],
    ["sent, acknowledged, refused", ({ summary }) => [summary.messages, summary.acked, summary.failed].map(formatCount).join(", ")],
    ["p50, p99, p99.9, max", ({ summary: { latencyUs: l } }) => [l.p50, l.p99, l.p999, l.max].map(formatUs).join(", ")],
    [
      "end to end p50, p99",
      ({ summary: { e2eLatencyUs: l } }) => (l === undefined ? "–" : [l.p50, l.p99].map(formatUs).join(", ")),
    ],
    ["forces, rolls", ({ summary }) => `${formatCount(summary.forces)}, ${formatCount(summary.rolls)}`],
    ["re-opened, verified in", ({ summary }) => `${summary.recoverySeconds.toFixed(2)} s, ${summary.verifySeconds.toFixed(2)} s`],
    ["garbage collection", ({ samples }) => `${samples.reduce((sum, { gcMs }) => sum + gcMs, 0).toFixed(0)} ms`],
  ];
  const cells = rows.map(
    ([name, text]) => `<tr><th scope="row">${name}</th>${runs.map((run) => `<td>${escapeText(text(run))}</td>`).join("")}</tr>`,
  );
  return `<table>${cells.join("\n")}</table>`;
}

function chartsOf(report: LoadReport, earlier: LoadReport | undefined): Chart[] {
  const over = (label: string, color: Line["color"], value: (sample: LoadSample) => number): Line[] =>
    linesOf(report, earlier, label, color, ({ samples }) => samples.map((sample) => [sample.seconds, value(sample)] as const));
  const time = { x: "seconds" as const, xText: (x: number) => `${x < 10 ? x.toFixed(1) : x.toFixed(0)} s` };
  return [
    { ...time, title: "messages a second", yText: formatCount, lines: over("acknowledged", "a", ({ rate }) => rate) },
    {
      ...time,
      title: "latency over time",
      yText: formatUs,
      lines: [...over("p50", "a", ({ p50Us }) => p50Us), ...over("p99", "b", ({ p99Us }) => p99Us)],
    },
    {
      title: "latency by percentile",
      x: "nines",
      xText: (x) => `${Number((100 * (1 - 10 ** -x)).toFixed(5))} %`,
      yText: formatUs,
      lines: linesOf(report, earlier, "put to acknowledgement", "a", ({ percentiles }) =>
        percentiles.map(([share, us]) => [-Math.log10(1 - share), us] as const),
      ),
    },
    { ...time, title: "ring full", yText: (y) => `${(100 * y).toFixed(0)} %`, lines: over("ring", "a", ({ ring }) => ring) },
    { ...time, title: "forces a second", yText: formatCount, lines: over("forces", "a", ({ forces }) => forces) },
    { ...time, title: "consumers behind, messages", yText: formatCount, lines: over("lag", "a", ({ lag }) => lag) },
    {
      ...time,
      title: "the event loop and garbage collection, ms",
      yText: (y) => y.toFixed(1),
      lines: [...over("longest turn", "a", ({ loopDelayMs }) => loopDelayMs), ...over("collecting", "b", ({ gcMs }) => gcMs)],
    },
  ];
}

function linesOf(
  report: LoadReport,
  earlier: LoadReport | undefined,
  label: string,
  color: Line["color"],
  points: (run: LoadReport) => Line["points"],
): Line[] {
  const line = { label, color, isEarlier: false, points: points(report) };
  return earlier === undefined ? [line] : [line, { label: `${label}, earlier`, color, isEarlier: true, points: points(earlier) }];
}
