import { LatencyHistogram } from "@millrace/shared-memory";
import type { StoreStats } from "@millrace/stats";
import test from "ava";
import { PipelineSampler } from "#dashboard/sample/pipeline-sampler.js";
import { resolveConfig } from "#store/config/message-store-config.js";
import { sampleStoreStats } from "../stats/sample-store-stats.js";

/** A synchronous store whose figures and clock the test moves. */
class FakeStore {
  nowMs = 0;
  readonly config = resolveConfig({ flushDiskType: "SYNC_FLUSH" });
  readonly #forces = new LatencyHistogram();
  #messages = 0;
  #durable = 7000;

  readonly sampler = new PipelineSampler(this, () => this.nowMs);

  move(ms: number, messages: number, forceMs: number): void {
    this.nowMs += ms;
    this.#messages += messages;
    this.#durable += messages;
    if (forceMs > 0) this.#forces.record(1000 * forceMs);
  }

  stats(): StoreStats {
    const { disk, dispatch, flush, put, offsets } = sampleStoreStats();
    return sampleStoreStats({
      put: { ...put, messages: this.#messages, waiting: 0 },
      disk: { ...disk, full: false },
      dispatch: { ...dispatch, failures: 0, behindBytes: 0 },
      flush: { ...flush, forceUs: this.#forces.snapshot() },
      offsets: { ...offsets, flushedOffset: this.#durable, wroteOffset: this.#durable + 500, allocatedOffset: this.#durable + 900 },
    });
  }
}

test("rates and latencies are of the last second", (t) => {
  const store = new FakeStore();
  for (let n = 0; n < 12; n++) {
    store.sampler.frame();
    store.move(250, n < 4 ? 1000 : 100, n < 4 ? 90 : 10);
  }
  const { pipeline } = store.sampler.frame();
  t.is(pipeline.put.perSecond, 400);
  t.is(pipeline.force.perSecond, 0);
  const { p99 = 0 } = pipeline.force.forceUs;
  t.true(p99 >= 10_000 && p99 <= 15_000, `within a step of the limits: p99=${p99}`);
});

test("what has been watched for a moment only is not said to stand still, also after a pause in which nobody watched", (t) => {
  const store = new FakeStore();
  t.is(store.sampler.frame().limit.row, "producers");
  for (let n = 0; n < 5; n++) {
    store.move(250, 0, 0);
    store.sampler.frame();
  }
  t.is(store.sampler.frame().limit.row, "force-hangs");
  store.move(60_000, 5, 0);
  t.is(store.sampler.frame().limit.row, "producers");
});

test("forces of seconds each keep the disk busy between their ends, too", (t) => {
  const store = new FakeStore();
  const rows = new Set<string>();
  for (let n = 0; n < 48; n++) {
    store.move(250, n % 8 === 7 ? 100 : 0, n % 8 === 7 ? 2000 : 0);
    const { limit } = store.sampler.frame();
    if (n >= 16) rows.add(limit.row);
  }
  t.deepEqual([...rows], ["forces"]);
});
