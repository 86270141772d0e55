import { runAgent, type ServiceOutcome, type ServiceTask } from "@millrace/shared-memory";
import type { PipelineData } from "../service-task.js";
import { AllocateMappedFileService } from "./allocate-mapped-file-service.js";

/** Entry of the allocate thread. */
export default async function allocateWorker({ data, port }: ServiceTask<PipelineData>): Promise<ServiceOutcome> {
  const service = new AllocateMappedFileService(data);
  const { allocateState, allocateHeartbeatUs, controlBell } = service.control.counters;
  return await runAgent(service, {}, port, { state: allocateState, heartbeatUs: allocateHeartbeatUs, controlBell });
}
