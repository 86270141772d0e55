import { readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { UsageError } from "@millrace/cli/usage-error";
import { type Chart, chartSvg, escapeText, type Line } from "./report-chart.js";

/** A report as one file that needs no other, without a script. */
export interface ReportPage {
  readonly title: string;
  /** What came of it, in a sentence; not `isGood`: it stands out. */
  readonly verdict: string;
  readonly isGood: boolean;
  /** Each with its heading; the first needs none. */
  readonly tables: readonly ReportTable[];
  readonly charts: readonly Chart[];
  /** When the earlier run was, whose lines are dashed. */
  readonly earlierDate: string | undefined;
  /** Text as it is, below its heading. */
  readonly texts: readonly (readonly [heading: string, text: string])[];
}

export interface ReportTable {
  readonly heading?: string;
  readonly head?: readonly string[];
  readonly rows: readonly (readonly [name: string, ...cells: string[]])[];
}

/** Where the JSON of a page lies. */
export function jsonBeside(path: string): string {
  return path.replace(/(\.html)?$/, ".json");
}

export function writeReportPage(path: string, page: ReportPage): void {
  writeFileSync(path, pageHtml(page));
}

/**
 * The JSON of an earlier report, for `--compare`.
 *
 * @throws UsageError
 */
export function readEarlierReport<T>(path: string, isReport: (value: Partial<T>) => boolean): T {
  let value: Partial<T>;
  try {
    value = JSON.parse(readFileSync(path, "utf8")) as Partial<T>;
  } catch (error) {
    throw new UsageError(`no report can be read there: --compare=${path} reason=${(error as Error).message}`);
  }
  if (typeof value === "object" && value !== null && isReport(value)) return value as T;
  throw new UsageError(`this is no JSON of such a report: --compare=${path}`);
}

/** @throws UsageError for what makes no sense together */
export function checkReportOptions({
  report,
  compare,
}: {
  readonly report?: string | undefined;
  readonly compare?: string | undefined;
}): void {
  if (report === "") throw new UsageError("a path is needed: --report=");
  // Here, and not when hours have been measured.
  if (report !== undefined && (isDirectory(report) || !isDirectory(dirname(report))))
    throw new UsageError(`the path of a file in a directory that is there is needed: --report=${report}`);
  if (compare !== undefined && report === undefined)
    throw new UsageError(`it is laid over a report: --compare=${compare} without --report`);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** One line of a run, and the same of the earlier one, where there is one. */
export function linesOf<R>(
  report: R,
  earlier: R | undefined,
  label: string,
  color: Line["color"],
  points: (run: R) => Line["points"],
): Line[] {
  const line = { label, color, isEarlier: false, points: points(report) };
  return earlier === undefined ? [line] : [line, { label: `${label}, earlier`, color, isEarlier: true, points: points(earlier) }];
}

/** Of an axis of `nines`. */
export function nineText(x: number): string {
  return `${Number((100 * (1 - 10 ** -x)).toFixed(5))} %`;
}

function pageHtml({ title, verdict, isGood, tables, charts, earlierDate, texts }: ReportPage): string {
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<title>${escapeText(title)}</title><style>${STYLE}</style></head><body><h1>${escapeText(title)}</h1>`,
    `<p class="${isGood ? "good" : "bad"}">${escapeText(verdict)}</p>`,
    ...tables.map(tableHtml),
    `<div class="charts">${charts.map((chart) => `<figure>${chartSvg(chart)}</figure>`).join("\n")}</div>`,
    earlierDate === undefined ? "" : `<p>Dashed: the earlier run, of ${escapeText(earlierDate)}.</p>`,
    ...texts.map(([heading, text]) => `<h2>${escapeText(heading)}</h2><pre>${escapeText(text)}</pre>`),
    "</body></html>\n",
  ].join("\n");
}

function tableHtml({ heading, head, rows }: ReportTable): string {
  const cells = (name: "td" | "th", texts: readonly string[]): string =>
    texts.map((text) => `<${name}>${escapeText(text)}</${name}>`).join("");
  const lines = rows.map(([name, ...rest]) => `<tr><th scope="row">${escapeText(name)}</th>${cells("td", rest)}</tr>`);
  const title = heading === undefined ? "" : `<h2>${escapeText(heading)}</h2>`;
  return `${title}<div class="table"><table>${head === undefined ? "" : `<tr>${cells("th", head)}</tr>`}${lines.join("\n")}</table></div>`;
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#c9d1d9;--a:#0072b2;--b:#b35c00;--c:#00734f}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa7b4;--line:#3b4550;--a:#56b4e9;--b:#f0a63c;--c:#3fc79a}}
body{font:15px/1.45 system-ui,sans-serif;margin:1rem auto;max-width:80rem;padding:0 1rem}.table{overflow-x:auto}
table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:left;border-bottom:1px solid var(--line)}
td{font-variant-numeric:tabular-nums}.bad{border:3px double var(--b);padding:.5rem}.good{color:var(--c)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1rem}
figure{margin:0}svg{width:100%;height:auto}text{fill:var(--soft);font:11px system-ui,sans-serif}.title{fill:var(--ink);font-weight:600}
.grid{stroke:var(--line)}path{fill:none;stroke-width:1.5}.a{stroke:var(--a)}.b{stroke:var(--b)}.c{stroke:var(--c)}
.earlier{stroke-dasharray:5 3;opacity:.75}pre{overflow:auto}`;
