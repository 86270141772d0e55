import type { PutRingProducer, ReadableCounter } from "@millrace/shared-memory";

/**
 * How a producer is woken when puts may be acknowledged: by results (acks that wait for nothing, failures), and by the words that the
 * others wait for.
 */
export class AckWaits {
  readonly #ring: PutRingProducer;
  readonly #words: readonly ReadableCounter[];
  readonly #onWake: () => void;
  #waitsForResults = false;
  /** By index of the word. */
  readonly #waits: boolean[];

  /** @param words in SYNC_FLUSH the flusher's, of a SYNC_MASTER what the slaves have */
  constructor(ring: PutRingProducer, words: readonly ReadableCounter[], onWake: () => void) {
    this.#ring = ring;
    this.#words = words;
    this.#onWake = onWake;
    this.#waits = words.map(() => false);
  }

  /** Whoever arms looks again afterwards, so that no wake-up falls between. */
  arm(): void {
    if (!this.#waitsForResults) {
      const woken = this.#ring.resultsLater();
      this.#waitsForResults = woken !== undefined;
      woken?.then(this.#onResults);
    }
    for (let i = 0; i < this.#words.length; i++) if (this.#waits[i] === false) this.#armWord(i);
  }

  #armWord(index: number): void {
    const word = this.#words[index] as ReadableCounter;
    const woken = word.waitAsync(word.get());
    this.#waits[index] = woken !== undefined;
    woken?.then(() => {
      this.#waits[index] = false;
      this.#onWake();
    });
  }

  readonly #onResults = (): void => {
    this.#waitsForResults = false;
    this.#onWake();
  };
}
