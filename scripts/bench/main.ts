/** `npm run bench`, behind run.mjs, which has installed the peers: see {@link BENCH_USAGE}. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "@millrace/cli/usage-error";
import { describeMachine } from "../load-generator/machine.js";
import { type BenchRecord, readBenchRecord, writeBenchPage } from "./bench-page.js";
import { parseBenchRequest } from "./bench-request.js";
import { BENCH_USAGE } from "./bench-usage.js";
import { peerVersion } from "./contestants/peer-modules.js";
import type { BenchOptions } from "./figures/bench-options.js";
import type { Bench, Wants } from "./figures/figure.js";
import { FIGURES } from "./figures/figures.js";
import { Results } from "./figures/results.js";
import { isJavaCell, wantedCells, wantedHere } from "./figures/wanted-cells.js";
import { findJavaPeer, type JavaPeer } from "./java/java-peer.js";
import { formatReport } from "./report.js";

const BENCH_DIRECTORY = fileURLToPath(new URL("../../../.bench/", import.meta.url));
const PEERS = ["lmdb", "better-sqlite3", "classic-level"];
const BUSY_LOAD_AVERAGE = 0.5;
/** Start, preparation and end of a child process, about. */
const OVERHEAD_SECONDS = 0.4;

/** undefined where none of it is wanted; where it cannot be had the bench goes on without it, and says so. */
function javaPeer({ rocketmq }: BenchOptions, wants: Wants): JavaPeer | undefined {
  if (!wantedCells(wants).some(isJavaCell) && !wants("consume-get/java") && !wants("replication")) return undefined;
  const found = findJavaPeer(rocketmq);
  if (typeof found !== "string") return found;
  console.log(`SKIPPED: all rows of RocketMQ's store: ${found}`);
  return undefined;
}

async function run(options: BenchOptions): Promise<void> {
  const directory = resolve(options.directory ?? BENCH_DIRECTORY);
  mkdirSync(directory, { recursive: true });
  const machine = describeMachine(directory, options.commit);
  console.log(`load average ${machine.loadAverage.toFixed(2)}, writing below ${directory} (${machine.fileSystem})`);
  if (machine.loadAverage > BUSY_LOAD_AVERAGE) console.log("WARNING: the machine is busy, the figures will not be its best");
  const wants: Wants = (name) => options.only.length === 0 || options.only.some((part) => name.includes(part));
  const bench: Bench = { options, directory, wants, java: javaPeer(options, wants) };
  const cells = wantedHere(bench).length;
  const estimate = options.rounds * cells * (options.seconds + options.warmUpSeconds + OVERHEAD_SECONDS);
  console.log(`${cells} workloads, ${options.rounds} rounds, about ${Math.ceil(estimate / 60)} min and the other figures`);

  const results = new Results();
  const startedAt = performance.now();
  for (let round = 1; round <= options.rounds; round++) {
    const tasks = FIGURES.flatMap((figure) => figure.round?.(bench) ?? []);
    // There and back again: whoever is next finds what the one before has left to the kernel.
    for (const task of round % 2 === 1 ? tasks : tasks.reverse()) await task(results);
    console.log(`round ${round} of ${options.rounds} done after ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  }
  for (const task of FIGURES.flatMap((figure) => figure.once?.(bench) ?? [])) await task(results);

  const peers: Record<string, string> = Object.fromEntries(PEERS.map((name) => [name, peerVersion(name)]));
  if (bench.java !== undefined) peers.RocketMQ = bench.java.version;
  const report = formatReport(results, { ...options, machine, peers });
  const page = options.report === undefined ? undefined : resolve(options.report);
  const beside = page?.replace(/\.html$/, "") ?? join(directory, `bench-${machine.date.replaceAll(":", "-")}`);
  const output = resolve(options.output ?? beside);
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(`${output}.md`, `${report}\n`);
  const record: BenchRecord = { version: 1, machine, peers, options, results: results.toJSON() };
  writeFileSync(`${output}.json`, `${JSON.stringify(record, null, 2)}\n`);
  if (page !== undefined) {
    const earlier = options.compare === undefined ? undefined : readBenchRecord(options.compare);
    writeBenchPage(page, report, results, record, earlier);
  }
  console.log(`\n${report}\nwritten to ${output}.md and .json${page === undefined ? "" : `, ${page}`}`);
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
