import type { Clock } from "@millrace/shared-memory";

/** What is told at once only if it lasts so long: a store that is busy, a unit that is built again. */
const LASTING_MS = 10_000;
/** What fails beside the queue offsets of messages, which cannot be put: reading the queue, or a record. */
export const READING = -1;

/** Why what is due in a delay level is not delivered yet. */
export interface HeldLevel {
  readonly level: number;
  /** The level, the message whose put failed (none when reading did), code where there is one, and words: as `name=value`. */
  readonly reason: string;
}

/** What a level tells of it. */
export interface LevelHoldObserver {
  /** What was due has failed, and is tried again: once, however often that fails. */
  onHeldUp(held: HeldLevel): void;
  /** All that had failed has been delivered, or passed over. */
  onGoesOn(level: number): void;
}

/** A delay level is held up from the first failure until everything that has failed in it is done. */
export class LevelHold {
  readonly #level: number;
  readonly #clock: Clock;
  readonly #observer: LevelHoldObserver;
  readonly #failed = new Set<number>();
  #sinceMs = 0;
  #isTold = false;

  constructor(level: number, clock: Clock, observer: LevelHoldObserver) {
    this.#level = level;
    this.#clock = clock;
    this.#observer = observer;
  }

  /** It has been told that the level is held up, and not yet that it goes on. */
  get isTold(): boolean {
    return this.#isTold;
  }

  /** For how long; 0 when it is not held up. */
  get heldUpMs(): number {
    return this.#failed.size === 0 ? 0 : Math.max(1, Math.floor(this.#clock.monotonic() - this.#sinceMs));
  }

  /** @param isBrief it is tried again soon, and will not fail for long */
  failed(what: number, isBrief: boolean, reason: () => string): void {
    const nowMs = this.#clock.monotonic();
    if (this.#failed.size === 0) this.#sinceMs = nowMs;
    this.#failed.add(what);
    if (this.#isTold || (isBrief && nowMs - this.#sinceMs < LASTING_MS)) return;
    this.#isTold = true;
    this.#observer.onHeldUp({ level: this.#level, reason: reason() });
  }

  done(what: number): void {
    if (!this.#failed.delete(what) || this.#failed.size > 0 || !this.#isTold) return;
    this.#isTold = false;
    this.#observer.onGoesOn(this.#level);
  }
}
