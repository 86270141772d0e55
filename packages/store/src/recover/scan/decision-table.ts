/** Something that is looked at before a decision, with every value that it can have. */
interface Fact {
  readonly values: readonly (string | boolean)[];
  /** What it says, as a sentence or a noun phrase; values that are words are explained in it. */
  readonly meaning: string;
}

export type FactTable = Readonly<Record<string, Fact>>;

/** One value of each fact: what a decision is made from. */
export type FactsOf<Facts extends FactTable> = { readonly [Name in keyof Facts]: Facts[Name]["values"][number] };

export interface DecisionRow<Facts extends FactTable, Verdict extends string> {
  /** Values, one of which each fact has to have. A fact that a row does not name does not matter to it. */
  readonly when: { readonly [Name in keyof Facts]?: readonly Facts[Name]["values"][number][] };
  readonly verdict: Verdict;
  /** For reports, errors and `docs/recovery.md`. */
  readonly reason: string;
}

/** A row that applies, with its name. */
export interface Decision<Verdict extends string, Row extends string> {
  readonly row: Row;
  readonly verdict: Verdict;
  readonly reason: string;
}

export interface DecisionTableContent<Facts extends FactTable, Verdict extends string, Row extends string> {
  readonly facts: Facts;
  /** What each means. */
  readonly verdicts: Readonly<Record<Verdict, string>>;
  /** By name. */
  readonly rows: Readonly<Record<Row, DecisionRow<Facts, NoInfer<Verdict>>>>;
}

/**
 * A part of recovery as a specification: exactly one row applies to each combination of facts. `docs/recovery.md` is made from these
 * tables, and reports name their rows.
 */
export class DecisionTable<Facts extends FactTable, Verdict extends string, Row extends string> {
  readonly facts: Facts;
  readonly verdicts: Readonly<Record<Verdict, string>>;
  readonly rows: Readonly<Record<Row, DecisionRow<Facts, Verdict>>>;

  constructor({ facts, verdicts, rows }: DecisionTableContent<Facts, Verdict, Row>) {
    this.facts = facts;
    this.verdicts = verdicts;
    this.rows = rows;
  }

  /** In the order of the table. */
  get rowNames(): readonly Row[] {
    return Object.keys(this.rows) as Row[];
  }

  /** Names of the rows that apply: one, or the table is wrong. */
  rowsFor(found: FactsOf<Facts>): readonly Row[] {
    return this.rowNames.filter((name) => {
      const { when } = this.rows[name];
      return Object.entries(when).every(([fact, values]) => (values as readonly unknown[]).includes(found[fact]));
    });
  }

  decide(found: FactsOf<Facts>): Decision<Verdict, Row> {
    const [row] = this.rowsFor(found);
    if (row === undefined) throw new RangeError(`no row applies: found=${JSON.stringify(found)}`);
    const { verdict, reason } = this.rows[row];
    return { row, verdict, reason };
  }
}
