import { monotonicUs } from "./monotonic-clock.js";

/** What is slept on: a counter, or several things that count as one. */
export interface Sleepable {
  get(): number;
  /** Sleeps while {@link get} is still `seen`, until it is woken, or for `timeoutMs`. */
  wait(seen: number, timeoutMs: number): void;
}

/**
 * How a service sleeps until a counter moves: first it looks again for a bounded time, then it parks. Parking and being woken costs
 * 5-10 µs, which a group that is already on its way should not pay; but with more threads than cores an unbounded spin costs
 * somebody a scheduler slice, so it looks only while the last waits have been short.
 */
export class WaitStrategy {
  readonly #spinUs: number;
  /** Whether the latest wait ended within the spin time (or soon after it), and not in vain. */
  #worthSpinning = true;

  constructor(spinUs: number) {
    this.#spinUs = spinUs;
  }

  /** Returns when the counter is no longer `seen`, after a nudge, or after `timeoutMs`. */
  wait(counter: Sleepable, seen: number, timeoutMs: number): void {
    const began = monotonicUs();
    if (this.#worthSpinning) {
      do {
        for (let i = 0; i < LOOKS_PER_CLOCK; i++) if (counter.get() !== seen) return;
      } while (monotonicUs() - began < this.#spinUs);
    }
    counter.wait(seen, timeoutMs);
    this.#worthSpinning = monotonicUs() - began < this.#spinUs * WORTH_FACTOR && counter.get() !== seen;
  }
}

const LOOKS_PER_CLOCK = 16;
/** A wait that lasted up to this many spin times may be shorter next time. */
const WORTH_FACTOR = 3;
