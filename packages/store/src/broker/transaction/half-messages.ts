import { setImmediate } from "node:timers/promises";
import { ConsumeQueueUnit, TRANS_CONSUMER_GROUP, TRANS_HALF_TOPIC, TRANS_OP_HALF_TOPIC } from "@millrace/format";
import type { MessageView } from "../../read/message-view.js";
import { unlessCorrupt } from "../../read/record-corrupt-error.js";
import { DecidedOffsets } from "./decided-offsets.js";
import { decidedBy } from "./op-record.js";
import type { TransactionProgress, TransactionQueue, TransactionStore } from "./transaction-store.js";

/** Of both topics. */
export const HALF_QUEUE_ID = 0;
/** Records read in one turn of the event loop. */
const RECORDS_PER_TURN = 256;

/**
 * Which half messages have been decided. Known from the op records, which are read once, when it is first asked for; {@link decided}
 * notes later ones. (RocketMQ: `TransactionalMessageServiceImpl.fillOpRemoveMap`.)
 *
 * Progress (the offsets of group CID_RMQ_SYS_TRANS) is noted whenever no half message is decided behind an undecided one, so that
 * reading begins there after a restart: a half message that stays undecided makes the op records behind it be read again, nothing
 * else.
 */
export class HalfMessages {
  readonly #store: TransactionStore;
  readonly #progress: TransactionProgress;
  readonly #decided: DecidedOffsets;
  readonly #unit = new ConsumeQueueUnit();
  /** Next op record to be read. */
  #opOffset: number;
  /** End of the last op record: progress beyond it must not be durable before it. */
  #opEnd = 0;
  #reading: Promise<void> | undefined;
  #isUsed = false;

  constructor(store: TransactionStore, progress: TransactionProgress) {
    this.#store = store;
    this.#progress = progress;
    // A log that has lost its tail gives the offsets of lost messages out again.
    const halfOffset = progress.get(TRANS_CONSUMER_GROUP, TRANS_HALF_TOPIC, HALF_QUEUE_ID) ?? 0;
    const opOffset = progress.get(TRANS_CONSUMER_GROUP, TRANS_OP_HALF_TOPIC, HALF_QUEUE_ID) ?? 0;
    this.#decided = new DecidedOffsets(Math.min(halfOffset, this.halfQueue?.nextOffset ?? 0));
    this.#opOffset = Math.min(opOffset, this.#opQueue?.nextOffset ?? 0);
  }

  get halfQueue(): TransactionQueue | undefined {
    return this.#store.consumeQueue(TRANS_HALF_TOPIC, HALF_QUEUE_ID);
  }

  get #opQueue(): TransactionQueue | undefined {
    return this.#store.consumeQueue(TRANS_OP_HALF_TOPIC, HALF_QUEUE_ID);
  }

  /** The first that may be undecided. */
  get from(): number {
    const minOffset = this.halfQueue?.minOffset ?? 0;
    if (minOffset > this.#decided.from) this.#decided.passTo(minOffset);
    return this.#decided.from;
  }

  isDecided(queueOffset: number): boolean {
    return this.#decided.has(queueOffset);
  }

  /** @param opEnd end of its op record, in bytes */
  decided(queueOffset: number, opEnd: number): void {
    this.#decided.add(queueOffset);
    this.#opEnd = Math.max(this.#opEnd, opEnd);
  }

  /** Reads the op records that can be read. */
  readOps(): Promise<void> {
    this.#isUsed = true;
    this.#reading ??= this.#readOps().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readOps(): Promise<void> {
    for (let turn = 0; ; ) {
      const queue = this.#opQueue;
      if (queue === undefined) return;
      this.#opOffset = Math.max(this.#opOffset, queue.minOffset);
      if (this.#opOffset >= queue.maxOffset) return;
      const op = this.read(queue, this.#opOffset);
      if (op !== undefined) this.#takeOp(op);
      this.#opOffset++;
      if (++turn % RECORDS_PER_TURN === 0) await setImmediate();
    }
  }

  #takeOp(op: MessageView): void {
    this.#opEnd = Math.max(this.#opEnd, op.physicalOffset + op.size);
    const halfEnd = this.halfQueue?.nextOffset ?? 0;
    for (const queueOffset of decidedBy(op)) if (queueOffset < halfEnd) this.#decided.add(queueOffset);
  }

  /**
   * The record of a queue offset; undefined when it is gone, or corrupt, or its unit was and the log has none for it: one bad record must
   * not hold all transactions up.
   *
   * @throws MillraceError `ERR_CONSUME_QUEUE_CORRUPT`: the unit is built again, and read then
   */
  read(queue: TransactionQueue, queueOffset: number): MessageView | undefined {
    const unit = this.#unit;
    return unlessCorrupt(() => {
      if (!queue.unit(queueOffset, unit) || !unit.isMessage) return undefined;
      return this.#store.message(unit.physicalOffset, unit.size);
    });
  }

  /** Whether anybody has asked yet; otherwise there is no progress to be noted. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  /** Notes the progress, if it is safe: everything read is decided without gaps, and the op records that say so are durable. */
  async note(): Promise<void> {
    await this.readOps();
    const { from } = this;
    if (this.#decided.count > 0 || this.#opEnd > this.#store.flushedOffset) return;
    this.#noteOne(TRANS_HALF_TOPIC, from);
    this.#noteOne(TRANS_OP_HALF_TOPIC, this.#opOffset);
  }

  #noteOne(topic: string, offset: number): void {
    if ((this.#progress.get(TRANS_CONSUMER_GROUP, topic, HALF_QUEUE_ID) ?? 0) === offset) return;
    this.#progress.commit(TRANS_CONSUMER_GROUP, topic, HALF_QUEUE_ID, offset);
  }
}
