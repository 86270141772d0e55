/** When units may be sent. Times are microseconds of the monotonic clock, units are counted from 0. */
export interface Pace {
  /** Units sent in one turn of the event loop at most. */
  readonly burstUnits: number;
  /** How many units may have been sent by `nowUs`; bounded besides by the slots. */
  unitsDue(nowUs: number): number;
  /** From when the latency of a unit counts. */
  sentUs(unit: number, nowUs: number): number;
  /** When a unit becomes due; undefined when only slots hold it up. */
  dueUs(unit: number): number | undefined;
}

/** As fast as acknowledgements come back. */
export const UNPACED: Pace = {
  burstUnits: 1024,
  unitsDue: () => Number.POSITIVE_INFINITY,
  sentUs: (_unit, nowUs) => nowUs,
  dueUs: () => undefined,
};

/** A fixed rate: a unit that is sent late has waited since its intended time, and its latency says so (no coordinated omission). */
export class FixedRate implements Pace {
  readonly burstUnits = 64;
  readonly #startUs: number;
  readonly #intervalUs: number;

  constructor(startUs: number, unitsPerSecond: number) {
    this.#startUs = startUs;
    this.#intervalUs = 1e6 / unitsPerSecond;
  }

  unitsDue(nowUs: number): number {
    return Math.floor((nowUs - this.#startUs) / this.#intervalUs) + 1;
  }

  sentUs(unit: number): number {
    return this.#startUs + unit * this.#intervalUs;
  }

  dueUs(unit: number): number {
    return this.sentUs(unit);
  }
}
