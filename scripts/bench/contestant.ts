/** One measurement, in a process of its own so that heaps and caches of contestants do not mix. Argument: the job; answer: by IPC. */
import { LatencyHistogram, monotonicUs } from "@millrace/shared-memory";
import type { Contender } from "./contender.js";
import { measureDispatchLag } from "./dispatch-lag-figure.js";
import { measureEventLoop } from "./event-loop-figure.js";
import { measureJavaStore } from "./java-store-figure.js";
import type { Job } from "./job.js";
import { measureKeepUp } from "./keep-up-figure.js";
import { LevelContender } from "./level-contender.js";
import { openLmdbContender } from "./lmdb-contender.js";
import { measureMemory } from "./memory-figure.js";
import { RawContender } from "./raw-contender.js";
import { measureReads } from "./read-figure.js";
import { measureRecovery } from "./recovery-figure.js";
import { measureRoll } from "./roll-figure.js";
import { measureSeedLines } from "./seed-figure.js";
import { SqliteContender } from "./sqlite-contender.js";
import { openStoreContender } from "./store-contender.js";
import type { Measurement, Workload } from "./workload.js";

async function openContender(workload: Workload): Promise<Contender> {
  switch (workload.contestant) {
    case "store-mapped":
    case "store-channel":
    case "store-undispatched":
      return await openStoreContender(workload);
    case "raw":
      return new RawContender(workload);
    case "lmdb":
      return openLmdbContender(workload);
    case "better-sqlite3":
      return new SqliteContender(workload);
    case "classic-level":
      return await LevelContender.open(workload);
    default:
      throw new Error(`not a contestant of a process of ours: ${workload.contestant}`);
  }
}

async function measure(workload: Workload): Promise<Measurement> {
  const contender = await openContender(workload);
  await contender.run(monotonicUs() + workload.warmUpSeconds * 1e6, new LatencyHistogram());
  const latencyUs = new LatencyHistogram();
  const startUs = monotonicUs();
  const messages = await contender.run(startUs + workload.seconds * 1e6, latencyUs);
  const seconds = (monotonicUs() - startUs) / 1e6;
  await contender.close();
  return { messages, msgPerSec: messages / seconds, p50Us: latencyUs.quantile(0.5), p99Us: latencyUs.quantile(0.99) };
}

async function perform(job: Job): Promise<unknown> {
  switch (job.kind) {
    case "workload":
      return await measure(job.workload);
    case "seed":
      return await measureSeedLines(job);
    case "roll":
      return await measureRoll(job);
    case "event-loop":
      return await measureEventLoop(job);
    case "memory":
      return await measureMemory(job);
    case "java-store":
      return await measureJavaStore(job);
    case "read":
      return await measureReads(job);
    case "dispatch-lag":
      return await measureDispatchLag(job);
    case "keep-up":
      return await measureKeepUp(job);
    case "recovery":
      return await measureRecovery(job);
  }
}

const answer = await perform(JSON.parse(process.argv[2] ?? "") as Job);
process.send?.(answer, () => process.disconnect());
