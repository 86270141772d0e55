import { TRANS_CONSUMER_GROUP, TRANS_HALF_TOPIC, TRANS_OP_HALF_TOPIC } from "@millrace/format";
import type { MessageView } from "../../read/message-view.js";
import { HALF_QUEUE_ID } from "./half-messages.js";
import { decidedBy } from "./op-record.js";
import type { TransactionProgress } from "./transaction-store.js";

/** Half messages that only op records after a cut of the log say are decided: the progress goes back to the first of them. */
export class UndoneDecisions {
  readonly #progress: TransactionProgress;
  /** Queue offsets: of the half messages that cut op records decide the first, and the first that is cut itself. */
  #first = Infinity;
  #firstCut = Infinity;
  /** The first op record that may decide one after {@link #first}. */
  #opOffset = Infinity;
  #hasFirst = false;

  constructor(progress: TransactionProgress) {
    this.#progress = progress;
  }

  /** A record after the cut. */
  cut(record: MessageView): void {
    const { topic, queueOffset } = record;
    if (topic === TRANS_HALF_TOPIC) this.#firstCut = Math.min(this.#firstCut, queueOffset);
    else if (topic === TRANS_OP_HALF_TOPIC) for (const half of decidedBy(record)) this.#first = Math.min(this.#first, half);
  }

  /** A record before the cut. Segments come from the last to the first, each whole. */
  kept(record: MessageView): void {
    const { topic, queueOffset } = record;
    if (topic === TRANS_OP_HALF_TOPIC) this.#opOffset = Math.min(this.#opOffset, queueOffset);
    else if (topic === TRANS_HALF_TOPIC && queueOffset <= this.#first) this.#hasFirst = true;
  }

  /** Whether nothing before what has come matters any more. */
  get isSettled(): boolean {
    return this.#hasFirst || !this.#isUndone;
  }

  /** In memory. */
  setBack(): void {
    if (!this.#isUndone) return;
    const opOffset = Math.min(this.#opOffset, this.#offsetOf(TRANS_OP_HALF_TOPIC));
    this.#progress.commit(TRANS_CONSUMER_GROUP, TRANS_HALF_TOPIC, HALF_QUEUE_ID, this.#first);
    this.#progress.commit(TRANS_CONSUMER_GROUP, TRANS_OP_HALF_TOPIC, HALF_QUEUE_ID, opOffset);
  }

  get #isUndone(): boolean {
    return this.#first < Math.min(this.#firstCut, this.#offsetOf(TRANS_HALF_TOPIC));
  }

  #offsetOf(topic: string): number {
    return this.#progress.get(TRANS_CONSUMER_GROUP, topic, HALF_QUEUE_ID) ?? 0;
  }
}
