import { COUNTERS, type CounterKind, type CounterName, ServiceState, StoreState } from "@millrace/shared-memory";
import type { LatencySnapshot, ServiceStats, StoreStats } from "./store-stats.js";

type Labels = Readonly<Record<string, string>>;
type MetricType = "counter" | "gauge";
type Sample = readonly [labels: Labels, value: number];

const NO_LABELS: Labels = {};
const STATES = Object.keys(StoreState);
const SERVICE_STATES = Object.keys(ServiceState);
/** What Prometheus calls a shared word of this kind. */
const METRIC_TYPES: Readonly<Record<CounterKind, MetricType>> = {
  position: "gauge",
  total: "counter",
  gauge: "gauge",
  state: "gauge",
};
const US_PER_SECOND = 1e6;
const MS_PER_SECOND = 1e3;

/**
 * The figures in Prometheus' text exposition format 0.0.4: seconds and bytes, counters end in `_total`, latencies are summaries whose
 * quantile "1" is the maximum. Ends in a line feed.
 */
export function toPrometheus(stats: StoreStats): string {
  const page = new ExpositionPage();
  writeStore(page, stats);
  writePut(page, stats);
  writeRing(page, stats);
  writeAppend(page, stats);
  writeFlush(page, stats);
  writeDispatch(page, stats);
  writeSchedule(page, stats);
  writeAllocate(page, stats);
  writeDisk(page, stats);
  page.summary("put_to_append_seconds", "From the put to its record in the log.", stats.latency.putToAppendUs);
  page.summary("append_to_flush_seconds", "From the record in the log to the force that covers it.", stats.latency.appendToFlushUs);
  page.summary("put_to_ack_seconds", "From the put to the producer's acknowledgement.", stats.latency.putToAckUs);
  writeServices(page, stats.services);
  return page.text;
}

function writeStore(page: ExpositionPage, { state, offsets }: StoreStats): void {
  page.states("store_state", COUNTERS.storeState.help, STATES, [[NO_LABELS, state]]);
  page.word("min_offset_bytes", "minOffset", offsets.minOffset);
  page.gauge("wrote_offset_bytes", "End of the commit log.", offsets.wroteOffset);
  page.word("committed_offset_bytes", "committedOffset", offsets.committedOffset);
  page.gauge("flushed_offset_bytes", "End of what is durable.", offsets.flushedOffset);
  page.word("allocated_offset_bytes", "allocatedOffset", offsets.allocatedOffset);
}

function writePut(page: ExpositionPage, { put }: StoreStats): void {
  page.counter("put_messages_total", "Messages put.", put.messages);
  page.counter("put_bytes_total", "Bytes of the records put.", put.bytes);
  page.counter("put_failures_total", "Messages refused or failed.", put.failed);
  page.gauge("put_in_flight", "Puts not acknowledged yet.", put.inFlight);
  page.gauge("put_waiting", "Puts that wait for room in the ring.", put.waiting);
  page.counter("put_stalls_total", "Puts that found the ring full.", put.stalls);
  page.samples(
    "topic_put_messages_total",
    "counter",
    "Messages put, by topic.",
    put.topics.map((t) => [{ topic: t.topic }, t.messages]),
  );
  page.samples(
    "topic_put_bytes_total",
    "counter",
    "Bytes of the records put, by topic.",
    put.topics.map((t) => [{ topic: t.topic }, t.bytes]),
  );
}

function writeRing(page: ExpositionPage, { ring }: StoreStats): void {
  page.gauge("ring_capacity_bytes", "Size of the ring between producer and appender.", ring.capacityBytes);
  page.gauge("ring_used_bytes", "Bytes in the ring.", ring.usedBytes);
  page.gauge("ring_capacity_frames", "Records that the ring can hold.", ring.capacityFrames);
  page.gauge("ring_used_frames", "Records in the ring.", ring.usedFrames);
}

function writeAppend(page: ExpositionPage, { append }: StoreStats): void {
  page.word("append_messages_total", "appendMessages", append.messages);
  page.word("append_bytes_total", "appendBytes", append.bytes);
  page.word("append_groups_total", "appendGroups", append.groups);
  page.word("append_group_messages_max", "appendMaxGroupMessages", append.maxGroupMessages);
  page.word("append_stalls_total", "appendStalls", append.stalls);
  page.word("segment_rolls_total", "appendRolls", append.rolls);
  page.word("segment_roll_max_seconds", "appendRollMaxUs", append.rollMaxUs / US_PER_SECOND);
}

function writeFlush(page: ExpositionPage, { flush }: StoreStats): void {
  page.counter("flush_forces_total", "Forces that succeeded.", flush.forces);
  page.counter("flush_bytes_total", "Bytes made durable.", flush.bytes);
  page.word("flush_failures_total", "flushFailures", flush.failures);
  page.word("flush_commits_total", "flushCommits", flush.commits);
  page.summary("flush_force_seconds", "Duration of a force.", flush.forceUs);
}

function writeDispatch(page: ExpositionPage, { dispatch, get }: StoreStats): void {
  page.word("reput_from_offset_bytes", "reputFromOffset", dispatch.reputFromOffset);
  page.gauge("dispatch_behind_bytes", "Bytes of the log that cannot be consumed yet.", dispatch.behindBytes);
  page.gauge("dispatch_behind_messages", "Messages that cannot be consumed yet.", dispatch.behindMessages);
  page.word("dispatch_messages_total", "dispatchMessages", dispatch.messages);
  page.word("dispatch_groups_total", "dispatchGroups", dispatch.groups);
  page.word("dispatch_forces_total", "dispatchForces", dispatch.forces);
  page.word("dispatch_failures", "dispatchFailures", dispatch.failures);
  page.counter("get_found_total", "Gets that found messages.", get.found);
  page.counter("get_miss_total", "Gets that found none.", get.miss);
  page.counter("get_transferred_messages_total", "Messages handed to readers.", get.transferredMessages);
  page.counter("get_corrupt_records_total", "Records found not to be as they were written.", get.corruptRecords);
  page.gauge("get_max_seconds", "Longest get.", get.entireTimeMaxMs / MS_PER_SECOND);
}

function writeSchedule(page: ExpositionPage, { schedule }: StoreStats): void {
  page.counter("schedule_delivered_total", "Delayed messages delivered.", schedule.delivered);
  page.counter("schedule_retried_total", "Deliveries tried again.", schedule.retried);
  page.counter("schedule_skipped_total", "Delayed messages that could not be delivered.", schedule.skipped);
  page.samples(
    "schedule_behind_messages",
    "gauge",
    "Delayed messages not delivered yet, by level.",
    schedule.levels.map((level) => [{ level: String(level.level) }, level.maxOffset - level.delayOffset]),
  );
}

function writeDisk(page: ExpositionPage, { disk }: StoreStats): void {
  page.gauge("commit_log_disk_ratio", "Used share of the commit log's disk.", disk.commitLogRatio);
  page.gauge("consume_queue_disk_ratio", "Used share of the ConsumeQueues' disk.", disk.consumeQueueRatio);
  page.gauge("disk_full", "1 while no puts are taken because the disk is full.", disk.full ? 1 : 0);
  page.word("deleted_segments_total", "allocateDeletedSegments", disk.deletedSegments);
}

function writeAllocate(page: ExpositionPage, { allocate }: StoreStats): void {
  page.word("allocate_segments_total", "allocateSegments", allocate.segments);
  page.gauge("allocate_segments_ready", "Segments ready ahead of the appender.", allocate.segmentsReady);
  page.word("allocate_locked_bytes", "allocateLockedBytes", allocate.lockedBytes);
  page.word("allocate_lock_failures_total", "allocateLockFailures", allocate.lockFailures);
  page.summary("allocate_seconds", "Duration of an allocation.", allocate.allocateUs);
}

function writeServices(page: ExpositionPage, services: readonly ServiceStats[]): void {
  const named = services.map((service) => [{ service: service.name }, service.state] as const);
  page.states("service_state", "State of a service thread.", SERVICE_STATES, named);
  page.samples(
    "service_heartbeat_age_seconds",
    "gauge",
    "Since the service thread's last sign of life.",
    services.map((service) => [{ service: service.name }, service.heartbeatAgeMs / MS_PER_SECOND]),
  );
}

/** Gathers metric families; every name gets the prefix and is written once. */
class ExpositionPage {
  text = "";

  counter(name: string, help: string, value: number): void {
    this.samples(name, "counter", help, [[NO_LABELS, value]]);
  }

  gauge(name: string, help: string, value: number): void {
    this.samples(name, "gauge", help, [[NO_LABELS, value]]);
  }

  samples(name: string, type: MetricType, help: string, samples: readonly Sample[]): void {
    if (samples.length === 0) return;
    this.#family(name, type, help);
    for (const [labels, value] of samples) this.#sample(name, labels, value);
  }

  /** A figure that is a shared word, in the metric's unit: type and help are the word's. */
  word(name: string, word: CounterName, value: number): void {
    const { kind, help } = COUNTERS[word];
    this.samples(name, METRIC_TYPES[kind], help, [[NO_LABELS, value]]);
  }

  /** One sample for each state that there is, 1 for the present one. */
  states(name: string, help: string, all: readonly string[], present: readonly (readonly [Labels, string])[]): void {
    this.samples(
      name,
      "gauge",
      `${help} The present one is 1.`,
      present.flatMap(([labels, current]) => all.map((state): Sample => [{ ...labels, state }, state === current ? 1 : 0])),
    );
  }

  summary(name: string, help: string, latency: LatencySnapshot): void {
    this.#family(name, "summary", help);
    const quantiles = { "0.5": latency.p50, "0.9": latency.p90, "0.99": latency.p99, "0.999": latency.p999, "1": latency.max };
    for (const [quantile, us] of Object.entries(quantiles)) {
      this.#sample(name, { quantile }, latency.count === 0 ? Number.NaN : us / US_PER_SECOND);
    }
    this.#sample(`${name}_sum`, NO_LABELS, (latency.mean * latency.count) / US_PER_SECOND);
    this.#sample(`${name}_count`, NO_LABELS, latency.count);
  }

  #family(name: string, type: string, help: string): void {
    this.text += `# HELP millrace_${name} ${escapeHelp(help)}\n# TYPE millrace_${name} ${type}\n`;
  }

  #sample(name: string, labels: Labels, value: number): void {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
    this.text += `millrace_${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${formatValue(value)}\n`;
  }
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

function formatValue(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
