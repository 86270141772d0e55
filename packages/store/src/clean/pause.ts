/** Pauses of one who can be stopped: a stop ends them at once. Keeps no process alive. */
export class Pause {
  readonly #wakes = new Set<() => void>();
  #isStopped = false;

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Resolves after `ms`; false when it is time to stop. */
  async for(ms: number): Promise<boolean> {
    if (!this.#isStopped && ms > 0) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#wakes.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, ms).unref();
        this.#wakes.add(wake);
      });
    }
    return !this.#isStopped;
  }

  stop(): void {
    this.#isStopped = true;
    for (const wake of this.#wakes) wake();
  }
}
