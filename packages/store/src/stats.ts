/** `@millrace/store/stats`: `store.stats()` as text and as Prometheus exposition. */

export type { ConsumerLag, MetricOptions, StoreStats } from "@millrace/stats";
export { consumerLags, toPrometheus, toText } from "@millrace/stats";
