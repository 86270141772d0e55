import { setTimeout } from "node:timers/promises";
import type { MessageStore } from "@millrace/store";

const DEADLINE_MS = 15_000;
const LOOK_MS = 2;

/** Waits for a condition; throws when it does not come true. */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`still not: ${what}`);
    await setTimeout(LOOK_MS);
  }
}

/** Everything that has been put can be consumed. */
export async function dispatchedAll(store: MessageStore): Promise<void> {
  await until("all dispatched", () => store.dispatchBehindBytes === 0);
}

/** Looks again and again for a while: the condition is true all the time. */
export async function stays(isTrue: () => boolean, durationMs = 100): Promise<boolean> {
  const end = performance.now() + durationMs;
  while (performance.now() < end) {
    if (!isTrue()) return false;
    await setTimeout(LOOK_MS);
  }
  return true;
}
