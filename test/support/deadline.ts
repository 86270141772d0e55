import { setTimeout } from "node:timers/promises";

/** Resolves when the condition holds; throws when it has not come true after ten seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("the condition never came true");
    await setTimeout(1);
  }
}
