import { KernelMemory, type SharedMemoryObject } from "@millrace/kernels";
import type { StorageSpec } from "@millrace/mapped-file";
import {
  APPEND_MARKS_LENGTH,
  allocateDispatchHints,
  allocatePutRing,
  allocateQueueTable,
  ControlBlock,
  type ControlBlockBuffer,
  type DispatchHintBuffer,
  LATENCY_HISTOGRAM_LENGTH,
  type PutRingBuffers,
  type QueueTableBuffers,
} from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";

/** Puts that can be between the ring and their acknowledgement. */
export const FRAMES = 32 * 1024;

/** Where the log stands when the pipeline starts. */
export interface PipelineStart {
  readonly minOffset: number;
  readonly maxOffset: number;
  readonly lastStoreTimestamp: number;
  /** Dispatching begins here; the index takes records from `indexFromOffset` on. */
  readonly reputFromOffset: number;
  readonly indexFromOffset: number;
  readonly deletedTopics: ReadonlyMap<string, number>;
}

/** What every service of the pipeline is given when it starts: shared memory, and plain data. */
export interface PipelineData {
  readonly config: MessageStoreConfig;
  readonly storage: StorageSpec;
  readonly control: ControlBlockBuffer;
  /** Where ring, queue offsets and staging lie, and the kernels work. */
  readonly kernelMemory: SharedMemoryObject;
  readonly ring: PutRingBuffers;
  /** The appender's: sealed records on their way from the ring to the segment. */
  readonly staging: Uint8Array;
  readonly queues: QueueTableBuffers;
  /** None where dispatchers of the user's want to see every record. */
  readonly hints: DispatchHintBuffer | undefined;
  /** Where the index begins to take records: it has all before. */
  readonly indexFromOffset: number;
  /** Records of these topics below these offsets are nobody's any more. */
  readonly deletedTopics: ReadonlyMap<string, number>;
  readonly appendMarks: SharedArrayBuffer;
  /** Buffers of the transient store pool, one segment each; empty without a pool. */
  readonly pool: readonly SharedArrayBuffer[];
  /** LatencyHistogram cells. */
  readonly putToAppendUs: SharedArrayBuffer;
  readonly appendToFlushUs: SharedArrayBuffer;
  /** The appender's own forces, and what its messages waited for them. */
  readonly appendForceUs: SharedArrayBuffer;
  readonly appendForcedUs: SharedArrayBuffer;
  readonly forceUs: SharedArrayBuffer;
  readonly allocateUs: SharedArrayBuffer;
}

/** Of the staging area, before the records: a transfer's header fits, and the records begin where memory is copied fastest. */
export const STAGING_HEAD_LENGTH = 16;

export function pipelineData(config: MessageStoreConfig, storage: StorageSpec, start: PipelineStart): PipelineData {
  const { minOffset, maxOffset, lastStoreTimestamp, reputFromOffset } = start;
  const regions = new KernelMemory();
  const poolSize = config.transientStorePoolEnable ? config.transientStorePoolSize : 0;
  return {
    config,
    storage,
    control: ControlBlock.create({
      minOffset,
      answeredOffset: maxOffset,
      wroteOffset: maxOffset,
      committedOffset: maxOffset,
      flushedOffset: maxOffset,
      appendForcedOffset: maxOffset,
      syncRequestedOffset: maxOffset,
      sendRequestedOffset: maxOffset,
      allocatedOffset: maxOffset,
      segmentWantedOffset: maxOffset,
      wroteStoreTimestamp: lastStoreTimestamp,
      reputFromOffset,
    }),
    kernelMemory: regions.shared,
    queues: allocateQueueTable(regions),
    ring: allocatePutRing(regions, config.putRingSize, FRAMES),
    hints: config.commitLogDispatchers.length === 0 ? allocateDispatchHints(regions) : undefined,
    staging: regions.take(STAGING_HEAD_LENGTH + config.putRingSize), // any record fits
    indexFromOffset: start.indexFromOffset,
    deletedTopics: start.deletedTopics,
    appendMarks: new SharedArrayBuffer(APPEND_MARKS_LENGTH),
    pool: Array.from({ length: poolSize }, () => new SharedArrayBuffer(config.mappedFileSizeCommitLog)),
    putToAppendUs: new SharedArrayBuffer(LATENCY_HISTOGRAM_LENGTH),
    appendToFlushUs: new SharedArrayBuffer(LATENCY_HISTOGRAM_LENGTH),
    appendForceUs: new SharedArrayBuffer(LATENCY_HISTOGRAM_LENGTH),
    appendForcedUs: new SharedArrayBuffer(LATENCY_HISTOGRAM_LENGTH),
    forceUs: new SharedArrayBuffer(LATENCY_HISTOGRAM_LENGTH),
    allocateUs: new SharedArrayBuffer(LATENCY_HISTOGRAM_LENGTH),
  };
}
