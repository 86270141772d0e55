import type { Measurement } from "#scripts/bench/contestants/workload.js";

/** A workload's measurement of the bench, of which only some figures matter. */
export function measurement(msgPerSec: number, figures: Partial<Measurement> = {}): Measurement {
  return { messages: 1, msgPerSec, p50Us: 1, p99Us: 1, p999Us: 1, cpuNs: 1300, ...figures };
}
