/**
 * Microseconds on one time line for all threads. `performance.now()` starts at zero in each worker; its distance to the system's
 * monotonic clock is taken once per thread, because `process.hrtime` allocates and `performance.now()` does not.
 */
const originUs = Number(process.hrtime.bigint() / 1000n) - performance.now() * 1000;

export function monotonicUs(): number {
  return originUs + performance.now() * 1000;
}
