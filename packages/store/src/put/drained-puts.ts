import { setTimeout } from "node:timers/promises";
import type { PutRingProducer } from "@millrace/shared-memory";

/** How often it is looked whether the puts in flight have been answered. */
const ANSWER_LOOK_MS = 1;

/** Those who wait until few enough puts are unanswered. Main thread. */
export class DrainedPuts {
  readonly #waiters: { readonly limit: number; readonly resolve: () => void }[] = [];

  /** Resolves with the {@link look} that finds at most `limit`. */
  async atMost(limit: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiters.push({ limit, resolve });
    });
  }

  /** @param unanswered puts in the ring, and those that wait for it */
  look(unanswered: number): void {
    for (let i = this.#waiters.length - 1; i >= 0; i--) {
      const waiter = this.#waiters[i];
      if (waiter === undefined || waiter.limit < unanswered) continue;
      this.#waiters.splice(i, 1);
      waiter.resolve();
    }
  }
}

/** Resolves when every put taken so far has its place in the log, or has failed. */
export async function allAnswered(ring: PutRingProducer): Promise<void> {
  const frames = ring.committed;
  while (ring.taken < frames) await setTimeout(ANSWER_LOOK_MS);
}
