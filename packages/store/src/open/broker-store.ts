import { type ControlBlock, durableOffset, endOffset } from "@millrace/shared-memory";
import type { ScheduleMessageStore } from "../broker/delay/schedule-message-store.js";
import type { TransactionStore } from "../broker/transaction/transaction-store.js";
import type { Message } from "../put/message.js";
import type { MessagePutter } from "../put/message-putter.js";
import type { PutMessageResult } from "../put/put-message-result.js";
import type { MessageReader } from "../read/message-reader.js";
import type { MessageView } from "../read/message-view.js";
import type { ReadConsumeQueue } from "../read/read-consume-queue.js";

/**
 * The store as those see it who read messages back and put them again: delays and transactions, the broker's part in RocketMQ. Main
 * thread.
 */
export class BrokerStore implements ScheduleMessageStore, TransactionStore {
  readonly #reader: MessageReader;
  readonly #put: MessagePutter;
  readonly #counters: ControlBlock<"main">["counters"];
  readonly #flush: () => Promise<unknown>;

  /** @param flush forces all that has been acknowledged */
  constructor(reader: MessageReader, put: MessagePutter, control: ControlBlock<"main">, flush: () => Promise<unknown>) {
    this.#reader = reader;
    this.#put = put;
    this.#counters = control.counters;
    this.#flush = flush;
  }

  get maxPhysicalOffset(): number {
    return endOffset(this.#counters);
  }

  get readableOffset(): number {
    return this.#reader.commitLog.maxOffset;
  }

  get flushedOffset(): number {
    return durableOffset(this.#counters);
  }

  consumeQueue(topic: string, queueId: number): ReadConsumeQueue | undefined {
    return this.#reader.consumeQueues.find(topic, queueId);
  }

  queues(topic: string): number[] {
    return this.#reader.queues(topic);
  }

  message(physicalOffset: number, size?: number): MessageView | undefined {
    return this.#reader.lookMessageByOffset(physicalOffset, size);
  }

  putMessage(message: Message): Promise<PutMessageResult> {
    return this.#put.putOwnMessage(message);
  }

  commitMessage(message: Message): Promise<PutMessageResult> {
    return this.#put.putOwnMessage(message, true);
  }

  deliverMessage(message: Message): Promise<PutMessageResult> {
    return this.#put.deliverMessage(message);
  }

  /** Also while the store closes, when the pipeline has forced everything. */
  async flush(): Promise<void> {
    if (this.flushedOffset < this.maxPhysicalOffset) await this.#flush();
  }
}
