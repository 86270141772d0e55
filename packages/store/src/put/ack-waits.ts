import { monotonicUs, type PutRingProducer, type ReadableCounter } from "@millrace/shared-memory";

/** As long as a round through the disk takes. */
const SPIN_US = 300;
/** A wait that lasted up to this many spin times may be shorter next time. */
const WORTH_FACTOR = 3;

/**
 * How a producer learns that puts may be acknowledged: by results (acks that wait for nothing, failures), and by the words that the
 * others wait for. Where there are such, it looks itself for a bounded time, once a turn of its event loop, while the last waits were
 * short; then it sleeps. Being woken costs who wakes it, and takes, some tens of microseconds each.
 */
export class AckWaits {
  readonly #ring: Pick<PutRingProducer, "resultsLater">;
  readonly #words: readonly ReadableCounter[];
  readonly #isDue: () => boolean;
  readonly #onWake: () => void;
  readonly #spinUs: number;
  #waitsForResults = false;
  /** By index of the word. */
  readonly #waits: boolean[];
  #isSpinning = false;
  #isWorthSpinning: boolean;
  #beganUs = 0;
  #isClosed = false;

  /**
   * @param words in SYNC_FLUSH the flusher's, of a SYNC_MASTER what the slaves have
   * @param isDue whether the oldest put in flight can be answered
   * @param spinUs how long it looks itself
   */
  constructor(
    ring: Pick<PutRingProducer, "resultsLater">,
    words: readonly ReadableCounter[],
    isDue: () => boolean,
    onWake: () => void,
    spinUs = SPIN_US,
  ) {
    this.#ring = ring;
    this.#words = words;
    this.#isDue = isDue;
    this.#onWake = onWake;
    this.#spinUs = spinUs;
    this.#waits = words.map(() => false);
    this.#isWorthSpinning = words.length > 0;
  }

  /** Whoever arms looks again afterwards, so that no wake-up falls between. */
  arm(): void {
    if (this.#isSpinning) return;
    this.#beganUs = monotonicUs();
    if (!this.#isWorthSpinning) return this.#sleep();
    this.#isSpinning = true;
    setImmediate(this.#spin);
  }

  /** Nobody is woken any more, and the ring not looked at. */
  close(): void {
    this.#isClosed = true;
  }

  readonly #spin = (): void => {
    if (this.#isClosed) return;
    if (!this.#isDue()) {
      if (monotonicUs() - this.#beganUs < this.#spinUs) {
        setImmediate(this.#spin);
        return;
      }
      this.#isWorthSpinning = false; // until a wake-up comes soon after
      this.#sleep();
    }
    this.#isSpinning = false;
    if (this.#isDue()) this.#onWake();
  };

  #sleep(): void {
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
      this.#wake();
    });
  }

  readonly #onResults = (): void => {
    this.#waitsForResults = false;
    this.#wake();
  };

  #wake(): void {
    this.#isWorthSpinning = this.#words.length > 0 && monotonicUs() - this.#beganUs < this.#spinUs * WORTH_FACTOR;
    if (!this.#isClosed) this.#onWake();
  }
}
