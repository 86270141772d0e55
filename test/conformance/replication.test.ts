import { availableParallelism } from "node:os";
import test from "ava";
import { runSeeds } from "./campaign.js";
import { conformanceChoice, REPLICATIONS, type Replicated, repeatCommand } from "./conformance-choice.js";
import { MILLRACE, rocketMq } from "./engine.js";
import { Replication } from "./replication.js";
import { rocketMqTests } from "./rocketmq-tests.js";

const choice = conformanceChoice();
const titles: Record<Replicated, string> = {
  "millrace-master": "RocketMQ follows Millrace",
  "millrace-slave": "Millrace follows RocketMQ",
};
const cases = choice.series
  .flatMap((series) =>
    REPLICATIONS.filter((one) => choice.directions.some((direction) => direction === one)).map((direction) => ({
      series,
      direction,
    })),
  )
  .map((one, index) => ({ ...one, from: choice.from + index * choice.pairCount }));

rocketMqTests("replication with RocketMQ", cases, ({ series, direction, from }, toolchain) => {
  const title = `${titles[direction]}, cut off and killed: the logs are the same, and the slave opens as master`;
  test(`RocketMQ ${series}: ${title} (${choice.pairCount} seeds from ${from})`, async (t) => {
    t.timeout(choice.pairCount * 120_000 + 600_000);
    const rocket = rocketMq(toolchain, series);
    const [master, slave] = direction === "millrace-master" ? [MILLRACE, rocket] : [rocket, MILLRACE];
    const seeds = Array.from({ length: choice.pairCount }, (_, index) => from + index);
    const make = (seed: number, directory: string) => new Replication(master, slave, series, seed, directory);
    const failures = await runSeeds([], seeds, availableParallelism(), make);
    for (const { seed, error, story } of failures) {
      const text = error instanceof Error ? error.message : String(error);
      t.log(`${repeatCommand(series, direction, seed)}\n${story.join("\n")}\n${text}`);
    }
    t.is(failures.length, 0, `of ${choice.pairCount} seeds: ${failures.map(({ seed }) => seed).join(" ")}`);
  });
});
