import { monotonicMs } from "./monotonic-clock.js";
import { wallClockMs } from "./wall-clock.js";

/** Both clocks, in milliseconds, for who must be tested with times of its own. */
export interface Clock {
  /** The wall clock. It may jump. */
  now(): number;
  /** Only differences mean something. It does not jump. */
  monotonic(): number;
}

export const SYSTEM_CLOCK: Clock = { now: wallClockMs, monotonic: monotonicMs };
