import type { Storage } from "@millrace/mapped-file";
import { type DelayArrival, type DelayArrivals, encodeDelayArrivals, readDelayArrivals } from "../../marks/delay-arrivals.js";
import type { WaitingGroup } from "./arrival-times.js";

/** Puts the content of the file on disk, atomically and durably. */
export type SaveDelayArrivals = (content: Uint8Array) => Promise<void>;

/**
 * How long messages have waited for their delay, over restarts: `config/millrace.delayArrivals`. Only who has seen the wall clock jump
 * needs it; without it, or when it is damaged, a message waits for its delay again. Main thread.
 */
export class SavedArrivals {
  #found: DelayArrivals | undefined;
  readonly #save: SaveDelayArrivals;

  private constructor(found: DelayArrivals | undefined, save: SaveDelayArrivals) {
    this.#found = found;
    this.#save = save;
  }

  static open(storage: Storage, path: string, save: SaveDelayArrivals): SavedArrivals {
    return new SavedArrivals(readDelayArrivals(storage, path), save);
  }

  /**
   * When the store is opened: no group may reach beyond its level's queue, where what comes next would be given the time of what a crash
   * has taken back. Durable on return.
   *
   * @param endOf one past the last queue offset of a level
   */
  async hold(endOf: (level: number) => number): Promise<void> {
    if (this.#found === undefined) return;
    const { savedMs, levels } = this.#found;
    const isBeyond = [...levels].some(([level, groups]) => groups.some(([end]) => end > endOf(level)));
    if (!isBeyond) return;
    this.#found = { savedMs, levels: new Map([...levels].map(([level, groups]) => [level, cutGroups(groups, endOf(level))])) };
    await this.save(this.#found);
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

function cutGroups(groups: readonly DelayArrival[], end: number): DelayArrival[] {
  const firstBeyond = groups.findIndex(([groupEnd]) => groupEnd > end);
  if (firstBeyond === -1) return [...groups];
  const kept = groups.slice(0, firstBeyond);
  const seenMs = (groups[firstBeyond] as DelayArrival)[1];
  return (kept.at(-1)?.[0] ?? 0) < end ? [...kept, [end, seenMs]] : kept;
}
