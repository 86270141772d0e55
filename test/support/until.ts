import { setTimeout } from "node:timers/promises";
import type { MessageStore } from "@millrace/store";

/** Long enough for a loaded machine: what is waited for comes, or is broken. */
const DEADLINE_MS = 30_000;
const LOOK_MS = 1;

/** Looks again and again until the condition holds; throws with the condition's own source when it does not come true. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadline) {
      throw new Error(`still not after ${DEADLINE_MS / 1000} s: ${String(isTrue).replace(/\s+/g, " ")}`);
    }
    await setTimeout(LOOK_MS);
  }
}

/** Everything that has been put can be consumed. */
export async function dispatchedAll(store: MessageStore): Promise<void> {
  await until(() => store.dispatchBehindBytes === 0);
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
