import { FIGURES } from "./figures/figures.js";

export const BENCH_USAGE = [
  "usage: npm run bench -- [options]",
  "",
  "Compares the store with the raw ceiling and with lmdb, better-sqlite3, classic-level and, where a JDK (17 or newer) and Maven are,",
  "RocketMQ's own store, at equal durability, in interleaved rounds.",
  "",
  "  --quick               one short round of each, for a look",
  "  --rounds <n>          rounds; figures are medians (5)",
  "  --seconds <time>      length of a measurement (400ms)",
  "  --only <part,part>    only what has one of these in its name:",
  ...FIGURES.map(({ name, meaning }) => `                          ${name.padEnd(18)}${meaning}`),
  "  --gib <n>             length of the log of dispatch-keep-up (2)",
  "  --rocketmq <version>  4.9 or 5: RocketMQ's store (5)",
  "  --directory <path>    where to write, on the disk that is to be measured (.bench in the project)",
  "  --output <path>       report, without .md and .json (.bench/bench-<time>)",
  "  --help                print this",
].join("\n");
