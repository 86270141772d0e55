import type { Frame } from "../sample/frame.js";

/** Two minutes. */
const LENGTH_MS = 120_000;

/** What is plotted, newest last; times ascend, whatever is done to the clock that they come from. */
export class FrameHistory {
  readonly #frames: Frame[] = [];

  add(frame: Frame): void {
    while ((this.#frames.at(-1)?.time ?? Number.NEGATIVE_INFINITY) >= frame.time) this.#frames.pop();
    this.#frames.push(frame);
    while ((this.#frames[0]?.time ?? frame.time) < frame.time - LENGTH_MS) this.#frames.shift();
  }

  /** Columns for a plot: seconds since the epoch, then one per series; null where there was nothing. */
  columns(series: readonly ((frame: Frame) => number | undefined)[]): [number[], ...(number | null)[][]] {
    return [this.#frames.map(({ time }) => time / 1000), ...series.map((of) => this.#frames.map((frame) => of(frame) ?? null))];
  }
}
