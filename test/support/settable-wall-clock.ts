/**
 * A wall clock that a test sets back and ahead, in all threads of its process at once: `Date.now` is the system's plus a distance, which
 * lies in memory that the threads share. The monotonic clock stays as it is. Imported by a test, this module has each thread that starts
 * from then on load it first; the process itself has no flag for that, because a store whose process hooks into the loading of modules
 * starts its threads module by module, which takes three times as long (`pipeline/worker-bundle.ts`).
 */
import { syncBuiltinESMExports } from "node:module";
import threads, { getEnvironmentData, setEnvironmentData } from "node:worker_threads";
import type { ExecutionContext } from "ava";

const KEY = "millrace.test.wallClockAheadMs";
const systemNow = Date.now;
/** Milliseconds by which the wall clock is ahead of the system's. A worker is given its parent's. */
const ahead = new BigInt64Array(shared());

Date.now = () => systemNow() + Number(Atomics.load(ahead, 0));
if (threads.isMainThread) hookIntoThreads();

function shared(): SharedArrayBuffer {
  const given = getEnvironmentData(KEY);
  if (given instanceof SharedArrayBuffer) return given;
  const made = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT);
  setEnvironmentData(KEY, made);
  return made;
}

function hookIntoThreads(): void {
  threads.Worker = class extends threads.Worker {
    constructor(file: string | URL, options: threads.WorkerOptions = {}) {
      super(file, { ...options, execArgv: [...(options.execArgv ?? process.execArgv), `--import=${import.meta.url}`] });
    }
  };
  syncBuiltinESMExports();
}

/** Sets the wall clock so far ahead of the system's, or back when negative, until the test ends. Tests that use it are serial. */
export function setWallClock(t: ExecutionContext, aheadMs: number): void {
  Atomics.store(ahead, 0, BigInt(aheadMs));
  t.teardown(() => Atomics.store(ahead, 0, 0n));
}
