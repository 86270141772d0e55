/** Share of a core that one kind of sample may take. */
const SHARE = 0.004;
const COSTS_KEPT = 8;
/** Of fewer nothing is believed: the first samples run code that is cold, and cost a hundred times what the later ones do. */
const COSTS_LEAST = 4;
/** A timer is never exact. */
const SLACK_MS = 50;

/** When the next sample is due: after its interval, and later when samples are so costly that they would take more than their share. */
export class SamplePace {
  readonly #intervalMs: number;
  #dueMs = Number.NEGATIVE_INFINITY;
  /** Of the last samples: the lowest counts, because on a busy machine most of a sample's time is somebody else's. */
  readonly #costsMs: number[] = [];

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** @param nowMs by the monotonic clock, as all below */
  isDue(nowMs: number): boolean {
    return nowMs >= this.#dueMs;
  }

  taken(beganMs: number, endedMs: number): void {
    this.#costsMs.push(endedMs - beganMs);
    if (this.#costsMs.length > COSTS_KEPT) this.#costsMs.shift();
    const costMs = this.#costsMs.length < COSTS_LEAST ? 0 : Math.min(...this.#costsMs);
    this.#dueMs = beganMs + Math.max(this.#intervalMs - SLACK_MS, costMs / SHARE);
  }
}
