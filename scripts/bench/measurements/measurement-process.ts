/** One measurement, in a process of its own so that heaps and caches of contestants do not mix. Argument: the job; answer: by IPC. */
import { LatencyHistogram, monotonicUs } from "@millrace/shared-memory";
import { percentilesOf } from "../../load-generator/load-charts.js";
import type { Contestant } from "../contestants/contestant.js";
import { DriverTarget } from "../contestants/driver-target.js";
import { LevelTarget } from "../contestants/level-target.js";
import { LmdbTarget } from "../contestants/lmdb-target.js";
import { LoadContestant } from "../contestants/load-contestant.js";
import { RawTarget } from "../contestants/raw-target.js";
import { SqliteTarget } from "../contestants/sqlite-target.js";
import { openStoreContestant } from "../contestants/store-contestant.js";
import type { Measurement, Workload } from "../contestants/workload.js";
import { measureDispatchLag } from "./dispatch-lag-measurement.js";
import { measureEventLoop } from "./event-loop-measurement.js";
import { measureJavaStore } from "./java-store-measurement.js";
import type { Job, JobKind, JobOf } from "./job.js";
import { measureKeepUp } from "./keep-up-measurement.js";
import { measureMemory } from "./memory-measurement.js";
import { measureOpening } from "./opening-measurement.js";
import { ProcessCpu } from "./process-cpu.js";
import { measureProducers } from "./producers-measurement.js";
import { measureReads } from "./read-measurement.js";
import { measureRecovery } from "./recovery-measurement.js";
import { measureJavaReplication, measureReplication } from "./replication-measurement.js";
import { measureRoll } from "./roll-measurement.js";
import { measureSeedLines } from "./seed-measurement.js";

async function openContestant(workload: Workload): Promise<Contestant> {
  switch (workload.contestant) {
    case "store-mapped":
    case "store-channel":
    case "store-undispatched":
    case "store-keys":
      return await openStoreContestant(workload);
    case "driver":
      return new LoadContestant(new DriverTarget(), workload, "each");
    case "driver-group":
      return new LoadContestant(new DriverTarget(), workload, "group");
    case "raw":
      return new LoadContestant(new RawTarget(workload), workload, "group");
    case "lmdb":
      return new LoadContestant(new LmdbTarget(workload), workload, "each");
    case "better-sqlite3":
      return new LoadContestant(new SqliteTarget(workload), workload, "group");
    case "classic-level":
      return new LoadContestant(await LevelTarget.open(workload), workload, "group");
    default:
      throw new Error(`not a contestant of a process of ours: ${workload.contestant}`);
  }
}

async function measure(workload: Workload): Promise<Measurement> {
  const cpu = new ProcessCpu();
  const contestant = await openContestant(workload);
  await contestant.run(monotonicUs() + workload.warmUpSeconds * 1e6, new LatencyHistogram());
  await contestant.settled();
  const latencyUs = new LatencyHistogram();
  cpu.start();
  const startUs = monotonicUs();
  const messages = await contestant.run(startUs + workload.seconds * 1e6, latencyUs);
  const seconds = (monotonicUs() - startUs) / 1e6;
  const { samples = [] } = contestant;
  await contestant.settled();
  const { processNs, threadNs } = cpu.used;
  await contestant.close();
  return {
    messages,
    msgPerSec: messages / seconds,
    p50Us: latencyUs.quantile(0.5),
    p99Us: latencyUs.quantile(0.99),
    p999Us: latencyUs.quantile(0.999),
    cpuNs: processNs / messages,
    ...(threadNs.main === undefined ? {} : { mainNs: threadNs.main / messages }),
    ...(samples.length === 0 ? {} : { series: { samples, percentiles: percentilesOf(latencyUs) } }),
  };
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
  opening: measureOpening,
  producers: measureProducers,
  replication: measureReplication,
  "java-replication": measureJavaReplication,
};

function perform<K extends JobKind>(job: JobOf<K> & { readonly kind: K }): Promise<unknown> {
  return MEASURES[job.kind](job);
}

const answer = await perform(JSON.parse(process.argv[2] ?? "") as Job);
process.send?.(answer, () => process.disconnect());
