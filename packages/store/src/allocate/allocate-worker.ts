import { createStorage } from "@millrace/mapped-file";
import { runAgent, type ServiceOutcome, type ServiceTask } from "@millrace/shared-memory";
import type { PipelineData } from "../service-task.js";
import { AllocateMappedFileService } from "./allocate-mapped-file-service.js";
import { ExpiredSegments, type ExpiredSegmentsControl } from "./expired-segments.js";

/** Entry of the allocate thread. */
export default async function allocateWorker({ data, port }: ServiceTask<PipelineData>): Promise<ServiceOutcome> {
  const service = new AllocateMappedFileService(data);
  const { counters } = service.control;
  const expired = new ExpiredSegments(createStorage(data.storage), data.config, counters);
  const control: ExpiredSegmentsControl = {
    retireSegmentsBelow: (offset) => expired.retireSegmentsBelow(offset),
    deleteSegmentsBelow: (offset) => expired.deleteSegmentsBelow(offset),
  };
  const { allocateState, allocateHeartbeatUs, controlBell } = counters;
  return await runAgent(service, control, port, { state: allocateState, heartbeatUs: allocateHeartbeatUs, controlBell });
}
