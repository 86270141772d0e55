import { COUNTERS, LATENCY_BUCKETS_US, ServiceState, StoreState } from "@millrace/shared-memory";
import type { ConsumerLag } from "./consumer-lag.js";
import { LATENCY_METRICS, METRICS, type MetricType, type MetricUnit } from "./metrics.js";
import type { LatencySnapshot, SlaveStats, StoreStats } from "./store-stats.js";

type MetricLabels = Readonly<Record<string, string>>;

/** One line of a family; `name` has its suffix (`_sum`, `_bucket`). */
export interface MetricSample {
  readonly name: string;
  readonly labels: MetricLabels;
  readonly value: number;
}

/** All samples of one name, as Prometheus groups them. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "summary" | "histogram";
  readonly samples: readonly MetricSample[];
}

/** What is shown beside the figures themselves. */
export interface MetricOptions {
  /** The value of the label `store` in every sample: for who scrapes several stores together. */
  readonly store?: string;
  /** How far the consumer groups are behind, queue by queue: {@link consumerLags}. */
  readonly lags?: readonly ConsumerLag[];
}

type Sample = readonly [labels: MetricLabels, value: number];

const PREFIX = "millrace_";
const NO_LABELS: MetricLabels = {};
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
 * The figures as families of Prometheus' data model: seconds and bytes, counters end in `_total`, latencies are summaries whose quantile
 * "1" is the maximum, and histograms beside them, which can be added up over stores. Families without samples are left out.
 */
export function metricFamilies(stats: StoreStats, { store, lags = [] }: MetricOptions = {}): MetricFamily[] {
  const families = new Families(store === undefined ? NO_LABELS : { store });
  families.states("store_state", COUNTERS.storeState.help, STATES, [[NO_LABELS, stats.state]]);
  for (const { name, type, help, unit, value } of METRICS)
    families.add(name, type, help, [[NO_LABELS, value(stats) / DIVISORS[unit]]]);
  for (const { name, help, value } of LATENCY_METRICS) families.latency(name, help, value(stats));
  const { topics } = stats.put;
  families.add(
    "topic_put_messages_total",
    "counter",
    "Messages put, by topic.",
    topics.map(({ topic, messages }) => [{ topic }, messages]),
  );
  families.add(
    "topic_put_bytes_total",
    "counter",
    "Bytes of the records put, by topic.",
    topics.map(({ topic, bytes }) => [{ topic }, bytes]),
  );
  families.add(
    "schedule_behind_messages",
    "gauge",
    "Delayed messages not delivered yet, by level.",
    stats.schedule.levels.map(({ level, delayOffset, maxOffset }) => [{ level: String(level) }, maxOffset - delayOffset]),
  );
  families.add(
    "schedule_held_up_seconds",
    "gauge",
    "For how long deliveries of a level have failed and are tried again; 0 while none do.",
    stats.schedule.levels.map(({ level, heldUpMs }) => [{ level: String(level) }, heldUpMs / MS_PER_SECOND]),
  );
  addSlaves(families, stats);
  families.add(
    "consumer_group_lag_messages",
    "gauge",
    "Messages that a consumer group has not consumed, over its queues; of the groups that lag most.",
    stats.consumers.groups.map(({ group, lag }) => [{ group }, lag]),
  );
  families.services(stats);
  families.add(
    "consumer_lag_messages",
    "gauge",
    "Messages of a queue that a consumer group has not consumed.",
    lags.map(({ group, topic, queueId, lag }) => [{ group, topic, queue: String(queueId) }, lag]),
  );
  return families.all;
}

function addSlaves(families: Families, { ha }: StoreStats): void {
  const samples = (value: (slave: SlaveStats) => number): Sample[] =>
    (ha?.slaves ?? []).map((slave): Sample => [{ slave: slave.address }, value(slave)]);
  families.add(
    "slave_behind_bytes",
    "gauge",
    "Bytes of the log that a slave does not have.",
    samples(({ behindBytes }) => behindBytes),
  );
  families.add(
    "slave_behind_seconds",
    "gauge",
    "Since when a slave is behind.",
    samples(({ behindMs }) => behindMs / MS_PER_SECOND),
  );
  families.add(
    "slave_in_sync",
    "gauge",
    "1 while a slave is not too far behind.",
    samples(({ inSync }) => (inSync ? 1 : 0)),
  );
}

/** Gathers families; every name gets the prefix, every sample the labels that all have. */
class Families {
  readonly all: MetricFamily[] = [];
  readonly #common: MetricLabels;

  constructor(common: MetricLabels) {
    this.#common = common;
  }

  add(name: string, type: MetricType, help: string, samples: readonly Sample[]): void {
    this.#family(
      name,
      type,
      help,
      samples.map(([labels, value]) => this.#sample(name, labels, value)),
    );
  }

  /** One sample for each state that there is, 1 for the present one. */
  states(name: string, help: string, all: readonly string[], present: readonly (readonly [MetricLabels, string])[]): void {
    const samples = present.flatMap(([labels, current]) =>
      all.map((state): Sample => [{ ...labels, state }, state === current ? 1 : 0]),
    );
    this.add(name, "gauge", `${help} The present one is 1.`, samples);
  }

  services({ services }: StoreStats): void {
    const named = services.map(({ name, state }) => [{ service: name }, state] as const);
    this.states("service_state", "State of a service thread.", SERVICE_STATES, named);
    this.add(
      "service_heartbeat_age_seconds",
      "gauge",
      "Since the service thread's last sign of life.",
      services.map(({ name, heartbeatAgeMs }) => [{ service: name }, heartbeatAgeMs / MS_PER_SECOND]),
    );
  }

  /** A summary, and a histogram of the same values. */
  latency(name: string, help: string, latency: LatencySnapshot): void {
    const { count, mean, p50, p90, p99, p999, max, upTo } = latency;
    const quantiles = { "0.5": p50, "0.9": p90, "0.99": p99, "0.999": p999, "1": max };
    const ends = (family: string): MetricSample[] => [
      this.#sample(`${family}_sum`, NO_LABELS, (mean * count) / US_PER_SECOND),
      this.#sample(`${family}_count`, NO_LABELS, count),
    ];
    const samples = Object.entries(quantiles).map(([quantile, us]) =>
      this.#sample(name, { quantile }, count === 0 ? Number.NaN : us / US_PER_SECOND),
    );
    this.#family(name, "summary", help, [...samples, ...ends(name)]);
    const histogram = name.replace(/_seconds$/, "_histogram_seconds");
    const bucket = (le: string, value: number): MetricSample => this.#sample(`${histogram}_bucket`, { le }, value);
    const buckets = LATENCY_BUCKETS_US.map((us, at) => bucket(String(us / US_PER_SECOND), upTo[at] ?? 0));
    this.#family(histogram, "histogram", help, [...buckets, bucket("+Inf", count), ...ends(histogram)]);
  }

  #family(name: string, type: MetricFamily["type"], help: string, samples: readonly MetricSample[]): void {
    if (samples.length > 0) this.all.push({ name: PREFIX + name, help, type, samples });
  }

  #sample(name: string, labels: MetricLabels, value: number): MetricSample {
    return { name: PREFIX + name, labels: { ...this.#common, ...labels }, value };
  }
}
