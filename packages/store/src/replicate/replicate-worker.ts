import { postReport, runEventAgent, type ServiceOutcome, type ServiceTask } from "@millrace/shared-memory";
import type { PipelineData } from "../pipeline/pipeline-data.js";
import { ServiceEvents } from "../tell/service-events.js";
import type { HaReport } from "./ha-report.js";
import { HaService } from "./ha-service.js";

/** Entry of the replicate thread. */
export default async function replicateWorker({ data, port }: ServiceTask<PipelineData>): Promise<ServiceOutcome> {
  const service = new HaService(data, new ServiceEvents(port), (ha) => {
    const report: HaReport = { ha };
    postReport(port, report);
  });
  return await runEventAgent(service, {}, port, service.control);
}
