import { postReport, runAgent, runEventAgent, type ServiceOutcome, type ServiceTask, serviceEntry } from "@millrace/shared-memory";
import type { AppendControl } from "../pipeline/controls.js";
import type { PipelineData } from "../pipeline/pipeline-data.js";
import type { HaReport } from "../replicate/ha-report.js";
import { ServiceEvents } from "../tell/service-events.js";
import { AppendService } from "./append-service.js";
import { SlaveAppendService } from "./slave-append-service.js";

/** Producers of a slave put nothing. */
const NO_RINGS: AppendControl = { addRing: () => {}, removeRing: () => true };

/** Life of the append thread. */
async function appendWorker({ data, port }: ServiceTask<PipelineData>): Promise<ServiceOutcome> {
  if (data.config.brokerRole === "SLAVE") {
    const report = (ha: HaReport): void => postReport(port, ha);
    const slave = new SlaveAppendService(data, new ServiceEvents(port), {
      onStats: (ha) => report({ ha }),
      onQueue: (topic, queueId) => report({ queue: { topic, queueId } }),
    });
    return await runEventAgent(slave, { ...NO_RINGS }, port, slave.control);
  }
  const service = new AppendService(data);
  return await runAgent(service, service.rings, port, service.control);
}

export default serviceEntry(appendWorker);
