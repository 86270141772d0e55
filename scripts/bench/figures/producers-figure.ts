import { runInChild } from "../measurements/child-measurement.js";
import type { ProducersResult } from "../measurements/job.js";
import type { Bench, Figure, Task } from "./figure.js";
import { medianOf, type Results } from "./results.js";
import { formatRate, formatSpread } from "./table.js";

/** One, for the others to be compared with. */
const PRODUCERS = [1, 4];

/** Puts from threads beside main. */
export const PRODUCER_THREADS: Figure = {
  name: "producers",
  meaning: "puts from 1 and 4 other threads",
  round: (bench) => (bench.wants("producers") ? PRODUCERS.map((producers) => producersTask(bench, producers)) : []),
  heading: "Producers on other threads, ASYNC_FLUSH, 128 B, 1024 in flight together",
  lines: (results) =>
    [...results.producers].map(([producers, measured]) => {
      const rates = measured.map(({ msgPerSec }) => msgPerSec);
      const [rate, cpuNs] = [medianOf(rates, (value) => value), medianOf(measured, (round) => round.cpuNs)];
      if (rate === undefined || cpuNs === undefined) return `- ${producers}: not there`;
      return `- ${producers}: ${formatRate(rate)}${formatSpread(rates)} messages/s, CPU ${(cpuNs / 1000).toFixed(2)} us a message`;
    }),
};

function producersTask({ options, directory }: Bench, producers: number): Task {
  const { seconds, warmUpSeconds } = options;
  return async (results) => {
    const job = (empty: string) => ({ kind: "producers", producers, seconds, warmUpSeconds, directory: empty }) as const;
    results.addProducers(producers, await runInChild<ProducersResult>(directory, job));
  };
}

/** How many times as fast four are as one: undefined when that was not measured. */
export function producersRatio({ producers }: Results): number | undefined {
  const [one, four] = PRODUCERS.map((count) => medianOf(producers.get(count) ?? [], ({ msgPerSec }) => msgPerSec));
  return one === undefined || four === undefined ? undefined : four / one;
}
