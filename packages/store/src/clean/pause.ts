/** A timer of a longer one would come at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** Pauses of one who can be stopped: a stop ends them at once. They keep the process alive only for a call that is waited for. */
export class Pause {
  readonly #timers = new Map<NodeJS.Timeout, () => void>();
  /** Calls that are waited for. */
  #calls = 0;
  #isStopped = false;

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Resolves after `ms`, 24 days at most; false when it is time to stop. */
  async for(ms: number): Promise<boolean> {
    if (!this.#isStopped && ms > 0) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#timers.delete(timer);
          resolve();
        };
        const timer = setTimeout(wake, Math.min(ms, LONGEST_MS));
        if (this.#calls === 0) timer.unref();
        this.#timers.set(timer, wake);
      });
    }
    return !this.#isStopped;
  }

  /** Somebody waits for `call`, which pauses here, or for who does: until it has settled no pause lets the process end. */
  async held<T>(call: Promise<T>): Promise<T> {
    if (this.#calls++ === 0) for (const timer of this.#timers.keys()) timer.ref();
    try {
      return await call;
    } finally {
      if (--this.#calls === 0) for (const timer of this.#timers.keys()) timer.unref();
    }
  }

  stop(): void {
    this.#isStopped = true;
    for (const wake of this.#timers.values()) wake();
  }
}
