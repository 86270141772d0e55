import { storePaths } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import { runAgent, type ServiceOutcome, type ServiceTask, serviceEntry } from "@millrace/shared-memory";
import type { AllocateControl } from "../pipeline/controls.js";
import type { PipelineData } from "../pipeline/pipeline-data.js";
import { ServiceEvents } from "../tell/service-events.js";
import { AllocateMappedFileService } from "./allocate-mapped-file-service.js";
import { CommitLogScrub } from "./commit-log-scrub.js";
import { configFileControl } from "./config-file-control.js";
import { ExpiredSegments } from "./expired-segments.js";
import { IndexFileScrub } from "./index-scrub.js";

/** Life of the allocate thread. */
async function allocateWorker({ data, port }: ServiceTask<PipelineData>): Promise<ServiceOutcome> {
  const service = new AllocateMappedFileService(data, new ServiceEvents(port));
  const storage = createStorage(data.storage);
  const expired = new ExpiredSegments(storage, data.config, service.control);
  const paths = storePaths(data.config.storePathRootDir, data.config.storePathCommitLog);
  const scrub = new CommitLogScrub(storage, data.config, service.control.counters.minOffset, paths.segmentCrcs);
  const indexScrub = new IndexFileScrub(storage, paths, data.config, service.control.counters.wroteOffset, data.indexFromOffset);
  const control: AllocateControl = {
    ...configFileControl(storage),
    retireSegmentsBelow: (offset) => expired.retireSegmentsBelow(offset),
    scrubLog: (cursor, limit) => scrub.scrubLog(cursor, limit),
    scrubIndex: (cursor) => indexScrub.scrubIndex(cursor),
    deleteSegmentsBelow: (offset) => expired.deleteSegmentsBelow(offset),
  };
  return await runAgent(service, control, port, service.control);
}

export default serviceEntry(allocateWorker);
