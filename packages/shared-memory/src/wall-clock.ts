/**
 * Milliseconds since the epoch: the one home of the system's wall clock, which may jump in either direction at any time. It is read
 * only for what is stamped into a file or shown to people, and for what is compared with such a stamp (retention, deliver times).
 * Intervals, deadlines and pauses use the monotonic clock (monotonic-clock.ts).
 */
export function wallClockMs(): number {
  return Date.now();
}
