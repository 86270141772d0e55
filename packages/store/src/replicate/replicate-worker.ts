import { postReport, runEventAgent, type ServiceOutcome, type ServiceTask, serviceEntry } from "@millrace/shared-memory";
import type { PipelineData } from "../pipeline/pipeline-data.js";
import { ServiceEvents } from "../tell/service-events.js";
import type { HaReport } from "./ha-report.js";
import { HaService } from "./ha-service.js";

/** Life of the replicate thread. */
async function replicateWorker({ data, port }: ServiceTask<PipelineData>): Promise<ServiceOutcome> {
  const service = new HaService(data, new ServiceEvents(port), (ha) => {
    const report: HaReport = { ha };
    postReport(port, report);
  });
  return await runEventAgent(service, {}, port, service.control);
}

export default serviceEntry(replicateWorker);
