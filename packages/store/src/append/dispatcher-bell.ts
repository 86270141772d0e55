import { monotonicMs, type OwnedCounter } from "@millrace/shared-memory";

/**
 * Where puts wait for slaves, and on a slave, the dispatcher waits so long for its turn, as RocketMQ's does always: on two cores it took
 * the one that the next thread in the put's way was to run on (measured: one put in flight 153 us without, 111 with it).
 */
const LATER_MS = 1;
/** So much is not waited with: what is dispatched late is not in the cache any more. */
const SOON_BYTES = 256 * 1024;

/**
 * How the writer of the log wakes the dispatcher, who sleeps on `wroteOffset`: never for each group. A wake-up costs some twenty
 * microseconds where the woken thread needs its waker's core (measured: 158 ns a message of 128 B, woken for every group).
 */
export class DispatcherBell {
  readonly #wroteOffset: OwnedCounter;
  #rungOffset: number;
  #rungAtMs = 0;

  constructor(wroteOffset: OwnedCounter) {
    this.#wroteOffset = wroteOffset;
    this.#rungOffset = wroteOffset.value;
  }

  /** There is so much that nobody else comes first. */
  get isUrgent(): boolean {
    return this.#wroteOffset.value - this.#rungOffset >= SOON_BYTES;
  }

  /** Milliseconds for which others may come first; 0: it is to be rung now, or there is no need. */
  get restMs(): number {
    if (this.#wroteOffset.value === this.#rungOffset || this.isUrgent) return 0;
    return Math.max(0, this.#rungAtMs + LATER_MS - monotonicMs());
  }

  /** Wakes it, unless it has been woken for all there is. */
  ring(): void {
    const { value } = this.#wroteOffset;
    if (value === this.#rungOffset) return;
    this.#rungOffset = value;
    this.#rungAtMs = monotonicMs();
    this.#wroteOffset.nudge();
  }
}
