/** `@millrace/stats/prom-client`: the figures of stores in a registry of prom-client, which is an optional peer. */
import { type CommittedOffsets, consumerLags } from "./consumer-lag.js";
import { type MetricFamily, type MetricSample, metricFamilies } from "./metric-families.js";
import type { QueueStats, StoreStats } from "./store-stats.js";

/** Of prom-client's `Registry`, what is needed of it. */
export interface MetricRegistry {
  registerMetric(metric: never): void;
  removeSingleMetric(name: string): void;
}

/** Of a `MessageStore`, what is needed of it. */
export interface MeasuredStore {
  stats(): StoreStats;
  queueStats(): QueueStats[];
  readonly consumerOffsets: CommittedOffsets;
}

/** A family as prom-client asks for it when it is scraped. */
interface CollectedMetric {
  readonly name: string;
  readonly help: string;
  readonly type: MetricFamily["type"];
  readonly aggregator: "sum";
  reset(): void;
  get(): Promise<CollectedFamily>;
}

interface CollectedFamily extends Pick<CollectedMetric, "name" | "help" | "type" | "aggregator"> {
  readonly values: readonly { readonly metricName: string; readonly labels: Record<string, string>; readonly value: number }[];
}

/**
 * Shows stores in a registry of prom-client, each with its own value of the label `store`. They are asked for their figures when the
 * registry is scraped, once for all metrics. Take a store out before it is closed.
 */
export class MillraceCollector {
  readonly #registry: MetricRegistry;
  readonly #stores = new Map<string, MeasuredStore>();
  /** By the names of their families. */
  readonly #metrics = new Map<string, CollectedMetric>();
  /** Of the scrape that is under way. */
  #scraped: Map<string, MetricSample[]> | undefined;

  constructor(registry: MetricRegistry) {
    this.#registry = registry;
  }

  /** @param name the value of the label `store`; one that is there already is replaced. Returns the end of it */
  add(name: string, store: MeasuredStore): () => void {
    this.#stores.set(name, store);
    for (const family of this.#familiesOf(name, store)) this.#register(family);
    return () => {
      if (this.#stores.get(name) === store) this.#stores.delete(name);
    };
  }

  /** Takes the metrics out of the registry. */
  close(): void {
    for (const name of this.#metrics.keys()) this.#registry.removeSingleMetric(name);
    this.#metrics.clear();
    this.#stores.clear();
  }

  #familiesOf(name: string, store: MeasuredStore): MetricFamily[] {
    return metricFamilies(store.stats(), { store: name, lags: consumerLags(store.consumerOffsets, store.queueStats()) });
  }

  #register({ name, help, type }: MetricFamily): void {
    if (this.#metrics.has(name)) return;
    const head = { name, help, type, aggregator: "sum" } as const;
    const metric: CollectedMetric = {
      ...head,
      reset: () => {},
      get: async () => {
        const samples = this.#scrape().get(name) ?? [];
        return {
          ...head,
          values: samples.map((sample) => ({ metricName: sample.name, labels: { ...sample.labels }, value: sample.value })),
        };
      },
    };
    this.#metrics.set(name, metric);
    this.#registry.registerMetric(metric as never);
  }

  /** All metrics of a registry are asked in one turn: what the first one reads serves the others. */
  #scrape(): Map<string, MetricSample[]> {
    if (this.#scraped !== undefined) return this.#scraped;
    const scraped = new Map<string, MetricSample[]>();
    for (const [name, store] of this.#stores) {
      for (const family of this.#familiesOf(name, store)) {
        scraped.set(family.name, [...(scraped.get(family.name) ?? []), ...family.samples]);
        this.#register(family);
      }
    }
    this.#scraped = scraped;
    setImmediate(() => {
      this.#scraped = undefined;
    });
    return scraped;
  }
}
