/** Samples of the last seconds, oldest first: rates are differences of two. */
export class SampleWindow<S extends { readonly atMs: number }> {
  readonly #lengthMs: number;
  readonly #samples: S[] = [];

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  add(sample: S): void {
    const last = this.#samples.at(-1);
    // After a pause in which nobody looked, what was before says nothing of the last second.
    if (last !== undefined && sample.atMs - last.atMs > this.#lengthMs) this.#samples.length = 0;
    this.#samples.push(sample);
    while ((this.#samples[1]?.atMs ?? Number.POSITIVE_INFINITY) <= sample.atMs - this.#lengthMs) this.#samples.shift();
  }

  /** The youngest sample that is at least so old, otherwise the oldest; undefined when there is none. */
  before(ms: number): S | undefined {
    const wanted = (this.#samples.at(-1)?.atMs ?? 0) - ms;
    return this.#samples.findLast(({ atMs }) => atMs <= wanted) ?? this.#samples[0];
  }
}

/** What grew from one to the other, per second; 0 between equal times. */
export function perSecond(before: number, now: number, ms: number): number {
  return ms <= 0 ? 0 : (Math.max(0, now - before) * 1000) / ms;
}
