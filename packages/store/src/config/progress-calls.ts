const INTERVAL_MS = 200;

/** What a function of the caller's has thrown, on its way back to the caller: no error of the store's, whatever it looks like. */
export class CallerFailure {
  readonly thrown: unknown;

  constructor(thrown: unknown) {
    this.thrown = thrown;
  }
}

/** Calls a caller's function while work is done, a few times a second. What it throws aborts the work, which fails with that. */
export class ProgressCalls {
  readonly #call: () => void;
  readonly #abort: () => void;
  #failure: CallerFailure | undefined;

  constructor(call: () => void, abort: () => void) {
    this.#call = call;
    this.#abort = abort;
  }

  /** Calls it now, unless it has thrown before. Never throws. */
  readonly callNow = (): void => {
    if (this.#failure !== undefined) return;
    try {
      this.#call();
    } catch (error) {
      this.#failure = new CallerFailure(error);
      this.#abort();
    }
  };

  /** Does the work. @throws what it throws, or {@link CallerFailure} */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const timer = setInterval(this.callNow, INTERVAL_MS);
    try {
      const done = await work();
      if (this.#failure === undefined) return done;
    } catch (error) {
      throw this.#failure ?? error;
    } finally {
      clearInterval(timer);
    }
    throw this.#failure;
  }
}
