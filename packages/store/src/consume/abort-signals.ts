/** Listens to each AbortSignal once, for any number of consumers: a signal with many listeners of its own is taken for a leak by Node. */
export class AbortSignals {
  readonly #listeners = new Map<AbortSignal, Set<() => void>>();

  /** `onAbort` is called once, unless it is removed before; it must not throw. */
  add(signal: AbortSignal, onAbort: () => void): void {
    const known = this.#listeners.get(signal);
    if (known !== undefined) {
      known.add(onAbort);
      return;
    }
    this.#listeners.set(signal, new Set([onAbort]));
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  remove(signal: AbortSignal, onAbort: () => void): void {
    const listeners = this.#listeners.get(signal);
    if (listeners === undefined) return;
    listeners.delete(onAbort);
    if (listeners.size > 0) return;
    this.#listeners.delete(signal);
    signal.removeEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (event: Event): void => {
    const signal = event.target as AbortSignal;
    const listeners = this.#listeners.get(signal);
    this.#listeners.delete(signal);
    for (const onAbort of listeners ?? []) onAbort();
  };
}
