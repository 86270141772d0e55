import type { StorageSpec } from "@millrace/mapped-file";
import type { ControlBlockBuffer, PutRingBuffers, QueueTableBuffers } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "./message-store-config.js";

/** Main and the service threads. */
export const PIPELINE_THREADS = 5;

/** What every service of the pipeline is given when it starts: shared memory, and plain data. */
export interface PipelineData {
  readonly config: MessageStoreConfig;
  readonly storage: StorageSpec;
  readonly control: ControlBlockBuffer;
  readonly ring: PutRingBuffers;
  readonly queues: QueueTableBuffers;
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
