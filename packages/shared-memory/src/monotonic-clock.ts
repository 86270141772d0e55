/**
 * Microseconds on one time line for all threads. `performance.now()` starts at zero in each worker; its distance to the system's
 * monotonic clock is taken once per thread, because `process.hrtime` allocates and `performance.now()` does not.
 */
const originUs = measureOrigin();

export function monotonicUs(): number {
  return originUs + performance.now() * 1000;
}

/** The tightest of a few readings: the first calls are slow, and a thread may lose its core between two clocks. */
function measureOrigin(): number {
  let origin = 0;
  let tightest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 20; i++) {
    const before = performance.now() * 1000;
    const systemUs = Number(process.hrtime.bigint()) / 1000;
    const after = performance.now() * 1000;
    if (after - before >= tightest) continue;
    tightest = after - before;
    origin = systemUs - (before + after) / 2;
  }
  return origin;
}
