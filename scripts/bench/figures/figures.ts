import { CONSUME_GET } from "./consume-get-figure.js";
import { DISPATCH_LAG } from "./dispatch-lag-figure.js";
import { EVENT_LOOP } from "./event-loop-figure.js";
import type { Figure } from "./figure.js";
import type { Goal } from "./goal.js";
import { JAVA_STORE } from "./java-store-figure.js";
import { KEEP_UP } from "./keep-up-figure.js";
import { MEMORY } from "./memory-figure.js";
import { OPENING } from "./opening-figure.js";
import { PRODUCER_THREADS } from "./producers-figure.js";
import { RECOVERY } from "./recovery-figure.js";
import { REPLICATION } from "./replication-figure.js";
import type { Results } from "./results.js";
import { ROLL } from "./roll-figure.js";
import { SEED } from "./seed-figure.js";
import { WITH_DISPATCH } from "./with-dispatch-figure.js";
import { WORKLOADS } from "./workloads-figure.js";

/** All that is measured, in the order of the report; help, tasks, goals and report follow from it. */
export const FIGURES: readonly Figure[] = [
  WORKLOADS,
  PRODUCER_THREADS,
  REPLICATION,
  JAVA_STORE,
  SEED,
  ROLL,
  EVENT_LOOP,
  MEMORY,
  CONSUME_GET,
  DISPATCH_LAG,
  KEEP_UP,
  RECOVERY,
  OPENING,
  WITH_DISPATCH,
];

/** Everything that `--only` takes whole. */
export function figureNames(): string[] {
  return FIGURES.flatMap(({ name, parts = [] }) => [name, ...parts]);
}

/** The medians against what was wanted of them. */
export function judge(results: Results): Goal[] {
  return FIGURES.flatMap((figure) => figure.goals?.(results) ?? []);
}

/** Heading and lines of all that was measured. */
export function figureLines(results: Results): string[] {
  const sections: { heading: string | undefined; lines: string[] }[] = [];
  for (const { heading, lines: linesOf } of FIGURES) {
    const lines = linesOf?.(results) ?? [];
    if (lines.length === 0) continue;
    const last = sections.at(-1);
    if (heading !== undefined && last?.heading === heading) last.lines.push(...lines);
    else sections.push({ heading, lines });
  }
  return sections.flatMap(({ heading, lines }) => (heading === undefined ? lines : [`## ${heading}`, "", ...lines, ""]));
}
