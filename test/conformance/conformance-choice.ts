import { ROCKETMQ_SERIES, type RocketMqSeries } from "#scripts/bench/java/java-toolchain.js";

/** Who has the directory first. */
const EXCHANGES = ["millrace-rocketmq", "rocketmq-millrace"] as const;
/** Which side of a pair Millrace is, one replicating the other. */
export const REPLICATIONS = ["millrace-master", "millrace-slave"] as const;
export const CONFORMANCE_DIRECTIONS = [...EXCHANGES, "twins", ...REPLICATIONS] as const;
export type Replicated = (typeof REPLICATIONS)[number];
export type Direction = (typeof CONFORMANCE_DIRECTIONS)[number];

/** What to run; `npm run test:conformance` hands its arguments on in the environment. */
export interface ConformanceChoice {
  readonly series: readonly RocketMqSeries[];
  readonly directions: readonly Direction[];
  /** The first seed of the first series and direction; each further one goes on where the one before it has ended. */
  readonly from: number;
  /** Seeds for each series and direction. */
  readonly count: number;
  /** The same of pairs: each seed starts processes of its own, and waits as long as RocketMQ does before it connects again. */
  readonly pairCount: number;
}

const VARIABLE = "MILLRACE_CONFORMANCE";
const ALL: ConformanceChoice = { series: ROCKETMQ_SERIES, directions: CONFORMANCE_DIRECTIONS, from: 1, count: 8, pairCount: 1 };

export function conformanceChoice(): ConformanceChoice {
  return { ...ALL, ...(JSON.parse(process.env[VARIABLE] ?? "{}") as Partial<ConformanceChoice>) };
}

export function conformanceEnvironment(choice: Partial<ConformanceChoice>): NodeJS.ProcessEnv {
  return { ...process.env, [VARIABLE]: JSON.stringify(choice) };
}

/** What repeats one seed. */
export function repeatCommand(series: RocketMqSeries, direction: Direction, seed: number): string {
  return `npm run test:conformance -- --rocketmq ${series} --direction ${direction} --from ${seed} --seeds 1`;
}
