import { type LatencyHistogram, PutRingTotal } from "@millrace/shared-memory";
import { isHeard, publish } from "../tell/store-channels.js";

/** Tells those who listen what has been answered: looked at once per group of answers, and not per message. On the thread that puts. */
export class PutChannel {
  readonly #store: string;
  readonly #totals: Float64Array;
  readonly #putToAckUs: LatencyHistogram;
  #messages = 0;
  #bytes = 0;
  #failed = 0;
  #puts = 0;
  #sumUs = 0;

  constructor(store: string, totals: Float64Array, putToAckUs: LatencyHistogram) {
    this.#store = store;
    this.#totals = totals;
    this.#putToAckUs = putToAckUs;
  }

  look(): void {
    const messages = this.#totals[PutRingTotal.messages] as number;
    const bytes = this.#totals[PutRingTotal.bytes] as number;
    const failed = this.#totals[PutRingTotal.failed] as number;
    const { count, sumUs } = this.#putToAckUs;
    if (isHeard("put") && messages + failed > this.#messages + this.#failed) {
      const puts = count - this.#puts;
      publish("put", {
        store: this.#store,
        service: "put",
        puts,
        messages: messages - this.#messages,
        bytes: bytes - this.#bytes,
        failed: failed - this.#failed,
        meanUs: puts === 0 ? 0 : (sumUs - this.#sumUs) / puts,
      });
    }
    this.#messages = messages;
    this.#bytes = bytes;
    this.#failed = failed;
    this.#puts = count;
    this.#sumUs = sumUs;
  }
}
