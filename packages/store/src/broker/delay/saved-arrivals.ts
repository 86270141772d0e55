import type { Storage } from "@millrace/mapped-file";
import { type DelayArrivals, encodeDelayArrivals, readDelayArrivals } from "../../marks/delay-arrivals.js";
import type { WaitingGroup } from "./arrival-times.js";

/** Puts the content of the file on disk, atomically and durably. */
export type SaveDelayArrivals = (content: Uint8Array) => Promise<void>;

/**
 * How long messages have waited for their delay, over restarts: `config/millrace.delayArrivals`. Only who has seen the wall clock jump
 * needs it; without it, or when it is damaged, a message waits for its delay again. Main thread.
 */
export class SavedArrivals {
  readonly #found: DelayArrivals | undefined;
  readonly #save: SaveDelayArrivals;

  private constructor(found: DelayArrivals | undefined, save: SaveDelayArrivals) {
    this.#found = found;
    this.#save = save;
  }

  static open(storage: Storage, path: string, save: SaveDelayArrivals): SavedArrivals {
    return new SavedArrivals(readDelayArrivals(storage, path), save);
  }

  /**
   * What the file said when the store was opened. The time in between counts as far as the wall clock tells it.
   *
   * @param nowMs the wall clock
   */
  waiting(level: number, nowMs: number): WaitingGroup[] {
    if (this.#found === undefined) return [];
    const { savedMs, levels } = this.#found;
    const closedMs = Math.max(0, nowMs - savedMs);
    return (levels.get(level) ?? []).map(([endOffset, seenMs]) => ({
      endOffset,
      waitedMs: Math.max(0, savedMs - seenMs) + closedMs,
    }));
  }

  async save(arrivals: DelayArrivals): Promise<void> {
    await this.#save(encodeDelayArrivals(arrivals));
  }
}
