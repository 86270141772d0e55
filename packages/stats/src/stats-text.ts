import type { LatencySnapshot, StoreStats } from "./store-stats.js";

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const NAME_WIDTH = 16;
const TOPICS_SHOWN = 8;

/** The figures for people: some thirty lines of at most 132 characters, without a line feed at the end. */
export function toText(stats: StoreStats): string {
  const { offsets, put, ring, append, flush, dispatch, get, schedule, disk, allocate, latency } = stats;
  const lines = [
    row("store", `${stats.state} at ${new Date(stats.time).toISOString()}`),
    row("offsets", `min ${count(offsets.minOffset)}  wrote ${count(offsets.wroteOffset)}  flushed ${count(offsets.flushedOffset)}`),
    row("", `committed ${count(offsets.committedOffset)}  allocated ${count(offsets.allocatedOffset)}`),
    row(
      "put",
      `${count(put.messages)} messages  ${bytes(put.bytes)}  failed ${count(put.failed)}  in flight ${count(put.inFlight)}`,
    ),
    row("", `waiting ${count(put.waiting)}  stalls ${count(put.stalls)}`),
    row(
      "ring",
      `${share(ring.usedBytes, ring.capacityBytes)} of ${bytes(ring.capacityBytes)}  ` +
        `${share(ring.usedFrames, ring.capacityFrames)} of ${count(ring.capacityFrames)} frames`,
    ),
    row(
      "append",
      `${count(append.messages)} messages  ${bytes(append.bytes)}  ` +
        `${count(append.groups)} groups of ${mean(append.messages, append.groups)}, at most ${count(append.maxGroupMessages)}`,
    ),
    row("", `stalls ${count(append.stalls)}  rolls ${count(append.rolls)}, longest ${time(append.rollMaxUs)}`),
    row(
      "flush",
      `${count(flush.forces)} forces  ${bytes(flush.bytes)}  failures ${count(flush.failures)}  commits ${count(flush.commits)}`,
    ),
    row(
      "dispatch",
      `${count(dispatch.messages)} messages  behind ${count(dispatch.behindMessages)} messages, ${bytes(dispatch.behindBytes)}  ` +
        `forces ${count(dispatch.forces)}  failures ${count(dispatch.failures)}`,
    ),
    row(
      "get",
      `${count(get.transferredMessages)} messages  found ${count(get.found)}  miss ${count(get.miss)}  bad ${count(get.corruptRecords)}`,
    ),
    row(
      "schedule",
      `${count(schedule.delivered)} delivered  retried ${count(schedule.retried)}  skipped ${count(schedule.skipped)}  ` +
        `waiting ${count(waitingForDelivery(stats))}`,
    ),
    row(
      "disk",
      `${share(disk.commitLogRatio, 1)} used${disk.full ? ", full: no puts" : ""}  deleted segments ${count(disk.deletedSegments)}`,
    ),
    row(
      "allocate",
      `${count(allocate.segments)} segments  ready ${count(allocate.segmentsReady)}  locked ${bytes(allocate.lockedBytes)}  ` +
        `lock failures ${count(allocate.lockFailures)}`,
    ),
    "",
    latencyHead(),
    latencyRow("put to append", latency.putToAppendUs),
    latencyRow("append to flush", latency.appendToFlushUs),
    latencyRow("put to ack", latency.putToAckUs),
    latencyRow("force", flush.forceUs),
    latencyRow("allocation", allocate.allocateUs),
    "",
    ...stats.services.map((service) => row(service.name, `${service.state}  heartbeat ${count(service.heartbeatAgeMs)} ms ago`)),
    ...topicLines(stats),
  ];
  return lines.join("\n");
}

function waitingForDelivery({ schedule }: StoreStats): number {
  return schedule.levels.reduce((sum, level) => sum + level.maxOffset - level.delayOffset, 0);
}

function topicLines({ put }: StoreStats): string[] {
  if (put.topics.length === 0) return [];
  const busiest = [...put.topics].sort((a, b) => b.messages - a.messages).slice(0, TOPICS_SHOWN);
  const lines = busiest.map((topic) => row("topic", `${topic.topic}  ${count(topic.messages)} messages  ${bytes(topic.bytes)}`));
  const rest = put.topics.length - busiest.length;
  return ["", ...lines, ...(rest > 0 ? [row("", `and ${count(rest)} more topics`)] : [])];
}

function row(name: string, text: string): string {
  return name.padEnd(NAME_WIDTH) + text;
}

const LATENCY_COLUMNS = ["count", "mean", "p50", "p90", "p99", "p99.9", "max"];
const COLUMN_WIDTH = 12;

function latencyHead(): string {
  return row("latency", LATENCY_COLUMNS.map((name) => name.padStart(COLUMN_WIDTH)).join(""));
}

function latencyRow(name: string, latency: LatencySnapshot): string {
  const { mean: average, p50, p90, p99, p999, max } = latency;
  const cells = latency.count === 0 ? ["0"] : [count(latency.count), ...[average, p50, p90, p99, p999, max].map(time)];
  return row(name, cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join(""));
}

function count(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 0 });
}

function mean(total: number, parts: number): string {
  return parts === 0 ? "0" : (total / parts).toFixed(1);
}

function share(used: number, capacity: number): string {
  return capacity === 0 ? "0 %" : `${((100 * used) / capacity).toFixed(0)} %`;
}

function bytes(value: number): string {
  const power = value < 1024 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(value) / 10));
  return `${power === 0 ? value : (value / 1024 ** power).toFixed(1)} ${BYTE_UNITS[power]}`;
}

/** Microseconds in the unit that keeps the number short. */
function time(us: number): string {
  if (us < 1000) return `${us.toFixed(us < 10 ? 1 : 0)} us`;
  return us < 1e6 ? `${(us / 1e3).toFixed(us < 1e4 ? 2 : 1)} ms` : `${(us / 1e6).toFixed(2)} s`;
}
