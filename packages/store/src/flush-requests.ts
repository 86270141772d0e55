import type { MillraceError } from "@millrace/format";
import type { Pipeline } from "./pipeline.js";

/** The flushes that somebody waits for: a service that ends does not answer them. */
export class FlushRequests {
  readonly #pipeline: Pipeline;
  readonly #rejects = new Set<(error: MillraceError) => void>();

  constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline;
  }

  /** Resolves with the durable offset when everything below `offset` is durable. */
  async flush(offset: number): Promise<number> {
    return await new Promise((resolve, reject) => {
      this.#rejects.add(reject);
      const flushed = (flushedOffset: number): void => {
        this.#rejects.delete(reject);
        resolve(flushedOffset);
      };
      // A flush that fails ends its service; the reason comes with that end, to all that still wait.
      this.#pipeline.flushNow(offset).then(flushed, () => {});
    });
  }

  rejectAll(error: MillraceError): void {
    for (const reject of this.#rejects) reject(error);
    this.#rejects.clear();
  }
}
