import { LatencyHistogram, monotonicUs } from "@millrace/shared-memory";
import type { AcknowledgementSink } from "../../load-generator/acknowledgement-log.js";
import type { FixedRate } from "../../load-generator/pace.js";
import { openReadyStore } from "../contestants/store-contestant.js";
import type { RollJob, RollResult } from "./job.js";
import { measureMaxRate, runPaced } from "./paced-load.js";

const MESSAGE_SIZE = 128;
/** A roll a second or so, so that most of the time is more than 100 ms away from one. */
const SEGMENT_SIZE = 64 * 1024 * 1024;
const SHARE_OF_MAX = 0.5;
const RECORD_LENGTH = MESSAGE_SIZE + 128;
const ROLLS_PER_SECOND = 1;
const WARM_UP_SECONDS = 2;
const NEAR_US = 100_000;

/** Notes how long each message took, and when the log went into another segment; allocates nothing while it runs. */
class RollProbe implements AcknowledgementSink {
  readonly rollsUs: number[] = [];
  readonly #pace: FixedRate;
  /** By unit; 0: none. */
  readonly #latencyUs: Float64Array;
  #segment = -1;

  constructor(pace: FixedRate, units: number) {
    this.#pace = pace;
    this.#latencyUs = new Float64Array(units);
  }

  set(unit: number, physicalOffset: number): void {
    const sentUs = this.#pace.sentUs(unit);
    this.#latencyUs[unit] = monotonicUs() - sentUs;
    const segment = Math.floor(physicalOffset / SEGMENT_SIZE);
    if (this.#segment >= 0 && segment !== this.#segment) this.rollsUs.push(sentUs);
    this.#segment = segment;
  }

  /** Latencies of messages that were to be sent near a roll, and of all others. */
  split(): { near: LatencyHistogram; steady: LatencyHistogram } {
    const near = new LatencyHistogram();
    const steady = new LatencyHistogram();
    let next = 0;
    this.#latencyUs.forEach((latencyUs, unit) => {
      if (latencyUs === 0) return;
      const sentUs = this.#pace.sentUs(unit);
      while (next < this.rollsUs.length && sentUs > (this.rollsUs[next] as number) + NEAR_US) next++;
      const roll = this.rollsUs[next];
      (roll !== undefined && sentUs >= roll - NEAR_US ? near : steady).record(latencyUs);
    });
    return { near, steady };
  }
}

/** ASYNC_FLUSH at half the maximum rate, at most a roll a second. */
export async function measureRoll(job: RollJob): Promise<RollResult> {
  const store = await openReadyStore({ storePathRootDir: job.directory, mappedFileSizeCommitLog: SEGMENT_SIZE });
  const max = await measureMaxRate(store, MESSAGE_SIZE, WARM_UP_SECONDS);
  const rate = Math.min(SHARE_OF_MAX * max, (ROLLS_PER_SECOND * SEGMENT_SIZE) / RECORD_LENGTH);
  await runPaced(store, MESSAGE_SIZE, rate, WARM_UP_SECONDS);
  const probes: RollProbe[] = [];
  await runPaced(store, MESSAGE_SIZE, rate, job.seconds, (pace) => {
    const probe = new RollProbe(pace, Math.ceil(rate * job.seconds) + 1);
    probes.push(probe);
    return probe;
  });
  await store.close();
  const [probe] = probes as [RollProbe];
  const { near, steady } = probe.split();
  return {
    rolls: probe.rollsUs.length,
    msgPerSec: rate,
    nearMessages: near.snapshot().count,
    steadyMessages: steady.snapshot().count,
    nearP9999Us: near.quantile(0.9999),
    steadyP999Us: steady.quantile(0.999),
  };
}
