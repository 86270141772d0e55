import type { PutRingProducer, ReadableCounter } from "@millrace/shared-memory";

/** How a producer is woken when puts may be acknowledged: by results (acks without a force, failures), in SYNC_FLUSH also by a force. */
export class AckWaits {
  readonly #ring: PutRingProducer;
  readonly #flushedOffset: ReadableCounter | undefined;
  readonly #onWake: () => void;
  #waitsForResults = false;
  #waitsForForce = false;

  /** @param flushedOffset of SYNC_FLUSH only */
  constructor(ring: PutRingProducer, flushedOffset: ReadableCounter | undefined, onWake: () => void) {
    this.#ring = ring;
    this.#flushedOffset = flushedOffset;
    this.#onWake = onWake;
  }

  /** Whoever arms looks again afterwards, so that no wake-up falls between. */
  arm(): void {
    if (!this.#waitsForResults) {
      const woken = this.#ring.resultsLater();
      this.#waitsForResults = woken !== undefined;
      woken?.then(this.#onResults);
    }
    const flushedOffset = this.#flushedOffset;
    if (flushedOffset === undefined || this.#waitsForForce) return;
    const woken = flushedOffset.waitAsync(flushedOffset.get());
    this.#waitsForForce = woken !== undefined;
    woken?.then(this.#onForce);
  }

  readonly #onResults = (): void => {
    this.#waitsForResults = false;
    this.#onWake();
  };

  readonly #onForce = (): void => {
    this.#waitsForForce = false;
    this.#onWake();
  };
}
