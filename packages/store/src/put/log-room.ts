import { monotonicUs, type ReadableCounter } from "@millrace/shared-memory";
import { allocateFailed, type RefusedPutResult } from "./put-message-result.js";
import { NO_SLOT } from "./topic-table.js";

/** While the log has no room, a queue without a slot is given one so seldom: somebody has to try. */
const TRY_US = 1_000_000;

export interface RoomWords {
  readonly allocatedOffset: ReadableCounter;
}

/**
 * Whether the log had room for what was put last. A queue keeps the slot that its first put has taken, and there are so many: on a full
 * disk puts of ever new queues would take them all and leave nothing.
 */
export class LogRoom {
  readonly #words: RoomWords;
  #isShort = false;
  /** `allocatedOffset` when a put was refused; it moves when there is room. */
  #allocated = 0;
  #tryAtUs = 0;

  constructor(words: RoomWords) {
    this.#words = words;
  }

  /** The answer to a put that the log had no room for. */
  refused(): RefusedPutResult {
    if (!this.#isShort) this.#tryAtUs = monotonicUs() + TRY_US;
    this.#isShort = true;
    this.#allocated = this.#words.allocatedOffset.get();
    return allocateFailed();
  }

  /** A put is in the log. */
  found(): void {
    this.#isShort = false;
  }

  /** Why a queue gets no slot now. Undefined: it may have one, or has one. */
  slotRefusal(slot: number): RefusedPutResult | undefined {
    if (!this.#isShort || slot !== NO_SLOT || this.#words.allocatedOffset.get() !== this.#allocated) return undefined;
    const now = monotonicUs();
    if (now < this.#tryAtUs) return allocateFailed();
    this.#tryAtUs = now + TRY_US;
    return undefined;
  }
}
