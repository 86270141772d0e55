import { FIGURES } from "./figures/figures.js";

export const BENCH_USAGE = [
  "usage: npm run bench -- [options]",
  "",
  "Compares the store with the raw ceiling and with lmdb, better-sqlite3, classic-level and, where a JDK (17 or newer) and Maven are,",
  "RocketMQ's own store, at equal durability, in interleaved rounds. The driver is the same for all and measured as well; CPU is that of",
  "the whole process for one message, dispatching and driver included.",
  "",
  "  --figures             the table of figures to reach, for docs/measured.md and the README; with --gib 10 for the record",
  "  --quick               one short round of each, for a look",
  "  --rounds <n>          rounds; figures are medians (5)",
  "  --seconds <time>      length of a measurement (2s), after 2 s of warm-up",
  "  --only <part,part>    only what has one of these in its name:",
  ...FIGURES.map(({ name, meaning }) => `                          ${name.padEnd(18)}${meaning}`),
  "  --gib <n>             length of the log of dispatch-keep-up and of opening (2)",
  "  --rocketmq <version>  4.9 or 5: RocketMQ's store (5)",
  "  --directory <path>    where to write, on the disk that is to be measured (.bench in the project)",
  "  --output <path>       report, without .md and .json (.bench/bench-<time>)",
  "  --report <path>       an HTML page of it, one file with tables and plots; report and JSON go beside it without --output",
  "  --compare <path>      with --report: lay an earlier run over it, given as its JSON",
  "  --commit <id>         what is measured, where there is no Git",
  "  --help                print this",
].join("\n");
