import { LATENCY_METRICS, METRICS, type Metric } from "./metrics.js";
import type { LastErrorStats, LatencySnapshot, StoreStats } from "./store-stats.js";

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const NAME_WIDTH = 16;
const LINE_WIDTH = 132;
const TOPICS_SHOWN = 8;
const GROUPS_SHOWN = 8;

/** The figures for people: some thirty lines of at most 132 characters, without a line feed at the end. */
export function toText(stats: StoreStats): string {
  const sections = [...new Set(METRICS.map(({ section }) => section))];
  const lines = [
    row("store", `${stats.state} at ${new Date(stats.time).toISOString()}`),
    ...sections.flatMap((section) => sectionLines(section, stats)),
    row("delayed", `${count(waitingForDelivery(stats))} messages wait for their time${heldUp(stats)}`),
    "",
    latencyHead(),
    ...LATENCY_METRICS.map(({ label, value }) => latencyRow(label, value(stats))),
    "",
    ...stats.services.map((service) => row(service.name, `${service.state}  heartbeat ${count(service.heartbeatAgeMs)} ms ago`)),
    ...stats.lastErrors.map((error) => row(error.service, lastError(error))),
    ...groupLines(stats),
    ...topicLines(stats),
  ];
  return lines.join("\n");
}

/** Label and value after label and value, in as many lines as they take. */
function sectionLines(section: string, stats: StoreStats): string[] {
  const texts: string[] = [];
  for (const metric of METRICS) {
    if (metric.section !== section) continue;
    const shown = `${metric.label} ${shownValue(metric, stats)}`;
    const last = texts.at(-1);
    if (last !== undefined && NAME_WIDTH + last.length + 2 + shown.length <= LINE_WIDTH)
      texts[texts.length - 1] = `${last}  ${shown}`;
    else texts.push(shown);
  }
  return texts.map((text, index) => row(index === 0 ? section : "", text));
}

function shownValue({ unit, value }: Metric, stats: StoreStats): string {
  const number = value(stats);
  switch (unit) {
    case "count":
      return count(number);
    case "bytes":
      return bytes(number);
    case "microseconds":
      return time(number);
    case "milliseconds":
      return time(number * 1000);
    case "ratio":
      return `${(100 * number).toFixed(0)} %`;
  }
}

/** Nothing in good times. */
function heldUp({ schedule }: StoreStats): string {
  const levels = schedule.levels.filter(({ heldUpMs }) => heldUpMs > 0).map(({ level }) => level);
  return levels.length === 0 ? "" : `; deliveries fail: level ${levels.join(", ")}`;
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

function groupLines({ consumers }: StoreStats): string[] {
  const shown = consumers.groups.slice(0, GROUPS_SHOWN);
  if (shown.length === 0) return [];
  const lines = shown.map(({ group, queues, lag }) =>
    row("group", `${group}  lags ${count(lag)} messages in ${count(queues)} queues`),
  );
  const rest = consumers.groupCount - shown.length;
  return ["", ...lines, ...(rest > 0 ? [row("", `and ${count(rest)} more groups`)] : [])];
}

function lastError({ time: at, code, message }: LastErrorStats): string {
  return `${new Date(at).toISOString()} ${code} ${message}`.slice(0, LINE_WIDTH - NAME_WIDTH).trimEnd();
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

function bytes(value: number): string {
  const power = value < 1024 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(value) / 10));
  return `${power === 0 ? value : (value / 1024 ** power).toFixed(1)} ${BYTE_UNITS[power]}`;
}

/** Microseconds in the unit that keeps the number short. */
function time(us: number): string {
  if (us < 1000) return `${us.toFixed(us < 10 ? 1 : 0)} us`;
  return us < 1e6 ? `${(us / 1e3).toFixed(us < 1e4 ? 2 : 1)} ms` : `${(us / 1e6).toFixed(2)} s`;
}
