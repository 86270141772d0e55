import { runAgent, type ServiceOutcome, type ServiceTask } from "@millrace/shared-memory";
import type { PipelineData } from "../pipeline/pipeline-data.js";
import { AppendService } from "./append-service.js";

/** Entry of the append thread. */
export default async function appendWorker({ data, port }: ServiceTask<PipelineData>): Promise<ServiceOutcome> {
  const service = new AppendService(data);
  const { appendState, appendHeartbeatUs, controlBell } = service.control.counters;
  return await runAgent(service, {}, port, { state: appendState, heartbeatUs: appendHeartbeatUs, controlBell });
}
