/** Groups of messages that arrived within 1/1024 of the delay share their time. */
const RESOLUTION = 1024;

/** Messages that have waited already: one past the last queue offset of the group, and how long the last of them has. */
export interface WaitingGroup {
  readonly endOffset: number;
  readonly waitedMs: number;
}

interface Arrival {
  /** One past the last queue offset of the group. */
  endOffset: number;
  /** When the first and the last of the group were seen; by the monotonic clock, milliseconds. */
  readonly fromMs: number;
  toMs: number;
}

/**
 * When the waiting messages of one delay level were first seen, by a clock that does not jump: none waits longer than the delay
 * from then on, whatever the wall clock says. A clock that was set back must neither hold messages until it has caught up, nor (as
 * when RocketMQ corrects such a deliver time to now) make them due at once: the store timestamps that this store gives stand still
 * until then.
 *
 * About 1024 groups at most: those that are due are joined.
 */
export class ArrivalTimes {
  readonly #delayMs: number;
  readonly #arrivals: Arrival[] = [];
  /** Groups that have begun; more of them say that there is something to save. */
  begun = 0;

  /** @param waiting of an earlier life, in order, none beyond the end of the level's queue */
  constructor(delayMs: number, waiting: readonly WaitingGroup[] = [], nowMs = 0) {
    this.#delayMs = delayMs;
    let last = 0;
    for (const { endOffset, waitedMs } of waiting) {
      if (endOffset <= last) continue;
      const seenMs = nowMs - waitedMs;
      this.#arrivals.push({ endOffset, fromMs: seenMs, toMs: seenMs });
      last = endOffset;
    }
  }

  /** Of the messages from `queueOffset` on; by the monotonic clock. */
  *waiting(queueOffset: number): Generator<readonly [endOffset: number, seenMs: number], void, undefined> {
    for (const { endOffset, toMs } of this.#arrivals) if (endOffset > queueOffset) yield [endOffset, toMs];
  }

  get size(): number {
    return this.#arrivals.length;
  }

  /** There are messages up to `endOffset` now. */
  seen(endOffset: number, nowMs: number): void {
    const arrivals = this.#arrivals;
    const last = arrivals.at(-1);
    if (last !== undefined && endOffset <= last.endOffset) return;
    if (last !== undefined && nowMs - last.fromMs < this.#delayMs / RESOLUTION) {
      last.endOffset = endOffset;
      last.toMs = nowMs;
    } else {
      arrivals.push({ endOffset, fromMs: nowMs, toMs: nowMs });
      this.begun++;
    }
    let due = 0;
    while (due + 1 < arrivals.length && (arrivals[due + 1] as Arrival).toMs + this.#delayMs <= nowMs) due++;
    if (due > 0) arrivals.splice(0, due);
  }

  /** When a message is due at the latest, by the monotonic clock; nobody asks for those before it any more. */
  deadlineMs(queueOffset: number): number {
    const arrivals = this.#arrivals;
    let passed = 0;
    while (passed < arrivals.length && (arrivals[passed] as Arrival).endOffset <= queueOffset) passed++;
    if (passed > 0) arrivals.splice(0, passed);
    const first = arrivals[0];
    return first === undefined ? Infinity : first.toMs + this.#delayMs;
  }

  /** The queue begins again. */
  clear(): void {
    this.#arrivals.length = 0;
  }
}
