import { readFileSync } from "node:fs";
import { join } from "node:path";
import { INDEX_TABLE } from "#store/recover/index/index-decision.js";
import { LOG_TABLE } from "#store/recover/log/recovery-decision.js";
import { QUEUE_TABLE } from "#store/recover/queues/consume-queue-decision.js";
import type { DecisionTable, FactTable } from "#store/recover/scan/decision-table.js";

const PAGE = join(import.meta.dirname, "..", "..", "..", "docs", "recovery.md");
const COLUMNS = 120;

/** `docs/recovery.md`: its prose as it is, its three tables as they are in the sources. */
export function recoveryPage(page: string = readFileSync(PAGE, "utf8")): string {
  return [tableText("log", LOG_TABLE), tableText("queues", QUEUE_TABLE), tableText("index", INDEX_TABLE)].reduce(
    replaceTable,
    page,
  );
}

interface TableText {
  readonly name: string;
  readonly text: string;
}

function replaceTable(page: string, { name, text }: TableText): string {
  const [begin, end] = [`<!-- ${name}: made by npm run docs -->\n`, `<!-- end of ${name} -->\n`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/recovery.md has no place for a table: name=${name}`);
  return `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`;
}

function tableText<Facts extends FactTable, Verdict extends string, Row extends string>(
  name: string,
  { facts, verdicts, rows, rowNames }: DecisionTable<Facts, Verdict, Row>,
): TableText {
  const factNames = Object.keys(facts);
  const cells = rowNames.map((row) => {
    const { when, verdict } = rows[row];
    return [code(row), ...factNames.map((fact) => condition(when[fact])), `**${verdict}**`];
  });
  const text = [
    "Facts:\n",
    ...Object.entries(facts).map(([fact, { meaning }]) => item(code(fact), meaning)),
    "\nVerdicts:\n",
    ...Object.entries<string>(verdicts).map(([verdict, meaning]) => item(`**${verdict}**`, meaning)),
    "\nRows:\n",
    ...markdownTable(["row", ...factNames, "verdict"], cells),
    "\nReasons:\n",
    ...rowNames.map((row) => item(code(row), `${rows[row].reason}.`)),
    "",
  ];
  return { name, text: text.join("\n") };
}

/** Values one of which a fact has to have; an empty cell when it does not matter. */
function condition(values: readonly (string | boolean)[] | undefined): string {
  return (values ?? []).map((value) => (value === true ? "yes" : value === false ? "no" : value)).join(" or ");
}

function code(name: string): string {
  return `\`${name}\``;
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, at) => (cells[at] ?? "").padEnd(width)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}

/** An item of a list, broken where a line ends. */
function item(name: string, text: string): string {
  const lines = [`- ${name}:`];
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`;
    if (line.length > COLUMNS) lines.push(`  ${word}`);
    else lines[lines.length - 1] = line;
  }
  return lines.join("\n");
}
