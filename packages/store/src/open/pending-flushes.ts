interface PendingFlush {
  readonly acknowledged: number;
  readonly resolve: (durable: number) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The calls of `store.flush()` under way. Each resolves with an offset below which all is durable that was acknowledged at the call, or
 * rejects: a flusher that ends does not answer, and one that is about to end may answer with less. Who stops or loses the pipeline ends
 * those that are left ({@link end}, {@link reject}), so that none is pending for ever.
 */
export class PendingFlushes {
  readonly #pending = new Set<PendingFlush>();

  /**
   * @param acknowledged bytes of the log, one past the last
   * @param forced the flusher's answer: below it everything is durable. A rejection ends the flusher, and its reason comes with that end
   */
  add(acknowledged: number, forced: Promise<number>): Promise<number> {
    return new Promise((resolve, reject) => {
      const flush: PendingFlush = { acknowledged, resolve, reject };
      this.#pending.add(flush);
      const answered = (durable: number): void => {
        if (durable >= acknowledged) this.#settle(flush, durable);
      };
      forced.then(answered, () => {});
    });
  }

  /** The pipeline has stopped well. @param otherwise for those that wait for more than is `durable` */
  end(durable: number, otherwise: Error): void {
    for (const flush of this.#pending) if (durable >= flush.acknowledged) this.#settle(flush, durable);
    this.reject(otherwise);
  }

  /** Nothing becomes durable any more. */
  reject(error: Error): void {
    for (const { reject } of this.#pending) reject(error);
    this.#pending.clear();
  }

  #settle(flush: PendingFlush, durable: number): void {
    this.#pending.delete(flush);
    flush.resolve(durable);
  }
}
