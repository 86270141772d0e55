import { runAgent, type ServiceOutcome, type ServiceTask, StoreState, serviceEntry } from "@millrace/shared-memory";
import type { FlushControl } from "../pipeline/controls.js";
import type { PipelineData } from "../pipeline/pipeline-data.js";
import { FlushPosition } from "./flush-position.js";
import { FlushRealTimeService } from "./flush-real-time-service.js";
import { GroupCommitService } from "./group-commit-service.js";
import { PoolCommitter } from "./pool-committer.js";

const APPENDER_LOOK_MS = 1;

/** Life of the flush thread. */
async function flushWorker({ data, port }: ServiceTask<PipelineData>): Promise<ServiceOutcome> {
  const { config } = data;
  const position = new FlushPosition(data);
  if (config.flushDiskType === "SYNC_FLUSH") {
    const service = new GroupCommitService(position);
    const control = flushControl(position, () => service.doWork());
    return await runAgent(service, control, port, position.control);
  }
  const commit = config.transientStorePoolEnable ? new PoolCommitter(position, config, data.pool) : undefined;
  const service = new FlushRealTimeService(position, config, commit);
  const control = flushControl(position, () => service.flush());
  return await runAgent(service, control, port, position.control);
}

export default serviceEntry(flushWorker);

/** A control call's failure would go back to its caller only; it must end the service too. */
function flushControl(position: FlushPosition, flush: () => void): FlushControl {
  return {
    flushNow: (acknowledged) => {
      const { storeState, wroteOffset } = position.control.counters;
      try {
        flush();
        while (position.flushed < acknowledged && storeState.get() === StoreState.running) {
          wroteOffset.wait(wroteOffset.get(), APPENDER_LOOK_MS);
          flush();
        }
        return position.flushed;
      } catch (error) {
        position.fail(error);
        throw error;
      }
    },
  };
}
