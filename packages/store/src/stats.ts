/** `@millrace/store/stats`: `store.stats()` as text and as Prometheus exposition, and who lags behind. */

export {
  type CommittedOffset,
  type CommittedOffsets,
  type ConsumerLag,
  consumerLags,
  type MetricOptions,
  type StoreStats,
  toPrometheus,
  toText,
} from "@millrace/stats";
