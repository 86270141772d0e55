export {
  type Agent,
  type AgentControl,
  type EventAgent,
  type FailedService,
  failedService,
  type ServiceErrorCode,
  type ServiceOutcome,
} from "./agent.js";
export { runAgent } from "./agent-runner.js";
export { APPEND_MARKS_LENGTH, AppendMarks } from "./append-marks.js";
export { AppendStatus } from "./append-status.js";
export { type Clock, SYSTEM_CLOCK } from "./clock.js";
export { ControlBlock, type ControlBlockBuffer } from "./control-block.js";
export {
  COUNTERS,
  type CounterKind,
  type CounterName,
  heartbeatWord,
  type Role,
  type ServiceRole,
  ServiceState,
  StoreState,
  type StoreStateValue,
  stateWord,
} from "./control-block-descriptor.js";
export { ControlPort } from "./control-port.js";
export { OwnedCounter, ReadableCounter } from "./counter.js";
export { HINTS } from "./dispatch-hint-descriptor.js";
export { allocateDispatchHints, type DispatchHintBuffer, DispatchHints } from "./dispatch-hints.js";
export { runEventAgent } from "./event-agent-runner.js";
export { beginGroup, endGroup, groupBeganUs } from "./group-began.js";
export { IdleThread } from "./idle-thread.js";
export { InvariantError } from "./invariant-error.js";
export { LATENCY_BUCKETS_US, LATENCY_HISTOGRAM_LENGTH, LatencyHistogram, type LatencySnapshot } from "./latency-histogram.js";
export { durableOffset, endOffset, type ShownWhen, shownOffset, shownWhen } from "./log-ends.js";
export { monotonicMs, monotonicUs } from "./monotonic-clock.js";
export { PutBell } from "./put-bell.js";
export { allocatePutRing, type PutRingBuffers, PutRingTotal, type Regions } from "./put-ring-buffers.js";
export { PutRingConsumer } from "./put-ring-consumer.js";
export {
  FRAME_FLAG_BODY_CRC,
  FRAME_FLAG_NO_QUEUE_OFFSET,
  FRAME_FLAG_WAIT_FLUSH,
  FRAME_FLAG_WAIT_SLAVE,
} from "./put-ring-descriptor.js";
export { PutRingProducer } from "./put-ring-producer.js";
export { resetPutRing } from "./put-ring-words.js";
export {
  initializeQueues,
  type OwnedQueueColumn,
  type QueueColumns,
  queueColumns,
  type ReadableQueueColumn,
} from "./queue-columns.js";
export { allocateQueueTable, MAX_QUEUES, type QueueTableBuffers } from "./queue-table-descriptor.js";
export { QueueTableReader } from "./queue-table-reader.js";
export { QueueTableWriter } from "./queue-table-writer.js";
export { SendLane, type StuckFrame } from "./send-lane.js";
export { type ServiceEntry, type ServiceTask, serviceEntry } from "./service-entry.js";
export { ServiceFailure } from "./service-failure.js";
export { postReport } from "./service-report.js";
export { ServiceThread } from "./service-thread.js";
export { WaitStrategy } from "./wait-strategy.js";
export { wallClockMs } from "./wall-clock.js";
