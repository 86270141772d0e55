/** Those who wait until few enough puts are unanswered. Main thread. */
export class DrainedPuts {
  readonly #waiters: { readonly limit: number; readonly resolve: () => void }[] = [];

  /** Resolves with the {@link look} that finds at most `limit`. */
  async atMost(limit: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiters.push({ limit, resolve });
    });
  }

  /** @param unanswered puts in the ring, and those that wait for it */
  look(unanswered: number): void {
    for (let i = this.#waiters.length - 1; i >= 0; i--) {
      const waiter = this.#waiters[i];
      if (waiter === undefined || waiter.limit < unanswered) continue;
      this.#waiters.splice(i, 1);
      waiter.resolve();
    }
  }
}
