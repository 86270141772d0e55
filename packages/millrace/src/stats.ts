/** `millrace/stats`: `store.stats()` as text and as Prometheus exposition. */
export * from "@millrace/store/stats";
