import { LATENCY_BUCKETS_US } from "@millrace/shared-memory";
import type { LatencySnapshot } from "@millrace/stats";
import type { RecentLatency } from "./frame.js";

const NONE: RecentLatency = { p50: undefined, p99: undefined };

/** Quantiles of the values that came between two snapshots, in microseconds: within a limit's step, evenly spread on a log scale. */
export function recentLatency(before: LatencySnapshot, now: LatencySnapshot): RecentLatency {
  const counts = now.upTo.map((count, index) => count - (before.upTo[index] ?? 0));
  const total = Math.max(counts.at(-1) ?? 0, now.count - before.count);
  return total <= 0 ? NONE : { p50: quantile(counts, total, 0.5, now.max), p99: quantile(counts, total, 0.99, now.max) };
}

function quantile(counts: readonly number[], total: number, fraction: number, max: number): number {
  const wanted = total * fraction;
  const index = counts.findIndex((count) => count >= wanted);
  if (index < 0) return max;
  const upper = LATENCY_BUCKETS_US[index] as number;
  const lower = LATENCY_BUCKETS_US[index - 1] ?? upper / 2;
  const below = counts[index - 1] ?? 0;
  const share = (wanted - below) / ((counts[index] as number) - below);
  return Math.min(max, lower * (upper / lower) ** share);
}
