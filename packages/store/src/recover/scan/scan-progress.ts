const BYTES_WORD = 0;
const ABORT_WORD = 1;
const WORDS = 2;

/** Shared by one recovery's threads: bytes read so far (every scanner adds), and the wish to stop (the main thread's). */
export class ScanProgress {
  readonly shared: SharedArrayBuffer;
  readonly #words: BigInt64Array;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(WORDS * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.shared = shared;
    this.#words = new BigInt64Array(shared);
  }

  get bytesScanned(): number {
    return Number(Atomics.load(this.#words, BYTES_WORD));
  }

  add(bytes: number): void {
    Atomics.add(this.#words, BYTES_WORD, BigInt(bytes));
  }

  get isAborted(): boolean {
    return Atomics.load(this.#words, ABORT_WORD) !== 0n;
  }

  /** Pairs with {@link isAborted}, which every scanner looks at before each read. */
  abort(): void {
    Atomics.store(this.#words, ABORT_WORD, 1n);
  }

  /** Aborts with the signal, until what is returned is disposed of. */
  heed(signal: AbortSignal | undefined): Disposable {
    const abort = (): void => this.abort();
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort, { once: true });
    return { [Symbol.dispose]: () => signal?.removeEventListener("abort", abort) };
  }
}
