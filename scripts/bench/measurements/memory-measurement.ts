import { readFileSync } from "node:fs";
import { LoadDriver } from "../../load-generator/load-driver.js";
import { UNPACED } from "../../load-generator/pace.js";
import { benchContent } from "../contestants/load-contestant.js";
import { openReadyStore } from "../contestants/store-contestant.js";
import type { MemoryJob, MemoryResult } from "./job.js";

const MESSAGE_SIZE = 128;
const WINDOW = 1024;
const SAMPLE_MS = 100;

/** Bytes, from a line "RssFile:  1234 kB" of /proc/self/status. */
function statusBytes(status: string, name: string): number {
  const [, kilobytes = "0"] = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status) ?? [];
  return Number(kilobytes) * 1024;
}

interface Rss {
  /** Heaps, stacks, buffers; the ring too, which is shared memory of this process only. */
  readonly anonymous: number;
  /** Mapped files: segments, and the code of Node and libraries. */
  readonly file: number;
}

function readRss(): Rss {
  const status = readFileSync("/proc/self/status", "utf8");
  return { anonymous: statusBytes(status, "RssAnon") + statusBytes(status, "RssShmem"), file: statusBytes(status, "RssFile") };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** ASYNC_FLUSH, 128 B, 1024 in flight: what the process takes beyond segment mappings and ring, and whether it grows. Linux only. */
export async function measureMemory(job: MemoryJob): Promise<MemoryResult> {
  const before = readRss();
  const store = await openReadyStore({ storePathRootDir: job.directory });
  const ringBytes = store.stats().ring.capacityBytes;
  const plan = { pace: UNPACED, slots: WINDOW, units: job.messages, deadlineUs: Number.POSITIVE_INFINITY };
  const driver = new LoadDriver(store, benchContent(MESSAGE_SIZE), undefined, plan);
  const samples: number[] = [];
  let mappedPeakBytes = 0;
  const timer = setInterval(() => {
    const rss = readRss();
    samples.push(rss.anonymous + before.file - ringBytes);
    mappedPeakBytes = Math.max(mappedPeakBytes, rss.file - before.file);
  }, SAMPLE_MS);
  await driver.run();
  clearInterval(timer);
  await store.close();
  if (driver.firstFailure !== undefined) throw new Error(`a put failed: ${driver.firstFailure}`);
  const quarter = Math.floor(samples.length / 4);
  return {
    messages: driver.ackedUnits,
    peakBytes: Math.max(0, ...samples),
    earlyBytes: median(samples.slice(quarter, 2 * quarter)),
    lateBytes: median(samples.slice(3 * quarter)),
    ringBytes,
    mappedPeakBytes,
  };
}
