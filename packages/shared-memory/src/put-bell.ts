import { BELL_WORD } from "./control-block-descriptor.js";

const AWAKE = 0;
const ASLEEP = 1;

/**
 * How the appender sleeps when no ring has a frame, and how whoever publishes one wakes it. Like the force alarm and the send lane it
 * has no single owner: the appender lies down on it, and any producer may find it asleep. Nobody notifies an appender that is awake.
 */
export class PutBell {
  readonly #words: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer);
  }

  /** After the publication: either the appender sees that when it looks for the last time, or the ring finds it asleep. */
  ring(): void {
    if (Atomics.load(this.#words, BELL_WORD) === AWAKE) return;
    if (Atomics.exchange(this.#words, BELL_WORD, AWAKE) === ASLEEP) Atomics.notify(this.#words, BELL_WORD);
  }

  /** The appender's: until the bell is rung, or for `timeoutMs`. `hasWork` is asked for the last time when it can be found asleep. */
  sleep(hasWork: () => boolean, timeoutMs: number): void {
    Atomics.store(this.#words, BELL_WORD, ASLEEP);
    if (!hasWork()) Atomics.wait(this.#words, BELL_WORD, ASLEEP, timeoutMs);
    Atomics.store(this.#words, BELL_WORD, AWAKE);
  }

  /** Main's, after a control call. */
  nudge(): void {
    this.ring();
  }
}
