import { type IntervalHistogram, monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import { LatencyHistogram, monotonicMs } from "@millrace/shared-memory";
import type { LoadConsumers } from "./load-consumers.js";
import type { LoadDriver } from "./load-driver.js";
import type { LoadTarget } from "./load-target.js";

/** What a load was like for a quarter of a second. */
export interface LoadSample {
  /** Of the end of the interval, since the load began. */
  readonly seconds: number;
  /** Messages acknowledged, a second. */
  readonly rate: number;
  /** Of what was acknowledged; 0 without any. */
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  /** 0 to 1, at the end of the interval. */
  readonly ring: number;
  /** A second. */
  readonly forces: number;
  /** Messages acknowledged and not yet consumed; without consumers, not yet dispatched. */
  readonly lag: number;
  /** Of the longest turn of the event loop. */
  readonly loopDelayMs: number;
  /** Spent in garbage collection. */
  readonly gcMs: number;
}

const INTERVAL_MS = 250;
const LOOP_RESOLUTION_MS = 5;
const NS_PER_MS = 1e6;
const MS_PER_SECOND = 1000;

/** What is looked at. */
type SampledTarget = Pick<LoadTarget, "stats">;

/** Looks at a load four times a second, for its report. */
export class LoadSampler {
  readonly samples: LoadSample[] = [];
  readonly #loop: IntervalHistogram = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  readonly #gc = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) this.#gcMs += duration;
  });
  #gcMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #target: SampledTarget | undefined;
  #beganMs = 0;
  #lastMs = 0;
  #lastAcked = 0;
  #lastForces = 0;

  /** @param messagesPerUnit of what the driver sends as one */
  start(target: SampledTarget, driver: LoadDriver, consumers: LoadConsumers | undefined, messagesPerUnit: number): void {
    this.target = target;
    this.#beganMs = this.#lastMs = monotonicMs();
    driver.sampledLatencyUs = new LatencyHistogram();
    this.#loop.enable();
    this.#gc.observe({ entryTypes: ["gc"] });
    this.#timer = setInterval(() => this.#sample(driver, consumers, messagesPerUnit), INTERVAL_MS);
  }

  /** The store, opened again: it counts its forces from 0. */
  set target(target: SampledTarget) {
    this.#target = target;
    this.#lastForces = target.stats().flush.forces;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#loop.disable();
    this.#gc.disconnect();
  }

  #sample(driver: LoadDriver, consumers: LoadConsumers | undefined, messagesPerUnit: number): void {
    const target = this.#target;
    const latency = driver.sampledLatencyUs;
    if (target === undefined || latency === undefined) return;
    driver.sampledLatencyUs = new LatencyHistogram();
    const nowMs = monotonicMs();
    const seconds = (nowMs - this.#lastMs) / MS_PER_SECOND;
    const { flush, ring, dispatch } = target.stats();
    const acked = driver.ackedUnits * messagesPerUnit;
    const { p50, p99, max } = latency.snapshot();
    this.samples.push({
      seconds: (nowMs - this.#beganMs) / MS_PER_SECOND,
      rate: (acked - this.#lastAcked) / seconds,
      p50Us: p50,
      p99Us: p99,
      maxUs: max,
      ring: Math.max(ring.usedBytes / Math.max(1, ring.capacityBytes), ring.usedFrames / Math.max(1, ring.capacityFrames)),
      forces: Math.max(0, (flush.forces - this.#lastForces) / seconds),
      lag: consumers === undefined ? dispatch.behindMessages : Math.max(0, acked - consumers.consumed),
      loopDelayMs: this.#loop.max / NS_PER_MS,
      gcMs: this.#gcMs,
    });
    this.#loop.reset();
    this.#gcMs = 0;
    this.#lastMs = nowMs;
    this.#lastAcked = acked;
    this.#lastForces = flush.forces;
  }
}
