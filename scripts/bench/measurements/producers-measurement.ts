import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { monotonicUs } from "@millrace/shared-memory";
import { openReadyStore } from "../contestants/store-contestant.js";
import type { ProducersJob, ProducersResult } from "./job.js";
import { ProcessCpu } from "./process-cpu.js";
import type { ProducerTask } from "./producer-worker.js";

const WORKER = new URL("./producer-worker.js", import.meta.url);
const MESSAGE_SIZE = 128;
/** Of all producers together. */
const IN_FLIGHT = 1024;
/** Until all threads have started. */
const START_SECONDS = 1;

/** What so many producers put together; main only waits. */
export async function measureProducers(job: ProducersJob): Promise<ProducersResult> {
  const { directory, producers, seconds, warmUpSeconds } = job;
  const cpu = new ProcessCpu();
  const store = await openReadyStore({ storePathRootDir: directory });
  const startUs = monotonicUs() + (START_SECONDS + warmUpSeconds) * 1e6;
  const endUs = startUs + seconds * 1e6;
  const answers = Array.from({ length: producers }, async () => {
    const handle = store.producerHandle();
    const workerData: ProducerTask = { handle, messageSize: MESSAGE_SIZE, inFlight: IN_FLIGHT / producers, startUs, endUs };
    const worker = new Worker(WORKER, { workerData, transferList: handle.transferList });
    const [messages] = (await once(worker, "message")) as [number];
    return messages;
  });
  await sleep((startUs - monotonicUs()) / 1000);
  cpu.start();
  const messages = (await Promise.all(answers)).reduce((sum, count) => sum + count, 0);
  const measuredSeconds = (monotonicUs() - startUs) / 1e6;
  while (store.dispatchBehindBytes > 0) await sleep(1);
  const { processNs } = cpu.used;
  await store.close();
  return { msgPerSec: messages / measuredSeconds, cpuNs: processNs / messages };
}
