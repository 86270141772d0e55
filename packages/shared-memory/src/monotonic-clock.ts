/**
 * The one home of the clock that never jumps: every interval, deadline and pause is measured by it, in every thread. Only differences
 * mean something, and only while the machine runs. What is stamped and what retention compares with a stamp uses the wall clock
 * (wall-clock.ts).
 *
 * All threads share one time line: `performance.now()` starts at zero in each worker; its distance to the system's monotonic clock is
 * taken once per thread, because `process.hrtime` allocates and `performance.now()` does not.
 */
const US_PER_MS = 1000;
const originUs = measureOrigin();

/** Microseconds, with a fraction. */
export function monotonicUs(): number {
  return originUs + performance.now() * US_PER_MS;
}

/** Milliseconds, with a fraction. */
export function monotonicMs(): number {
  return monotonicUs() / US_PER_MS;
}

/** The tightest of a few readings: the first calls are slow, and a thread may lose its core between two clocks. */
function measureOrigin(): number {
  let origin = 0;
  let tightest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 20; i++) {
    const before = performance.now() * US_PER_MS;
    const systemUs = Number(process.hrtime.bigint()) / 1000;
    const after = performance.now() * US_PER_MS;
    if (after - before >= tightest) continue;
    tightest = after - before;
    origin = systemUs - (before + after) / 2;
  }
  return origin;
}
