/** Formats of the report. */
import { median } from "./results.js";

export type Row = readonly string[];

export function formatRate(perSecond: number): string {
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(2)} M`;
  return perSecond >= 1e3 ? `${(perSecond / 1e3).toFixed(1)} k` : perSecond.toFixed(0);
}

export function formatUs(us = Number.NaN): string {
  return us < 1e4 ? `${us.toFixed(us < 10 ? 1 : 0)} us` : `${(us / 1e3).toFixed(1)} ms`;
}

/** Half of the distance between the least and the most, in parts of the median; nothing of a single value. */
export function formatSpread(values: readonly number[]): string {
  if (values.length < 2) return "";
  const half = (Math.max(...values) - Math.min(...values)) / 2;
  return ` ±${((100 * half) / median(values)).toFixed(0)} %`;
}

export function table(head: Row, rows: readonly Row[]): string[] {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (row: Row): string => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...rows.map(line)];
}
