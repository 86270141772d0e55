import { PRODUCERS } from "./crash-job.js";

/** What a group may find in one queue: what it committed last and knows to be saved, or anything that it committed after that. */
export class ConsumerLedger {
  /** By producer; -1 for none. */
  readonly #possible: number[][] = Array.from({ length: PRODUCERS }, () => [-1]);

  committed(producer: number, offset: number): void {
    this.#possible[producer]?.push(offset);
  }

  persisted(producer: number, offset: number): void {
    const possible = this.#possible[producer] as number[];
    possible.splice(0, possible.lastIndexOf(offset));
  }

  /**
   * In a store that was just opened; what it has is saved. What was committed beyond the end that a crash has left is cut to it.
   *
   * @param ends of the queues, one past the last message
   * @returns what is wrong
   */
  found(offsets: readonly number[], ends: readonly number[]): string[] {
    const faults: string[] = [];
    for (const [producer, offset] of offsets.entries()) {
      const possible = this.#possible[producer] as number[];
      const end = ends[producer] ?? 0;
      if (!possible.map((known) => Math.min(known, end)).includes(offset))
        faults.push(`producer ${producer}: ${offset} found as consumed, ${possible[0]} saved, ${possible.at(-1)} committed last`);
      this.#possible[producer] = [offset];
    }
    return faults;
  }
}
