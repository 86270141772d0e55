/** The replicate thread of the lane's test, without a pipeline around it. */
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import type { PipelineData } from "#store/pipeline/pipeline-data.js";
import { HaService } from "#store/replicate/ha-service.js";
import { NO_EVENTS } from "../support/no-events.js";

const TICK_MS = 50;

/** Says its port, and ends when it is told anything. */
async function serve(): Promise<void> {
  let port = 0;
  const service = new HaService(workerData as PipelineData, NO_EVENTS, ({ listen }) => {
    port = listen?.port ?? port;
  });
  await service.onStart();
  const timer = setInterval(() => service.onTick(), TICK_MS);
  parentPort?.once("message", () => {
    clearInterval(timer);
    void service.onClose();
  });
  parentPort?.postMessage(port);
}

if (!isMainThread) await serve();
