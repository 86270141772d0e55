import { monitorEventLoopDelay } from "node:perf_hooks";
import { openReadyStore } from "../contestants/store-contestant.js";
import type { EventLoopJob, EventLoopResult } from "./job.js";
import { measureMaxRate, runPaced } from "./paced-load.js";

const MESSAGE_SIZE = 128;
const SHARE_OF_MAX = 0.8;
const WARM_UP_SECONDS = 2;
/** The monitor is a timer of this period, and what it records includes the period. */
const RESOLUTION_MS = 1;
const NS_PER_MS = 1e6;

/** How long the event loop keeps others waiting while the store takes 80 % of what it can: ASYNC_FLUSH, 128 B. */
export async function measureEventLoop(job: EventLoopJob): Promise<EventLoopResult> {
  const store = await openReadyStore({ storePathRootDir: job.directory });
  await measureMaxRate(store, MESSAGE_SIZE, WARM_UP_SECONDS);
  const max = await measureMaxRate(store, MESSAGE_SIZE, WARM_UP_SECONDS);
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const driver = await runPaced(store, MESSAGE_SIZE, SHARE_OF_MAX * max, job.seconds);
  delay.disable();
  await store.close();
  const beyond = (ns: number): number => Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
  return {
    maxMsgPerSec: max,
    msgPerSec: driver.ackedUnits / job.seconds,
    delayP50Ms: beyond(delay.percentile(50)),
    delayP99Ms: beyond(delay.percentile(99)),
    delayMaxMs: beyond(delay.max),
  };
}
