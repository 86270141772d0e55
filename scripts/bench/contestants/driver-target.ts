import type { LoadPutResult } from "../../load-generator/load-target.js";
import type { BenchTarget } from "./contestant.js";
import { ACKED } from "./group-target.js";

/** Takes what it is given and acknowledges it at once: what remains is what the driver costs. */
export class DriverTarget implements BenchTarget {
  readonly #acked: Promise<LoadPutResult> = Promise.resolve(ACKED);

  putMessage(): Promise<LoadPutResult> {
    return this.#acked;
  }

  putMessages(): Promise<LoadPutResult> {
    return this.#acked;
  }

  async close(): Promise<void> {}
}
