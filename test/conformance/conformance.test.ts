import { availableParallelism } from "node:os";
import test from "ava";
import type { RocketMqSeries } from "#scripts/bench/java/java-toolchain.js";
import { runSeeds, type SeedFailure } from "./campaign.js";
import { conformanceChoice, type Direction, REPLICATIONS, type Replicated, repeatCommand } from "./conformance-choice.js";
import { type Engine, MILLRACE, rocketMq } from "./engine.js";
import { Exchange } from "./exchange.js";
import { rocketMqTests } from "./rocketmq-tests.js";
import { Twins } from "./twins.js";

const PROGRESS_STEP = 50;

const choice = conformanceChoice();
const titles: Record<Exclude<Direction, Replicated>, string> = {
  "millrace-rocketmq": "RocketMQ reads, continues and recovers what Millrace wrote, and Millrace again",
  "rocketmq-millrace": "Millrace reads, continues and recovers what RocketMQ wrote, and RocketMQ again",
  twins: "the same puts give the same bytes in commit log, ConsumeQueues and index",
};
/** Each with seeds of its own. */
const cases = choice.series
  .flatMap((series) => choice.directions.filter(isOfOneDirectory).map((direction) => ({ series, direction })))
  .map((one, index) => ({ ...one, from: choice.from + index * choice.count }));

/** Of each case; all run at once. RocketMQ sleeps three seconds in each shutdown: seeds do not wait for one another's. */
const SEEDS_AT_A_TIME = Math.ceil((6 * availableParallelism()) / cases.length);

rocketMqTests("exchange with RocketMQ", cases, ({ series, direction, from }, toolchain) => {
  test(`RocketMQ ${series}: ${titles[direction]} (${choice.count} seeds from ${from})`, async (t) => {
    t.timeout(choice.count * 60_000 + 600_000);
    const failures = await run(rocketMq(toolchain, series), series, direction, from);
    for (const { seed, error, story } of failures) {
      t.log(
        `${repeatCommand(series, direction, seed)}\n${story.join("\n")}\n${error instanceof Error ? error.message : String(error)}`,
      );
    }
    t.is(failures.length, 0, `of ${choice.count} seeds: ${failures.map(({ seed }) => seed).join(" ")}`);
  });
});

function isOfOneDirectory(direction: Direction): direction is Exclude<Direction, Replicated> {
  return !REPLICATIONS.some((replicated) => replicated === direction);
}

async function run(rocket: Engine, series: RocketMqSeries, direction: Direction, from: number): Promise<SeedFailure[]> {
  const seeds = Array.from({ length: choice.count }, (_, index) => from + index);
  const engines = direction === "rocketmq-millrace" ? ([rocket, MILLRACE] as const) : ([MILLRACE, rocket] as const);
  const began = performance.now();
  return await runSeeds(
    engines,
    seeds,
    SEEDS_AT_A_TIME,
    (seed, directory) =>
      direction === "twins" ? new Twins(series, seed, directory) : new Exchange(engines, series, seed, directory),
    (done) => {
      const seconds = ((performance.now() - began) / 1000).toFixed(0);
      if (done % PROGRESS_STEP === 0) process.stderr.write(`RocketMQ ${series} ${direction}: ${done} seeds, ${seconds} s\n`);
    },
  );
}
