/** One measurement, in a process of its own so that heaps and caches of contestants do not mix. Argument: the job; answer: by IPC. */
import { LatencyHistogram, monotonicUs } from "@millrace/shared-memory";
import type { Contestant } from "../contestants/contestant.js";
import { LevelContestant } from "../contestants/level-contestant.js";
import { openLmdbContestant } from "../contestants/lmdb-contestant.js";
import { RawContestant } from "../contestants/raw-contestant.js";
import { SqliteContestant } from "../contestants/sqlite-contestant.js";
import { openStoreContestant } from "../contestants/store-contestant.js";
import type { Measurement, Workload } from "../contestants/workload.js";
import { measureDispatchLag } from "./dispatch-lag-measurement.js";
import { measureEventLoop } from "./event-loop-measurement.js";
import { measureJavaStore } from "./java-store-measurement.js";
import type { Job, JobKind, JobOf } from "./job.js";
import { measureKeepUp } from "./keep-up-measurement.js";
import { measureMemory } from "./memory-measurement.js";
import { measureReads } from "./read-measurement.js";
import { measureRecovery } from "./recovery-measurement.js";
import { measureRoll } from "./roll-measurement.js";
import { measureSeedLines } from "./seed-measurement.js";

async function openContestant(workload: Workload): Promise<Contestant> {
  switch (workload.contestant) {
    case "store-mapped":
    case "store-channel":
    case "store-undispatched":
      return await openStoreContestant(workload);
    case "raw":
      return new RawContestant(workload);
    case "lmdb":
      return openLmdbContestant(workload);
    case "better-sqlite3":
      return new SqliteContestant(workload);
    case "classic-level":
      return await LevelContestant.open(workload);
    default:
      throw new Error(`not a contestant of a process of ours: ${workload.contestant}`);
  }
}

async function measure(workload: Workload): Promise<Measurement> {
  const contestant = await openContestant(workload);
  await contestant.run(monotonicUs() + workload.warmUpSeconds * 1e6, new LatencyHistogram());
  const latencyUs = new LatencyHistogram();
  const startUs = monotonicUs();
  const messages = await contestant.run(startUs + workload.seconds * 1e6, latencyUs);
  const seconds = (monotonicUs() - startUs) / 1e6;
  await contestant.close();
  return { messages, msgPerSec: messages / seconds, p50Us: latencyUs.quantile(0.5), p99Us: latencyUs.quantile(0.99) };
}

/** Each kind of job, and what does it. */
const MEASURES: { readonly [K in JobKind]: (job: JobOf<K>) => Promise<unknown> } = {
  workload: ({ workload }) => measure(workload),
  seed: measureSeedLines,
  roll: measureRoll,
  "event-loop": measureEventLoop,
  memory: measureMemory,
  "java-store": measureJavaStore,
  read: measureReads,
  "dispatch-lag": measureDispatchLag,
  "keep-up": measureKeepUp,
  recovery: measureRecovery,
};

function perform<K extends JobKind>(job: JobOf<K> & { readonly kind: K }): Promise<unknown> {
  return MEASURES[job.kind](job);
}

const answer = await perform(JSON.parse(process.argv[2] ?? "") as Job);
process.send?.(answer, () => process.disconnect());
