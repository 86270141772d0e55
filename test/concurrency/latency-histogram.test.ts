import { LATENCY_BUCKETS_US, LATENCY_HISTOGRAM_LENGTH, LatencyHistogram } from "@millrace/shared-memory";
import test from "ava";
import { chosenSeed, seededRandom } from "../support/random.js";

const ERROR = 0.032;
/** Below 6.4 µs there is a bucket for each tenth. */
const TENTH = 0.1;

test("quantiles are within 3.2 % of the values themselves", (t) => {
  const seed = chosenSeed();
  t.log(`seed=${seed}`);
  const random = seededRandom(seed);
  const histogram = new LatencyHistogram();
  const values = Array.from({ length: 20_000 }, () => 10 ** (random(7000) / 1000) * 0.3);
  for (const value of values) histogram.record(value);
  values.sort((a, b) => a - b);
  for (const quantile of [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = values[Math.ceil(values.length * quantile) - 1] ?? 0;
    const found = histogram.quantile(quantile);
    t.true(found >= exact && found <= exact * (1 + ERROR) + TENTH, `quantile=${quantile} exact=${exact} found=${found}`);
  }
  const snapshot = histogram.snapshot();
  t.is(snapshot.count, values.length);
  t.is(snapshot.max, values.at(-1) ?? 0);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  t.true(Math.abs(snapshot.mean - mean) < mean * 1e-9);
});

test("an empty histogram says zero; counts count many times; extremes stay in bounds", (t) => {
  const histogram = new LatencyHistogram(new SharedArrayBuffer(LATENCY_HISTOGRAM_LENGTH));
  t.deepEqual(histogram.snapshot(), {
    count: 0,
    mean: 0,
    p50: 0,
    p90: 0,
    p99: 0,
    p999: 0,
    max: 0,
    upTo: LATENCY_BUCKETS_US.map(() => 0),
  });
  histogram.record(10, 98);
  histogram.record(-1);
  histogram.record(1e12);
  t.is(histogram.snapshot().count, 100);
  t.true(histogram.quantile(0.5) >= 10 && histogram.quantile(0.5) <= 10.4);
  t.true(histogram.quantile(0.01) <= TENTH);
  t.is(histogram.snapshot().max, 1e12);
  t.true(histogram.quantile(1) > 1e8, "as far as the buckets go");
});

test("countUpTo counts what was at most so long, to the histogram's precision", (t) => {
  const histogram = new LatencyHistogram();
  for (let us = 1; us <= 1000; us++) histogram.record(us);
  for (const us of [1, 10, 100, 500, 1000]) {
    const found = histogram.countUpTo(us);
    t.true(found <= us && found >= us * (1 - ERROR) - 2, `us=${us} found=${found}`);
  }
  t.is(histogram.countUpTo(1e9), 1000);
});
