import type { CleanableSegments } from "#store/clean/commit-log-cleaner.js";

const SIZE = 100;

/** Ten segments, the last of which is being written; what became of them is in `deleted`. */
export class SegmentsOfTest implements CleanableSegments {
  readonly segmentSize = SIZE;
  minOffset = 0;
  limitOffset = 9 * SIZE;
  readonly modified = new Map<number, number>();
  readonly deleted: number[] = [];
  /** What was called, in order. */
  readonly calls: string[] = [];
  /** Of the first record of a segment, where it has one. */
  readonly stored = new Map<number, number>();
  delayed: number | undefined;
  lease: number | undefined;
  failure: string | undefined;
  #deletedBelow = 0;

  constructor(modifiedMs: number) {
    for (let offset = 0; offset < 10 * SIZE; offset += SIZE) this.modified.set(offset, modifiedMs);
  }

  modifiedMs(fromOffset: number): number | undefined {
    return this.modified.get(fromOffset);
  }

  firstStoreTimestamp(fromOffset: number): number | undefined {
    return this.stored.get(fromOffset);
  }

  delayedFrom(): number | undefined {
    return this.delayed;
  }

  /** All is, unless a test says how often it is asked before. */
  asksUntilForced = 0;

  async isForcedTo(offset: number): Promise<boolean> {
    if (this.asksUntilForced === 0) return true;
    this.calls.push(`forced ${offset}?`);
    this.asksUntilForced--;
    return false;
  }

  async retireBelow(offset: number): Promise<void> {
    this.calls.push(`retire ${offset}`);
    this.minOffset = offset;
  }

  async deleteBelow(offset: number): Promise<string | undefined> {
    if (this.failure !== undefined) return this.failure;
    this.calls.push(`delete ${offset}`);
    for (; this.#deletedBelow < offset; this.#deletedBelow += SIZE) this.deleted.push(this.#deletedBelow);
    return undefined;
  }

  heldFrom(): number | undefined {
    return this.lease;
  }

  releaseByForce(offset: number): void {
    this.calls.push(`force ${offset}`);
    this.lease = undefined;
  }
}
