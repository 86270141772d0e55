import type { CaseResult } from "./fault-campaign.js";
import { VERDICTS, type Verdict } from "./finding.js";

interface Row {
  cases: number;
  refused: number;
  readonly verdicts: Map<Verdict, number>;
}

const STORY_LINES = 6;
const LINE_LENGTH = 400;
const BAD: readonly Verdict[] = ["WRONG", "HANG", "UNCODED", "DEATH"];

/** What repeats one case. */
function repeatCommand(campaign: string, seed: number, number: number, kind: string): string {
  const choice = kind === "" ? "" : ` --kind "${kind}"`;
  return `npm run test:faults -- --campaign ${campaign}${choice} --seed ${seed} --case ${number}`;
}

/** Counts cases by campaign and kind, and keeps those that are not right. */
export class CampaignTable {
  readonly #rows = new Map<string, Row>();
  readonly #skipped: string[] = [];
  readonly #onBad: (lines: string) => void;
  readonly #kind: string;
  #bad = 0;

  /** @param kind of the cases that were chosen: it decides what the number of a case means */
  constructor(onBad: (lines: string) => void, kind: string) {
    this.#onBad = onBad;
    this.#kind = kind;
  }

  /** Cases that are not right; a campaign is well when there are none. */
  get bad(): number {
    return this.#bad;
  }

  get cases(): number {
    return [...this.#rows.values()].reduce((sum, { cases }) => sum + cases, 0);
  }

  skipped(campaign: string, reason: string): void {
    this.#skipped.push(`${campaign}: skipped, ${reason}`);
  }

  add(campaign: string, seed: number, number: number, { kind, verdict, story, isRefused = false }: CaseResult): void {
    const name = `${campaign}: ${kind}`;
    const row = this.#rows.get(name) ?? { cases: 0, refused: 0, verdicts: new Map() };
    this.#rows.set(name, row);
    row.cases++;
    if (isRefused) row.refused++;
    row.verdicts.set(verdict, (row.verdicts.get(verdict) ?? 0) + 1);
    if (!BAD.includes(verdict)) return;
    this.#bad++;
    const lines = story.slice(0, STORY_LINES).map((line) => `    ${line.slice(0, LINE_LENGTH)}`);
    this.#onBad([`${verdict} ${name}: ${repeatCommand(campaign, seed, number, this.#kind)}`, ...lines].join("\n"));
  }

  text(): string {
    const head = ["campaign: kind", "cases", "refused", ...VERDICTS];
    const rows = [...this.#rows]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { cases, refused, verdicts }]) => {
        return [name, cases, refused, ...VERDICTS.map((verdict) => verdicts.get(verdict) ?? 0)].map(String);
      });
    const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] as string).length)));
    const line = (row: readonly string[]): string =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number)))
        .join("  ");
    return [line(head), ...rows.map(line), ...this.#skipped].join("\n");
  }
}
