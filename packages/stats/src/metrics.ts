import { COUNTERS, type CounterKind, type CounterName } from "@millrace/shared-memory";
import type { LatencySnapshot, StoreStats } from "./store-stats.js";

export type MetricType = "counter" | "gauge";
/** What a value is in: of each the outputs know how it is written. */
export type MetricUnit = "count" | "bytes" | "microseconds" | "milliseconds" | "ratio";

/** One number of the stats: in the text as label and value in the row of its section, in Prometheus' format as a family of one sample. */
export interface Metric {
  readonly section: string;
  readonly label: string;
  /** Prometheus' name without its prefix: in seconds or bytes, and `_total` at the end of a counter. */
  readonly name: string;
  readonly type: MetricType;
  /** One sentence. */
  readonly help: string;
  readonly unit: MetricUnit;
  readonly value: (stats: StoreStats) => number;
}

/** A distribution of times. */
export interface LatencyMetric {
  readonly label: string;
  readonly name: string;
  readonly help: string;
  readonly value: (stats: StoreStats) => LatencySnapshot;
}

type Value = (stats: StoreStats) => number;

/** What Prometheus calls a shared word of this kind. */
const METRIC_TYPES: Readonly<Record<CounterKind, MetricType>> = {
  position: "gauge",
  total: "counter",
  moment: "gauge",
  gauge: "gauge",
  state: "gauge",
};

/** All numbers, in the order of the text; the help of what is a shared word is the word's. */
export const METRICS: readonly Metric[] = [
  ofWord("offsets", "min", "min_offset_bytes", "minOffset", "count", (s) => s.offsets.minOffset),
  gauge("offsets", "wrote", "wrote_offset_bytes", "End of the commit log.", "count", (s) => s.offsets.wroteOffset),
  gauge("offsets", "flushed", "flushed_offset_bytes", "End of what is durable.", "count", (s) => s.offsets.flushedOffset),
  ofWord("offsets", "committed", "committed_offset_bytes", "committedOffset", "count", (s) => s.offsets.committedOffset),
  ofWord("offsets", "allocated", "allocated_offset_bytes", "allocatedOffset", "count", (s) => s.offsets.allocatedOffset),

  counter("put", "messages", "put_messages_total", "Messages put.", "count", (s) => s.put.messages),
  counter("put", "bytes", "put_bytes_total", "Bytes of the records put.", "bytes", (s) => s.put.bytes),
  counter("put", "failed", "put_failures_total", "Messages refused or failed.", "count", (s) => s.put.failed),
  gauge(
    "put",
    "in flight",
    "put_in_flight",
    "Puts of the store's own thread not acknowledged yet.",
    "count",
    (s) => s.put.inFlight,
  ),
  gauge(
    "put",
    "waiting",
    "put_waiting",
    "Puts of the store's own thread that wait for room in the ring.",
    "count",
    (s) => s.put.waiting,
  ),
  counter("put", "stalls", "put_stalls_total", "Puts that found the ring full.", "count", (s) => s.put.stalls),

  gauge("ring", "used", "ring_used_bytes", "Bytes in the ring of the store's own thread.", "bytes", (s) => s.ring.usedBytes),
  gauge(
    "ring",
    "capacity",
    "ring_capacity_bytes",
    "Size of the ring between the store's own thread and the appender.",
    "bytes",
    (s) => s.ring.capacityBytes,
  ),
  gauge(
    "ring",
    "used frames",
    "ring_used_frames",
    "Records in the ring of the store's own thread.",
    "count",
    (s) => s.ring.usedFrames,
  ),
  gauge(
    "ring",
    "frames",
    "ring_capacity_frames",
    "Records that the ring of the store's own thread can hold.",
    "count",
    (s) => s.ring.capacityFrames,
  ),

  ofWord("append", "messages", "append_messages_total", "appendMessages", "count", (s) => s.append.messages),
  ofWord("append", "bytes", "append_bytes_total", "appendBytes", "bytes", (s) => s.append.bytes),
  ofWord("append", "groups", "append_groups_total", "appendGroups", "count", (s) => s.append.groups),
  ofWord("append", "largest", "append_group_messages_max", "appendMaxGroupMessages", "count", (s) => s.append.maxGroupMessages),
  ofWord("append", "stalls", "append_stalls_total", "appendStalls", "count", (s) => s.append.stalls),
  ofWord("append", "rolls", "segment_rolls_total", "appendRolls", "count", (s) => s.append.rolls),
  ofWord("append", "longest roll", "segment_roll_max_seconds", "appendRollMaxUs", "microseconds", (s) => s.append.rollMaxUs),

  counter("flush", "forces", "flush_forces_total", "Forces that succeeded.", "count", (s) => s.flush.forces),
  counter("flush", "bytes", "flush_bytes_total", "Bytes made durable.", "bytes", (s) => s.flush.bytes),
  ofWord("flush", "failures", "flush_failures_total", "flushFailures", "count", (s) => s.flush.failures),
  ofWord("flush", "commits", "flush_commits_total", "flushCommits", "count", (s) => s.flush.commits),

  ofWord("dispatch", "up to", "reput_from_offset_bytes", "reputFromOffset", "count", (s) => s.dispatch.reputFromOffset),
  gauge(
    "dispatch",
    "behind",
    "dispatch_behind_bytes",
    "Bytes of the log that cannot be consumed yet.",
    "bytes",
    (s) => s.dispatch.behindBytes,
  ),
  gauge(
    "dispatch",
    "behind messages",
    "dispatch_behind_messages",
    "Messages that cannot be consumed yet.",
    "count",
    (s) => s.dispatch.behindMessages,
  ),
  ofWord("dispatch", "messages", "dispatch_messages_total", "dispatchMessages", "count", (s) => s.dispatch.messages),
  ofWord("dispatch", "hinted", "dispatch_hinted_total", "dispatchHinted", "count", (s) => s.dispatch.hinted),
  ofWord("dispatch", "groups", "dispatch_groups_total", "dispatchGroups", "count", (s) => s.dispatch.groups),
  ofWord("dispatch", "forces", "dispatch_forces_total", "dispatchForces", "count", (s) => s.dispatch.forces),
  ofWord("dispatch", "failures", "dispatch_failures", "dispatchFailures", "count", (s) => s.dispatch.failures),
  ofWord(
    "dispatch",
    "refused queues",
    "dispatch_refused_queues_total",
    "dispatchRefusedQueues",
    "count",
    (s) => s.dispatch.refusedQueues,
  ),

  counter(
    "get",
    "messages",
    "get_transferred_messages_total",
    "Messages handed to readers.",
    "count",
    (s) => s.get.transferredMessages,
  ),
  counter("get", "found", "get_found_total", "Gets that found messages.", "count", (s) => s.get.found),
  counter("get", "miss", "get_miss_total", "Gets that found none.", "count", (s) => s.get.miss),
  counter(
    "get",
    "corrupt",
    "get_corrupt_records_total",
    "Records found not to be as they were written.",
    "count",
    (s) => s.get.corruptRecords,
  ),
  gauge("get", "longest", "get_max_seconds", "Longest get.", "milliseconds", (s) => s.get.entireTimeMaxMs),

  counter("schedule", "delivered", "schedule_delivered_total", "Delayed messages delivered.", "count", (s) => s.schedule.delivered),
  counter("schedule", "retried", "schedule_retried_total", "Deliveries tried again.", "count", (s) => s.schedule.retried),
  counter(
    "schedule",
    "skipped",
    "schedule_skipped_total",
    "Delayed messages that could not be delivered.",
    "count",
    (s) => s.schedule.skipped,
  ),

  counter(
    "scrub",
    "read",
    "scrub_bytes_total",
    "Bytes that were read again to find what has changed.",
    "bytes",
    (s) => s.scrub.bytes,
  ),
  counter(
    "scrub",
    "damages",
    "scrub_damages_total",
    "Places found not to be as they were written.",
    "count",
    (s) => s.scrub.damages,
  ),

  ofWord("replicate", "slaves", "slaves", "connectedSlaves", "count", (s) => s.replicate.slaves),
  ofWord("replicate", "in sync", "slaves_in_sync", "inSyncSlaves", "count", (s) => s.replicate.inSyncSlaves),
  ofWord("replicate", "up to", "replicated_offset_bytes", "replicatedOffset", "count", (s) => s.replicate.replicatedOffset),
  ofWord("replicate", "sent", "replicate_bytes_total", "replicateBytes", "bytes", (s) => s.replicate.bytes),
  ofWord("replicate", "refused", "replicate_refused_total", "replicateRefused", "count", (s) => s.replicate.refused),

  gauge("disk", "used", "commit_log_disk_ratio", "Used share of the commit log's disk.", "ratio", (s) => s.disk.commitLogRatio),
  gauge(
    "disk",
    "used by ConsumeQueues",
    "consume_queue_disk_ratio",
    "Used share of the ConsumeQueues' disk.",
    "ratio",
    (s) => s.disk.consumeQueueRatio,
  ),
  gauge("disk", "full", "disk_full", "1 while no puts are taken because the disk is full.", "count", (s) => (s.disk.full ? 1 : 0)),
  ofWord("disk", "deleted segments", "deleted_segments_total", "allocateDeletedSegments", "count", (s) => s.disk.deletedSegments),
  gauge(
    "disk",
    "oldest segment of the future",
    "oldest_segment_in_future",
    "1 while the oldest segment's file says that it was changed later than now.",
    "count",
    (s) => (s.disk.oldestInFuture ? 1 : 0),
  ),
  gauge(
    "disk",
    "kept for delay",
    "segments_kept_for_delay",
    "1 while a segment is kept for a delayed message that has not been delivered.",
    "count",
    (s) => (s.disk.keptForDelay ? 1 : 0),
  ),

  ofWord("allocate", "segments", "allocate_segments_total", "allocateSegments", "count", (s) => s.allocate.segments),
  gauge(
    "allocate",
    "ready",
    "allocate_segments_ready",
    "Segments ready ahead of the appender.",
    "count",
    (s) => s.allocate.segmentsReady,
  ),
  ofWord("allocate", "locked", "allocate_locked_bytes", "allocateLockedBytes", "bytes", (s) => s.allocate.lockedBytes),
  ofWord(
    "allocate",
    "lock failures",
    "allocate_lock_failures_total",
    "allocateLockFailures",
    "count",
    (s) => s.allocate.lockFailures,
  ),
];

export const LATENCY_METRICS: readonly LatencyMetric[] = [
  {
    label: "put to append",
    name: "put_to_append_seconds",
    help: "From the put to its record in the log.",
    value: (s) => s.latency.putToAppendUs,
  },
  {
    label: "append to flush",
    name: "append_to_flush_seconds",
    help: "From the record in the log to the force that covers it.",
    value: (s) => s.latency.appendToFlushUs,
  },
  {
    label: "put to ack",
    name: "put_to_ack_seconds",
    help: "From the put to the producer's acknowledgement.",
    value: (s) => s.latency.putToAckUs,
  },
  { label: "force", name: "flush_force_seconds", help: "Duration of a force.", value: (s) => s.flush.forceUs },
  { label: "allocation", name: "allocate_seconds", help: "Duration of an allocation.", value: (s) => s.allocate.allocateUs },
];

function counter(section: string, label: string, name: string, help: string, unit: MetricUnit, value: Value): Metric {
  return { section, label, name, type: "counter", help, unit, value };
}

function gauge(section: string, label: string, name: string, help: string, unit: MetricUnit, value: Value): Metric {
  return { section, label, name, type: "gauge", help, unit, value };
}

function ofWord(section: string, label: string, name: string, word: CounterName, unit: MetricUnit, value: Value): Metric {
  const { kind, help } = COUNTERS[word];
  return { section, label, name, type: METRIC_TYPES[kind], help, unit, value };
}
