export { type CommittedOffset, type CommittedOffsets, type ConsumerLag, consumerLags, lagOf } from "./consumer-lag.js";
export type { MetricOptions } from "./metric-families.js";
export { toPrometheus } from "./prometheus-text.js";
export type { StoreTotals } from "./runtime-info.js";
export { classifyPutTimes, PUT_TIME_CLASSES, RuntimeInfo } from "./runtime-info.js";
export { toText } from "./stats-text.js";
export type {
  ConsumersStats,
  DelayLevelStats,
  GroupLagStats,
  HaStats,
  LastErrorStats,
  LatencySnapshot,
  MasterStats,
  QueueStats,
  ServiceStats,
  SlaveStats,
  StoreStateName,
  StoreStats,
  TopicPutStats,
} from "./store-stats.js";
