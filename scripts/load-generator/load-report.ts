import { writeFileSync } from "node:fs";
import { type LoadSeries, loadCharts } from "./load-charts.js";
import { formatCount, formatUs, isGood, type LoadSummary } from "./load-summary.js";
import type { Machine } from "./machine.js";
import { jsonBeside, type ReportTable, readEarlierReport, writeReportPage } from "./report-page.js";

/** All that a report shows; beside it, as JSON, for `--compare`. */
export interface LoadReport extends LoadSeries {
  readonly version: 1;
  readonly machine: Machine;
  readonly summary: LoadSummary;
}

/** Writes `out.html`, one file that needs no other, and `out.json` beside it. @param compare an earlier JSON */
export function writeLoadReport(path: string, report: LoadReport, compare: string | undefined): void {
  const earlier = compare === undefined ? undefined : readLoadReport(compare);
  writeFileSync(jsonBeside(path), `${JSON.stringify(report)}\n`);
  writeReportPage(path, {
    title: "Millrace under load",
    verdict: verdictOf(report.summary),
    isGood: isGood(report.summary),
    tables: [summaryTable(earlier === undefined ? [report] : [report, earlier])],
    charts: loadCharts(report, earlier),
    earlierDate: earlier?.machine.date,
    texts: [["Options", JSON.stringify(report.summary.options, null, 2)]],
  });
}

/** @throws UsageError */
export function readLoadReport(path: string): LoadReport {
  return readEarlierReport<LoadReport>(
    path,
    ({ version, samples, percentiles }) => version === 1 && Array.isArray(samples) && Array.isArray(percentiles),
  );
}

function verdictOf(summary: LoadSummary): string {
  const { verified, lost, unexpected, failed, problems } = summary;
  if (isGood(summary)) return `Every acknowledged message is there: ${formatCount(verified)} were verified after re-opening.`;
  return [`FAILED: verified ${verified}, lost ${lost}, unexpected ${unexpected}, refused ${failed}.`, ...problems].join(" ");
}

function summaryTable(runs: readonly LoadReport[]): ReportTable {
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
  return { rows: rows.map(([name, text]) => [name, ...runs.map(text)]) };
}
