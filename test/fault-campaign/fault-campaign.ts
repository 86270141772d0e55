import { type Random, seededRandom } from "../support/random.js";
import type { Finding, Verdict } from "./finding.js";
import type { LifeOutcome } from "./life-process.js";

export interface CaseResult {
  /** The row of the table. */
  readonly kind: string;
  readonly verdict: Verdict;
  /** What was done, and what came of it where that is not right. */
  readonly story: readonly string[];
  /** It was refused with a code, as a whole. */
  readonly isRefused?: boolean;
}

/** Cases without end, each made of nothing but its seed and number. */
export interface FaultCampaign {
  readonly name: string;
  /** What this machine lacks for it, in words. */
  readonly missing: string | undefined;
  /** How many cases there are; a campaign that draws its cases has no end. */
  readonly cases: number;
  run(seed: number, number: number): Promise<CaseResult>;
}

/** What is right for a kind of damage. */
export interface CaseRules {
  /** The whole store, or a read or put of it, may be refused with a code. */
  readonly mayRefuse: boolean;
  /** RocketMQ's own JSON: no checksum, so that a flipped digit is a good one. Hangs, deaths and errors without codes are not excepted. */
  readonly isExcepted: boolean;
}

export function caseRandom(name: string, seed: number, number: number): Random {
  return seededRandom(hashed(`${name} ${number}`, seed));
}

/**
 * One of several by their names, so that the same number gives the same one although others may come and go: how many segments lie
 * ready ahead, or which calls are met, differs from run to run.
 */
export function drawnByName<T>(values: readonly T[], nameOf: (value: T) => string, random: Random): T {
  const salt = random(2 ** 31);
  const weighed = values.map((value) => ({ value, weight: seededRandom(hashed(nameOf(value), salt))(2 ** 31) }));
  const [first] = weighed.sort((a, b) => b.weight - a.weight);
  if (first === undefined) throw new RangeError("there is nothing to choose from");
  return first.value;
}

function hashed(text: string, seed: number): number {
  let state = seed;
  for (const unit of text) state = Math.imul(state ^ (unit.codePointAt(0) as number), 0x01000193);
  return state;
}

/**
 * The verdict over lives that were lived one after another on one directory. The last of several must find nothing left to refuse,
 * where refusing is not right.
 */
export function verdictOf(outcomes: readonly LifeOutcome[], { mayRefuse, isExcepted }: CaseRules): Omit<CaseResult, "kind"> {
  const findings: Finding[] = [];
  const story: string[] = [];
  let isRefused = false;
  for (const [index, outcome] of outcomes.entries()) {
    const life = `life ${index + 1}`;
    if (outcome.end === "hang") return { verdict: "HANG", story: [`${life}: no end`, ...story] };
    if (outcome.end === "death") return { verdict: "DEATH", story: [`${life}: ${outcome.what}`, ...story] };
    if (outcome.end === "killed") continue;
    findings.push(...outcome.answer.findings);
    const isLast = index > 0 && index === outcomes.length - 1;
    const { refused } = outcome.answer;
    if (refused !== undefined) isRefused = true;
    if (!mayRefuse && refused !== undefined) findings.push({ verdict: "WRONG", what: "it is refused, and need not be" });
    if (!mayRefuse && isLast && outcome.answer.findings.some(({ verdict }) => verdict === "TOLD"))
      findings.push({ verdict: "WRONG", what: "it is not mended" });
    story.push(...outcome.answer.findings.map(({ verdict, what }) => `${life}: ${verdict} ${what}`));
  }
  const verdicts = new Set(findings.map(({ verdict }) => verdict));
  const shortened = [
    ...story.filter((line) => !/^life \d+: TOLD/.test(line)),
    ...story.filter((line) => /^life \d+: TOLD/.test(line)),
  ];
  if (verdicts.has("UNCODED")) return { verdict: "UNCODED", story: shortened, isRefused };
  if (verdicts.has("WRONG")) return { verdict: isExcepted ? "excepted" : "WRONG", story: shortened, isRefused };
  return { verdict: "right", story: shortened, isRefused };
}
