/** Batches that all consumers of a store together take in one turn of the event loop. */
const BATCHES_PER_TURN = 16;

/**
 * Lets consumers who always find something share the main thread with everything else, and fairly with each other: so many batches
 * in a turn of the event loop, then timers, acknowledgements and I/O have theirs.
 */
export class ConsumerTurns {
  #taken = 0;
  #isScheduled = false;
  /** Those who came too late for a turn, in their order. */
  readonly #waiting: (() => void)[] = [];

  /** Undefined: go on. Otherwise resolves when it is the caller's turn. */
  take(): Promise<void> | undefined {
    this.#schedule();
    if (this.#taken < BATCHES_PER_TURN && this.#waiting.length === 0) {
      this.#taken++;
      return undefined;
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#nextTurn);
  }

  readonly #nextTurn = (): void => {
    this.#isScheduled = false;
    const next = this.#waiting.splice(0, BATCHES_PER_TURN);
    this.#taken = next.length;
    if (next.length > 0) this.#schedule();
    for (const resolve of next) resolve();
  };
}
