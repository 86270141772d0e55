/** `@millrace/store/stats`: `store.stats()` as text and as Prometheus exposition. */

export type { StoreStats } from "@millrace/stats";
export { toPrometheus, toText } from "@millrace/stats";
