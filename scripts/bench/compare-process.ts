/** One round of one checkout of `compare.ts`, in a process of its own. Argument: a {@link CompareJob}; answer: by IPC. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { LatencyHistogram, monotonicUs } from "@millrace/shared-memory";
import type { MessageStore } from "@millrace/store";
import { LoadDriver } from "../load-generator/load-driver.js";
import { MessageContent } from "../load-generator/message-content.js";
import { UNPACED } from "../load-generator/pace.js";
import type { ComparedLoad } from "./compare-options.js";
import { type CpuUse, ProcessCpu } from "./measurements/process-cpu.js";

export interface CompareJob {
  readonly checkout: string;
  readonly load: ComparedLoad;
  /** Exists and is empty. */
  readonly directory: string;
}

export interface CompareResult {
  readonly messages: number;
  readonly seconds: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Until all of the messages are dispatched. */
  readonly cpu: CpuUse;
}

const SEGMENT_SIZE = 256 * 1024 * 1024;
/** Until the allocator has made the first segments ready. */
const SETTLE_MS = 500;

const { checkout, load, directory } = JSON.parse(process.argv[2] ?? "") as CompareJob;
const cpu = new ProcessCpu();
const entry = pathToFileURL(join(checkout, "packages", "store", "dist", "index.js")).href;
const { MessageStore: Store } = (await import(entry)) as { MessageStore: typeof MessageStore };
const store = await Store.open({ storePathRootDir: directory, mappedFileSizeCommitLog: SEGMENT_SIZE, ...load.options });
const lane = { topic: "BenchmarkTest", topics: 1, queues: 4, batchSize: 1 };
const content = new MessageContent({ ...lane, tags: load.keys ? 1 : 0, keyEnable: load.keys, messageSize: load.messageSize });

async function dispatched(): Promise<void> {
  while (store.dispatchBehindBytes > 0) await sleep(1);
}

async function run(lengthSeconds: number, latencyUs: LatencyHistogram): Promise<{ messages: number; seconds: number }> {
  const startUs = monotonicUs();
  const plan = { pace: UNPACED, slots: load.inFlight, units: Number.POSITIVE_INFINITY, deadlineUs: startUs + lengthSeconds * 1e6 };
  const driver = new LoadDriver(store, content, undefined, plan, latencyUs);
  await driver.run();
  if (driver.firstFailure !== undefined) throw new Error(`a put failed: ${driver.firstFailure}`);
  return { messages: driver.ackedUnits, seconds: (driver.endedUs - startUs) / 1e6 };
}

await sleep(SETTLE_MS);
await run(load.warmUpSeconds, new LatencyHistogram());
await dispatched();
const latencyUs = new LatencyHistogram();
cpu.start();
const figures = await run(load.seconds, latencyUs);
await dispatched();
const result: CompareResult = { ...figures, p50Us: latencyUs.quantile(0.5), p99Us: latencyUs.quantile(0.99), cpu: cpu.used };
await store.close();
process.send?.(result, () => process.disconnect());
