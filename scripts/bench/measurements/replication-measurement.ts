import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LatencyHistogram, monotonicUs } from "@millrace/shared-memory";
import type { MessageStoreOptions } from "@millrace/store";
import { freePort } from "../../load-generator/cuttable-proxy.js";
import { SlaveProcess } from "../../load-generator/slave-process.js";
import { LoadContestant } from "../contestants/load-contestant.js";
import { BENCH_SEGMENT_SIZE, openReadyStore } from "../contestants/store-contestant.js";
import type { Measurement } from "../contestants/workload.js";
import { JavaProcess } from "../java/java-process.js";
import type { JavaReplicationJob, ReplicationJob, ReplicationResult } from "./job.js";

const MESSAGE_SIZE = 128;
const LOOK_MS = 20;
/** RocketMQ 4's slave reports for the first time after 5 s. */
const JAVA_ATTEMPTS = 60;
const JAVA_LOOK_MS = 500;
/** Nobody is late on a busy machine: what is measured is how long it takes. */
const SLAVE_TIMEOUT_MS = 60_000;

/** Puts into a store that one slave, a process, follows. */
export async function measureReplication(job: ReplicationJob): Promise<ReplicationResult> {
  const { role, inFlight, seconds, warmUpSeconds, directory } = job;
  const options: MessageStoreOptions =
    role === "alone" ? {} : { brokerRole: role, haListenPort: 0, slaveTimeout: SLAVE_TIMEOUT_MS };
  const store = await openReadyStore({ storePathRootDir: join(directory, "master"), ...options });
  const of = `127.0.0.1:${store.stats().ha?.listen?.port}`;
  await using slave = role === "alone" ? undefined : new SlaveProcess(join(directory, "slave"), of, BENCH_SEGMENT_SIZE, false);
  while (role !== "alone" && store.stats().replicate.inSyncSlaves < 1) await sleep(LOOK_MS);
  const target = {
    putMessage: (message: Parameters<typeof store.putMessage>[0]) => store.putMessage(message),
    putMessages: (batch: Parameters<typeof store.putMessages>[0]) => store.putMessages(batch),
    close: () => store.close(),
  };
  const workload = { contestant: "store-mapped", durability: "page-cache", messageSize: MESSAGE_SIZE, inFlight } as const;
  const contestant = new LoadContestant(target, { ...workload, directory, warmUpSeconds, seconds }, "each");
  await contestant.run(monotonicUs() + warmUpSeconds * 1e6, new LatencyHistogram());
  const latencyUs = new LatencyHistogram();
  const startUs = monotonicUs();
  const messages = await contestant.run(startUs + seconds * 1e6, latencyUs);
  const measuredSeconds = (monotonicUs() - startUs) / 1e6;
  await contestant.close();
  await slave?.end();
  const p50Us = latencyUs.quantile(0.5);
  return { msgPerSec: messages / measuredSeconds, p50Us, p99Us: latencyUs.quantile(0.99), answeredP50Us: p50Us };
}

/** The same with RocketMQ's stores, in the order of the windows. */
export async function measureJavaReplication(job: JavaReplicationJob): Promise<ReplicationResult[]> {
  const { java, configuration, windows, seconds, warmUpSeconds, directory } = job;
  const port = await freePort();
  const start = (role: "SYNC_MASTER" | "SLAVE"): JavaProcess => {
    const own = join(directory, role);
    mkdirSync(own);
    return new JavaProcess(java, configuration, "ASYNC_FLUSH", own, { role, port });
  };
  const [master, slave] = [start("SYNC_MASTER"), start("SLAVE")];
  const put = (inFlight: number, warmUpMs: number, ms: number): Promise<Measurement> =>
    master.ask("put", MESSAGE_SIZE, inFlight, Math.round(warmUpMs), Math.round(ms));
  let failures: Measurement["failures"] = { none: 1 };
  for (let n = 0; n < JAVA_ATTEMPTS && Object.keys(failures ?? {}).length > 0; n++) {
    ({ failures } = await put(1, 0, 1));
    await sleep(JAVA_LOOK_MS);
  }
  const results: ReplicationResult[] = [];
  for (const inFlight of windows) {
    const result = await put(inFlight, 1000 * warmUpSeconds, 1000 * seconds);
    if (Object.keys(result.failures ?? {}).length > 0)
      throw new Error(`a put failed: RocketMQ's SYNC_MASTER inFlight=${inFlight} failures=${JSON.stringify(result.failures)}`);
    const { msgPerSec, p50Us, p99Us, answeredP50Us = p50Us } = result;
    results.push({ msgPerSec, p50Us, p99Us, answeredP50Us });
  }
  await master.end();
  await slave.end();
  return results;
}
