import { LatencyHistogram } from "@millrace/shared-memory";
import type { StoreStats } from "@millrace/stats";
import type { LoadConsumers } from "./load-consumers.js";
import type { LoadDriver } from "./load-driver.js";
import { formatCount, formatUs } from "./load-summary.js";
import type { LoadTarget } from "./load-target.js";

const INTERVAL_MS = 1000;

/** Prints a line each second while a load runs: what happened since the line before. */
export class ProgressLine {
  #target: LoadTarget;
  readonly #driver: LoadDriver;
  readonly #consumers: LoadConsumers | undefined;
  readonly #messagesPerUnit: number;
  readonly #messageSize: number;
  readonly #print: (line: string) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt = performance.now();
  #lastAt = this.#startedAt;
  #lastAcked = 0;
  #lastConsumed = 0;
  #lastForces: number;

  constructor(
    target: LoadTarget,
    driver: LoadDriver,
    consumers: LoadConsumers | undefined,
    batchSize: number,
    messageSize: number,
    print: (line: string) => void,
  ) {
    this.#target = target;
    this.#driver = driver;
    this.#consumers = consumers;
    this.#messagesPerUnit = batchSize;
    this.#messageSize = messageSize;
    this.#print = print;
    this.#lastForces = target.stats().flush.forces;
    this.#timer = setInterval(this.#tick, INTERVAL_MS);
  }

  /** The store was opened again. */
  set target(target: LoadTarget) {
    this.#target = target;
    this.#lastForces = target.stats().flush.forces;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  readonly #tick = (): void => {
    const now = performance.now();
    const stats = this.#target.stats();
    const acked = this.#driver.ackedUnits * this.#messagesPerUnit;
    const rate = ((acked - this.#lastAcked) * 1000) / (now - this.#lastAt);
    const forces = ((stats.flush.forces - this.#lastForces) * 1000) / (now - this.#lastAt);
    const latency = this.#driver.intervalLatencyUs;
    this.#driver.intervalLatencyUs = new LatencyHistogram();
    this.#print(
      [
        `${((now - this.#startedAt) / 1000).toFixed(0).padStart(4)} s`,
        `${formatCount(rate).padStart(10)} msg/s`,
        `${((rate * this.#messageSize) / 1e6).toFixed(1).padStart(7)} MB/s`,
        `p99 ${formatUs(latency.quantile(0.99)).padStart(9)}`,
        `ring ${ringShare(stats)} %`,
        `forces ${formatCount(forces).padStart(6)}/s`,
        `failed ${formatCount(this.#driver.failedUnits * this.#messagesPerUnit)}`,
        ...this.#consumption(now, acked),
      ].join("   "),
    );
    this.#lastAt = now;
    this.#lastAcked = acked;
    this.#lastForces = stats.flush.forces;
  };

  /** Consumers may be ahead of an acknowledgement. */
  #consumption(now: number, acked: number): string[] {
    if (this.#consumers === undefined) return [];
    const { consumed } = this.#consumers;
    const rate = ((consumed - this.#lastConsumed) * 1000) / (now - this.#lastAt);
    this.#lastConsumed = consumed;
    return [`consumed ${formatCount(rate).padStart(10)} msg/s`, `lag ${formatCount(Math.max(0, acked - consumed))}`];
  }
}

function ringShare({ ring }: StoreStats): string {
  const bytes = ring.usedBytes / Math.max(1, ring.capacityBytes);
  const frames = ring.usedFrames / Math.max(1, ring.capacityFrames);
  return (100 * Math.max(bytes, frames)).toFixed(0).padStart(3);
}
