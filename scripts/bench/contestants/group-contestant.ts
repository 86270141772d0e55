import { type LatencyHistogram, monotonicUs } from "@millrace/shared-memory";
import type { Contestant } from "./contestant.js";

/** How long a synchronous contestant may keep the event loop. */
const YIELD_EVERY_US = 50_000;

/** For what puts a group of messages at a time and answers when all of them are acknowledged: a group is what is in flight. */
export abstract class GroupContestant implements Contestant {
  readonly #groupSize: number;
  #yieldedUs = 0;

  constructor(groupSize: number) {
    this.#groupSize = groupSize;
  }

  /** Puts the next `count` messages. */
  protected abstract putGroup(count: number): Promise<void> | undefined;

  abstract close(): Promise<void>;

  async run(deadlineUs: number, latencyUs: LatencyHistogram): Promise<number> {
    let messages = 0;
    let startUs = monotonicUs();
    while (startUs < deadlineUs) {
      const pending = this.putGroup(this.#groupSize);
      if (pending !== undefined) await pending;
      const endUs = monotonicUs();
      latencyUs.record(endUs - startUs, this.#groupSize);
      messages += this.#groupSize;
      startUs = endUs;
      if (endUs - this.#yieldedUs < YIELD_EVERY_US) continue;
      this.#yieldedUs = endUs;
      await new Promise((resolve) => setImmediate(resolve));
      startUs = monotonicUs();
    }
    return messages;
  }
}
