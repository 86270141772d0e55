/** `npm run bench`, behind run.mjs, which has installed the peers: see {@link BENCH_USAGE}. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "../load-generator/usage-error.js";
import { BENCH_USAGE, type BenchOptions } from "./bench-options.js";
import { parseBenchRequest } from "./bench-request.js";
import { runInChild } from "./child-measurement.js";
import { findJavaPeer, type JavaPeer } from "./java-peer.js";
import { isJavaCell, javaStoreRound } from "./java-store-tasks.js";
import type { EventLoopFigure, MemoryFigure, RollFigure, SeedFigure, SeedWay } from "./job.js";
import { describeMachine } from "./machine.js";
import { peerVersion } from "./peer-modules.js";
import { readPathFigures, readRound, type Task } from "./read-path-tasks.js";
import { formatReport } from "./report.js";
import { type Cell, Results } from "./results.js";
import { DURABILITIES, wantedCells } from "./wanted-cells.js";
import type { Measurement } from "./workload.js";

const BENCH_DIRECTORY = fileURLToPath(new URL("../../../.bench/", import.meta.url));
const SEED_WAYS: readonly SeedWay[] = ["mapping", "stream", "writeSync"];
const PEERS = ["lmdb", "better-sqlite3", "classic-level"];
const BUSY_LOAD_AVERAGE = 0.5;
/** Start, preparation and end of a child process, about. */
const OVERHEAD_SECONDS = 0.4;

class Bench {
  readonly #options: BenchOptions;
  readonly #directory: string;
  /** undefined where there is none. */
  java: JavaPeer | undefined;

  constructor(options: BenchOptions, directory: string) {
    this.#options = options;
    this.#directory = directory;
  }

  readonly wants = (name: string): boolean => {
    const { only } = this.#options;
    return only.length === 0 || only.some((part) => name.includes(part));
  };

  /** Whether anything of RocketMQ's store is to be measured. */
  get wantsJava(): boolean {
    return this.#wantedCells().some(isJavaCell) || this.wants("consume-get/java");
  }

  cells(): Cell[] {
    return this.#wantedCells().filter((cell) => this.java !== undefined || !isJavaCell(cell));
  }

  /** About how long they take, a round. */
  get roundSeconds(): number {
    const { seconds, warmUpSeconds } = this.#options;
    return this.cells().length * (seconds + warmUpSeconds + OVERHEAD_SECONDS);
  }

  #wantedCells(): Cell[] {
    return wantedCells(this.wants);
  }

  /** Each cell once, contestants of a workload one after another: rounds of these interleave. */
  round(): Task[] {
    const seeds = this.wants("seed")
      ? SEED_WAYS.map(
          (way): Task =>
            (results) =>
              this.#seed(way, results),
        )
      : [];
    const workloads = DURABILITIES.flatMap((durability) =>
      this.#workloads(this.cells().filter((cell) => cell.durability === durability)),
    );
    return [...seeds, ...workloads, ...readRound(this.#options, this.#directory, this.wants, this.java)];
  }

  /** All of one durability, RocketMQ's store last. */
  #workloads(cells: readonly Cell[]): Task[] {
    const { seconds, warmUpSeconds } = this.#options;
    const ours = cells.filter((cell) => !isJavaCell(cell));
    const tasks = ours.map(
      (cell): Task =>
        async (results) => {
          const measurement = await runInChild<Measurement>(this.#directory, (directory) => ({
            kind: "workload",
            workload: { ...cell, directory, seconds, warmUpSeconds },
          }));
          results.add(cell, measurement);
        },
    );
    return this.java === undefined ? tasks : [...tasks, ...javaStoreRound(this.#options, this.#directory, this.java, cells)];
  }

  /** Longer ones, once each. */
  singleFigures(): Task[] {
    const { quick } = this.#options;
    const roll: Task = async (results) => {
      const seconds = quick ? 4 : 10;
      results.rolls.push(await runInChild<RollFigure>(this.#directory, (directory) => ({ kind: "roll", seconds, directory })));
    };
    const eventLoop: Task = async (results) => {
      const seconds = quick ? 2 : 5;
      const figure = await runInChild<EventLoopFigure>(this.#directory, (directory) => ({
        kind: "event-loop",
        seconds,
        directory,
      }));
      results.eventLoop.push(figure);
    };
    const memory: Task = async (results) => {
      const messages = quick ? 2_000_000 : 10_000_000;
      results.memory.push(
        await runInChild<MemoryFigure>(this.#directory, (directory) => ({ kind: "memory", messages, directory })),
      );
    };
    const named: readonly (readonly [string, Task])[] = [
      ["roll", roll],
      ["event-loop", eventLoop],
      ["memory", memory],
    ];
    const wanted = named.filter(([name]) => this.wants(name)).map(([, task]) => task);
    return [...wanted, ...readPathFigures(this.#options, this.#directory, this.wants)];
  }

  async #seed(way: SeedWay, results: Results): Promise<void> {
    const lines = 1_000_000;
    const figure = await runInChild<SeedFigure>(this.#directory, (directory) => ({ kind: "seed", way, lines, directory }));
    results.addSeed(way, figure.seconds);
  }
}

/** Where it cannot be had the bench goes on without it, and says so. */
function javaPeer({ rocketmq }: BenchOptions): JavaPeer | undefined {
  const found = findJavaPeer(rocketmq);
  if (typeof found !== "string") return found;
  console.log(`SKIPPED: all rows of RocketMQ's store: ${found}`);
  return undefined;
}

async function run(options: BenchOptions): Promise<void> {
  const directory = resolve(options.directory ?? BENCH_DIRECTORY);
  mkdirSync(directory, { recursive: true });
  const machine = describeMachine(directory);
  console.log(`load average ${machine.loadAverage.toFixed(2)}, writing below ${directory} (${machine.fileSystem})`);
  if (machine.loadAverage > BUSY_LOAD_AVERAGE) console.log("WARNING: the machine is busy, the figures will not be its best");
  const bench = new Bench(options, directory);
  if (bench.wantsJava) bench.java = javaPeer(options);
  const estimate = options.rounds * bench.roundSeconds;
  console.log(
    `${bench.cells().length} workloads, ${options.rounds} rounds, about ${Math.ceil(estimate / 60)} min and the single figures`,
  );

  const results = new Results();
  const startedAt = performance.now();
  for (let round = 1; round <= options.rounds; round++) {
    for (const task of bench.round()) await task(results);
    console.log(`round ${round} of ${options.rounds} done after ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  }
  for (const task of bench.singleFigures()) await task(results);

  const peers: Record<string, string> = Object.fromEntries(PEERS.map((name) => [name, peerVersion(name)]));
  if (bench.java !== undefined) peers.RocketMQ = bench.java.version;
  const report = formatReport(results, machine, options.rounds, peers);
  const output = resolve(options.output ?? join(directory, `bench-${machine.date.replaceAll(":", "-")}`));
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(`${output}.md`, `${report}\n`);
  writeFileSync(`${output}.json`, `${JSON.stringify({ machine, peers, options, results }, null, 2)}\n`);
  console.log(`\n${report}\nwritten to ${output}.md and .json`);
}

try {
  const options = parseBenchRequest(process.argv.slice(2));
  if (options.help) console.log(BENCH_USAGE);
  else await run(options);
} catch (error) {
  const isUsage = error instanceof UsageError;
  console.error(isUsage ? `${BENCH_USAGE}\n\n${error.message}` : error);
  process.exitCode = isUsage ? 2 : 1;
}
