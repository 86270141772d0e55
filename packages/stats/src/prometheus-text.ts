import { COUNTERS, ServiceState, StoreState } from "@millrace/shared-memory";
import { LATENCY_METRICS, METRICS, type MetricType, type MetricUnit } from "./metrics.js";
import type { LatencySnapshot, SlaveStats, StoreStats } from "./store-stats.js";

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

const NO_LABELS: Labels = {};
const STATES = Object.keys(StoreState);
const SERVICE_STATES = Object.keys(ServiceState);
const US_PER_SECOND = 1e6;
const MS_PER_SECOND = 1e3;
/** What a value is divided by to be in seconds, bytes or as it is. */
const DIVISORS: Readonly<Record<MetricUnit, number>> = {
  count: 1,
  bytes: 1,
  ratio: 1,
  microseconds: US_PER_SECOND,
  milliseconds: MS_PER_SECOND,
};

/**
 * The figures in Prometheus' text exposition format 0.0.4: seconds and bytes, counters end in `_total`, latencies are summaries whose
 * quantile "1" is the maximum. Ends in a line feed.
 */
export function toPrometheus(stats: StoreStats): string {
  const page = new ExpositionPage();
  page.states("store_state", COUNTERS.storeState.help, STATES, [[NO_LABELS, stats.state]]);
  for (const { name, type, help, unit, value } of METRICS) {
    page.samples(name, type, help, [[NO_LABELS, value(stats) / DIVISORS[unit]]]);
  }
  for (const { name, help, value } of LATENCY_METRICS) page.summary(name, help, value(stats));
  writeTopics(page, stats);
  writeDelayLevels(page, stats);
  writeSlaves(page, stats);
  writeServices(page, stats);
  return page.text;
}

function writeTopics(page: ExpositionPage, { put }: StoreStats): void {
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

function writeDelayLevels(page: ExpositionPage, { schedule }: StoreStats): void {
  page.samples(
    "schedule_behind_messages",
    "gauge",
    "Delayed messages not delivered yet, by level.",
    schedule.levels.map((level) => [{ level: String(level.level) }, level.maxOffset - level.delayOffset]),
  );
}

function writeSlaves(page: ExpositionPage, { ha }: StoreStats): void {
  const samples = (value: (slave: SlaveStats) => number): Sample[] =>
    (ha?.slaves ?? []).map((slave): Sample => [{ slave: slave.address }, value(slave)]);
  page.samples(
    "slave_behind_bytes",
    "gauge",
    "Bytes of the log that a slave does not have.",
    samples(({ behindBytes }) => behindBytes),
  );
  page.samples(
    "slave_behind_seconds",
    "gauge",
    "Since when a slave is behind.",
    samples(({ behindMs }) => behindMs / MS_PER_SECOND),
  );
  page.samples(
    "slave_in_sync",
    "gauge",
    "1 while a slave is not too far behind.",
    samples(({ inSync }) => (inSync ? 1 : 0)),
  );
}

function writeServices(page: ExpositionPage, { services }: StoreStats): void {
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

  samples(name: string, type: MetricType, help: string, samples: readonly Sample[]): void {
    if (samples.length === 0) return;
    this.#family(name, type, help);
    for (const [labels, value] of samples) this.#sample(name, labels, value);
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
