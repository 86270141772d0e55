import { exitWith } from "./exit-code.js";
import { failureText } from "./failure-text.js";
import { interrupt } from "./interrupted.js";

/** Standard output. Whoever reads it may go before the end, as `head` does: then there is nothing left to do. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") {
    process.stderr.write(failureText(error));
    exitWith("failed");
  }
  interrupt();
});

/** Standard error. Where nobody reads it, the command goes on, and its exit code says how it has ended. */
process.stderr.on("error", () => {});

/** Whether standard output has failed, which the event says only in a later turn. */
export function isUnread(): boolean {
  return process.stdout.errored !== null;
}

export function print(text: string): void {
  endProgress();
  process.stdout.write(`${text}\n`);
}

/** One document. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Something is not right, and the command goes on. */
export function warn(text: string): void {
  endProgress();
  process.stderr.write(`${text}\n`);
  exitWith("damaged");
}

let isInProgress = false;

/** How far it is, on a terminal in one line, which {@link endProgress} leaves. */
export function progress(text: string): void {
  isInProgress = process.stderr.isTTY;
  process.stderr.write(isInProgress ? `\r\u001b[K${text}` : `${text}\n`);
}

/** What is said next begins a line. */
export function endProgress(): void {
  if (isInProgress) process.stderr.write("\n");
  isInProgress = false;
}

/** Columns: numbers to the right, all else to the left. */
export function table(head: readonly string[], rows: readonly (readonly (string | number | undefined)[])[]): string {
  const cells = rows.map((row) => row.map((cell) => (cell === undefined ? "-" : String(cell))));
  const isNumber = head.map((_, column) => rows.some((row) => typeof row[column] === "number"));
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (isNumber[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(head), ...cells.map(line)].join("\n");
}

/** `name  value` of what has a value. */
export function fields(pairs: readonly (readonly [string, string | number | undefined])[]): string {
  const shown = pairs.filter(([, value]) => value !== undefined);
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytesText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes > 0 ? Math.floor(Math.log2(bytes) / 10) : 0);
  return `${power === 0 ? bytes : (bytes / 1024 ** power).toFixed(1)} ${UNITS[power]}`;
}

export function timeText(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
