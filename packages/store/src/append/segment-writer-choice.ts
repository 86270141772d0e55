import type { ControlBlock } from "@millrace/shared-memory";
import type { PipelineData } from "../pipeline/pipeline-data.js";
import { ChannelSegmentWriter } from "./channel-segment-writer.js";
import { MappedSegmentWriter } from "./mapped-segment-writer.js";
import { PoolSegmentWriter } from "./pool-segment-writer.js";
import type { SegmentWriter } from "./segment-writer.js";

/** By the options. */
export function segmentWriter(data: PipelineData, control: ControlBlock<"append">): SegmentWriter {
  if (data.config.transientStorePoolEnable) return new PoolSegmentWriter(data.pool, control.counters.committedOffset);
  return data.config.writeWithoutMmap
    ? new ChannelSegmentWriter()
    : new MappedSegmentWriter(data.config.flushDiskType === "SYNC_FLUSH");
}
