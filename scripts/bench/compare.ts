/** Two built checkouts under the same load, side by side: see {@link COMPARE_USAGE}. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "@millrace/cli/usage-error";
import { COMPARE_USAGE, type CompareRequest, parseCompareRequest } from "./compare-options.js";
import type { CompareJob, CompareResult } from "./compare-process.js";
import { median } from "./figures/results.js";
import { formatRate, formatUs, type Row, table } from "./figures/table.js";
import { touchMemory } from "./measurements/touched-memory.js";

const PROCESS = fileURLToPath(new URL("./compare-process.js", import.meta.url));
const BENCH_DIRECTORY = fileURLToPath(new URL("../../../.bench/", import.meta.url));
/** Nanoseconds a message below which a thread gets no line of its own. */
const LEAST_NS = 5;

async function measure(job: CompareJob): Promise<CompareResult> {
  const child = fork(PROCESS, [JSON.stringify(job)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  let answer: CompareResult | undefined;
  child.on("message", (value) => {
    answer = value as CompareResult;
  });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (answer === undefined || code !== 0) throw new Error(`the measurement ended early: code=${code} signal=${signal}`);
  return answer;
}

const rateOf = ({ messages, seconds }: CompareResult): number => messages / seconds;
const processNsOf = ({ cpu, messages }: CompareResult): number => cpu.processNs / messages;
const threadNsOf = ({ cpu, messages }: CompareResult, name: string): number => (cpu.threadNs[name] ?? 0) / messages;

const ns = (value: number): string => `${value.toFixed(0)} ns`;
const shown = (values: readonly number[], show: (value: number) => string): string =>
  `${show(median(values) ?? 0)} (${show(Math.min(...values))} - ${show(Math.max(...values))})`;

type Compared = readonly [CompareResult[], CompareResult[]];

function rowOf(name: string, [a, b]: Compared, read: (result: CompareResult) => number, show: (value: number) => string): Row {
  const [valuesA, valuesB] = [a.map(read), b.map(read)];
  const ratio = (median(valuesB) ?? 0) / (median(valuesA) ?? 0);
  return [name, shown(valuesA, show), shown(valuesB, show), ratio.toFixed(2)];
}

function reportLines(results: Compared): string[] {
  const all = [...results[0], ...results[1]];
  const names = [...new Set(all.flatMap(({ cpu }) => Object.keys(cpu.threadNs)))];
  const threads = names.filter((name) => all.some((result) => threadNsOf(result, name) >= LEAST_NS));
  return table(
    ["median (least - most)", "A", "B", "B / A"],
    [
      rowOf("messages/s", results, rateOf, formatRate),
      rowOf("p50", results, ({ p50Us }) => p50Us, formatUs),
      rowOf("p99", results, ({ p99Us }) => p99Us, formatUs),
      rowOf("CPU per message", results, processNsOf, ns),
      ...threads.map((name) => rowOf(name, results, (result) => threadNsOf(result, name), ns)),
    ],
  );
}

async function compare({ checkouts, rounds, load, directory: base }: CompareRequest): Promise<void> {
  const directory = resolve(base ?? BENCH_DIRECTORY);
  mkdirSync(directory, { recursive: true });
  for (const checkout of checkouts) {
    if (!existsSync(join(checkout, "packages", "store", "dist", "index.js"))) {
      throw new UsageError(`not a built checkout: ${checkout}`);
    }
  }
  const results: Compared = [[], []];
  for (let round = 1; round <= rounds; round++) {
    // Whoever is second finds what the first has left to the kernel: they take turns.
    for (const side of round % 2 === 1 ? ([0, 1] as const) : ([1, 0] as const)) {
      const runDirectory = mkdtempSync(join(directory, "compare-"));
      try {
        touchMemory(runDirectory, load.warmUpSeconds + load.seconds);
        const result = await measure({ checkout: resolve(checkouts[side]), load, directory: runDirectory });
        results[side].push(result);
        console.log(
          `round ${round}, ${"AB"[side]}: ${formatRate(rateOf(result))} messages/s, CPU ${ns(processNsOf(result))} a message`,
        );
      } finally {
        rmSync(runDirectory, { recursive: true, force: true });
      }
    }
  }
  console.log(["", `A: ${checkouts[0]}`, `B: ${checkouts[1]}`, "", ...reportLines(results)].join("\n"));
}

try {
  const request = parseCompareRequest(process.argv.slice(2));
  if (request === undefined) console.log(COMPARE_USAGE);
  else await compare(request);
} catch (error) {
  const isUsage = error instanceof UsageError;
  console.error(isUsage ? `${COMPARE_USAGE}\n\n${error.message}` : error);
  process.exitCode = isUsage ? 2 : 1;
}
