import { runAgent, type ServiceOutcome, type ServiceTask } from "@millrace/shared-memory";
import type { PipelineData } from "../pipeline/pipeline-data.js";
import { AppendService } from "./append-service.js";

/** Entry of the append thread. */
export default async function appendWorker({ data, port }: ServiceTask<PipelineData>): Promise<ServiceOutcome> {
  const service = new AppendService(data);
  return await runAgent(service, service.rings, port, service.control);
}
