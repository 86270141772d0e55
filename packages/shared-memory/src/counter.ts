import { threadId } from "node:worker_threads";
import {
  type CounterKind,
  HIGH_AFTER_WORD,
  HIGH_BEFORE_WORD,
  LOW_WORD,
  neverGoesBack,
  OWNER_WORD,
} from "./control-block-descriptor.js";
import { InvariantError } from "./invariant-error.js";

const TWO_TO_32 = 0x1_0000_0000;

/** Gives a counter its first value, before any thread has the words. */
export function initializeCounter(words: Int32Array, word: number, value: number): void {
  const high = Math.floor(value / TWO_TO_32);
  words[word + LOW_WORD] = value | 0;
  words[word + HIGH_BEFORE_WORD] = high;
  words[word + HIGH_AFTER_WORD] = high;
}

/** A shared counter as everybody may see it. Values are safe integers. */
export class ReadableCounter {
  protected readonly words: Int32Array;
  protected readonly word: number;

  constructor(words: Int32Array, word: number) {
    this.words = words;
    this.word = word;
  }

  /** Pairs with the three stores of {@link OwnedCounter.set}: whatever its owner wrote before them is visible after this. */
  get(): number {
    const words = this.words;
    const word = this.word;
    for (;;) {
      const high = Atomics.load(words, word + HIGH_AFTER_WORD);
      const low = Atomics.load(words, word + LOW_WORD);
      if (high === Atomics.load(words, word + HIGH_BEFORE_WORD)) return high * TWO_TO_32 + (low >>> 0);
    }
  }

  /** Sleeps while the counter still is `seen`, until a notify, or for `timeoutMs`. Not on the main thread. */
  wait(seen: number, timeoutMs: number): void {
    Atomics.wait(this.words, this.word + LOW_WORD, seen | 0, timeoutMs);
  }

  /** Resolves on a notify; `undefined` when the counter has already moved on from `seen`. */
  waitAsync(seen: number): Promise<unknown> | undefined {
    const { async, value } = Atomics.waitAsync(this.words, this.word + LOW_WORD, seen | 0);
    return async ? value : undefined;
  }

  /** Wakes the sleepers without moving the counter: they look around and sleep on. */
  nudge(): void {
    Atomics.notify(this.words, this.word + LOW_WORD);
  }
}

/** A shared counter on its owner's side. One thread owns it for the life of the control block; a second claim throws. */
export class OwnedCounter extends ReadableCounter {
  readonly #name: string;
  readonly #neverGoesBack: boolean;
  /** As it was found. */
  readonly #first: number;
  #value: number;
  #high: number;

  constructor(words: Int32Array, word: number, name: string, kind: CounterKind) {
    super(words, word);
    const owner = Atomics.compareExchange(words, word + OWNER_WORD, 0, threadId + 1);
    if (owner !== 0 && owner !== threadId + 1) {
      throw new InvariantError(`a shared word has one writer: word=${name} owner=${owner - 1} claimant=${threadId}`);
    }
    this.#name = name;
    this.#neverGoesBack = neverGoesBack(kind);
    this.#value = super.get();
    this.#first = this.#value;
    this.#high = Math.floor(this.#value / TWO_TO_32);
  }

  /** The owner's own copy, without an atomic load. */
  get value(): number {
    return this.#value;
  }

  /**
   * Publishes `value` and everything written before. Pairs with {@link ReadableCounter.get}. Throws {@link InvariantError} where
   * the counter's kind never goes back, and the value does.
   */
  set(value: number): void {
    const least = this.#neverGoesBack ? this.#value : 0;
    if (!(value >= least && value <= Number.MAX_SAFE_INTEGER)) throw this.#refusal(value);
    this.#store(value);
  }

  /** The only way back: where a position begins is the owner's to correct downwards, once, before it has moved it. */
  beginAt(value: number): void {
    if (this.#value !== this.#first || !(value >= 0 && value <= this.#first))
      throw new InvariantError(
        `a counter begins where it was found, or below: word=${this.#name} value=${value} before=${this.#value}`,
      );
    this.#store(value);
  }

  #refusal(value: number): Error {
    if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER))
      return new RangeError(`a counter is a safe integer: word=${this.#name} value=${value}`);
    return new InvariantError(`a counter went back: word=${this.#name} value=${value} before=${this.#value}`);
  }

  #store(value: number): void {
    const high = Math.floor(value / TWO_TO_32);
    const words = this.words;
    const word = this.word;
    if (high === this.#high) {
      Atomics.store(words, word + LOW_WORD, value | 0);
    } else {
      Atomics.store(words, word + HIGH_BEFORE_WORD, high);
      Atomics.store(words, word + LOW_WORD, value | 0);
      Atomics.store(words, word + HIGH_AFTER_WORD, high);
      this.#high = high;
    }
    this.#value = value;
  }

  add(delta: number): void {
    this.set(this.#value + delta);
  }

  /** Publishes and wakes the sleepers: once per group. */
  publish(value: number): void {
    this.set(value);
    Atomics.notify(this.words, this.word + LOW_WORD);
  }
}
