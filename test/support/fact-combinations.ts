import type { FactsOf, FactTable } from "#store/recover/scan/decision-table.js";

/** Every combination of the values that the facts of a decision table can have. */
export function combinations<Facts extends FactTable>(facts: Facts): FactsOf<Facts>[] {
  let found: Record<string, string | boolean>[] = [{}];
  for (const [name, { values }] of Object.entries(facts)) {
    found = found.flatMap((others) => values.map((value) => ({ ...others, [name]: value })));
  }
  return found as FactsOf<Facts>[];
}
