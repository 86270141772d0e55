import { LatencyHistogram } from "@millrace/shared-memory";
import test from "ava";
import { recentLatency } from "#dashboard/sample/recent-latency.js";

test("quantiles are of what came between two snapshots, whatever came before", (t) => {
  const histogram = new LatencyHistogram();
  histogram.record(5, 1_000_000);
  const before = histogram.snapshot();
  for (let us = 1000; us < 2000; us++) histogram.record(us);
  const { p50, p99 } = recentLatency(before, histogram.snapshot());
  t.true(Math.abs((p50 ?? 0) - 1500) < 150, `p50=${p50}`);
  t.true(Math.abs((p99 ?? 0) - 1990) < 100, `p99=${p99}`);
});

test("without values between two snapshots there are no quantiles", (t) => {
  const histogram = new LatencyHistogram();
  histogram.record(5);
  t.deepEqual(recentLatency(histogram.snapshot(), histogram.snapshot()), { p50: undefined, p99: undefined });
});

test("what lies beyond the last limit is as long as the longest", (t) => {
  const histogram = new LatencyHistogram();
  const before = histogram.snapshot();
  histogram.record(60e6);
  t.is(recentLatency(before, histogram.snapshot()).p50, 60e6);
});
