import { setTimeout } from "node:timers/promises";
import { monotonicMs, wallClockMs } from "@millrace/shared-memory";
import type { GetMessageResult } from "../read/get-message-result.js";
import type { GetMessageRequest } from "../read/message-getter.js";
import type { MessageReader } from "../read/message-reader.js";
import type { MessageView } from "../read/message-view.js";
import type { ReadConsumeQueue } from "../read/read-consume-queue.js";
import { RecordCorruptError } from "../read/record-corrupt-error.js";
import { TagFilter } from "../read/tag-filter.js";
import { isBuiltAgain } from "../read/unit-verifier.js";
import type { AbortSignals } from "./abort-signals.js";
import type { ArrivalSignal, ArrivalWaiter } from "./arrival-signal.js";
import type { ConsumeFrom, ConsumeOptions } from "./consume-options.js";
import { ConsumedBatch } from "./consumed-batch.js";
import type { ConsumerTurns } from "./consumer-turns.js";

/** What the consumers of one store have in common. */
export interface ConsumerEnvironment {
  readonly reader: MessageReader;
  readonly arrivals: ArrivalSignal;
  readonly turns: ConsumerTurns;
  readonly signals: AbortSignals;
  /** The store is closed. */
  readonly isClosed: boolean;
  /** Nothing arrives any more, because of this. */
  readonly failure: Error | undefined;
}

/** How often it is looked whether a bad unit has been built again, and how long it may take. */
const REPAIR_LOOK_MS = 5;
const REPAIR_TIMEOUT_MS = 30_000;

/** With a filter: so many queue offsets without a match are worth a batch without messages, so that its `nextOffset` is committed. */
const EMPTY_BATCH_OFFSETS = 1000;

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/**
 * Goes through a queue, batch by batch, and waits at its end for more. A queue that does not exist yet is waited for; one that
 * begins again, because its topic was deleted, is consumed from its new beginning; when a crash has taken messages back, it goes on
 * at the queue's end.
 *
 * Between two batches it holds nothing of the store. Ends when its signal is aborted, when the store closes, and with `return()`,
 * also while it waits. When the store has failed, what is there is still consumed; then {@link next} rejects with the store's
 * error. At a corrupt record it rejects and ends, or goes on behind it, as `onCorrupt` says.
 */
export class MessageConsumer implements AsyncIterableIterator<ConsumedBatch, undefined> {
  readonly #environment: ConsumerEnvironment;
  readonly #request: Omit<GetMessageRequest, "queueOffset">;
  readonly #signal: AbortSignal | undefined;
  readonly #isFiltered: boolean;
  readonly #skipsCorrupt: boolean;
  /** Queue offset of the next message. */
  #offset: number;
  /** `nextOffset` of the last batch. */
  #batchOffset: number;
  #queueSlot: number | undefined;
  /** Queue offsets passed over since the last batch. */
  #skipped = 0;
  /** Corrupt records passed over since then. */
  #corrupt = 0;
  /** A unit at its place is being built again, and since when (monotonic milliseconds; -1 when none is). */
  #isRepairing = false;
  #repairsSince = -1;
  #isEnded = false;
  #waiter: ArrivalWaiter | undefined;
  /** The call of {@link next} before: calls are answered in their order. */
  #last: Promise<unknown> = Promise.resolve();

  /** @internal @param options checked */
  constructor(environment: ConsumerEnvironment, options: ConsumeOptions) {
    this.#environment = environment;
    const { from, signal, onCorrupt, ...request } = options;
    this.#request = request;
    this.#skipsCorrupt = onCorrupt === "skip";
    this.#signal = signal;
    this.#isFiltered = TagFilter.of(request.filter) !== undefined;
    const { reader } = environment;
    const queue = reader.consumeQueues.find(request.topic, request.queueId);
    this.#queueSlot = queue?.slot;
    this.#offset = queue === undefined ? beginningOfNone(reader, from) : beginning(reader, queue, from);
    this.#batchOffset = this.#offset;
  }

  /**
   * Queue offset that it looks at next. It moves with what a filter passes over, too; a batch without messages says the same after each
   * thousand.
   */
  get nextOffset(): number {
    return this.#offset;
  }

  /** Resolves with the next batch as soon as there is one. */
  next(): Promise<IteratorResult<ConsumedBatch, undefined>> {
    const next = this.#last.then(this.#next, this.#next);
    this.#last = next;
    return next;
  }

  /** Ends the consumer; a call of {@link next} that waits is answered at once. Leaving a `for await` calls it. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#end();
    return DONE;
  }

  /** The consumer itself: one loop goes on where another one has ended. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #next = async (): Promise<IteratorResult<ConsumedBatch, undefined>> => {
    try {
      while (!this.#isOver()) {
        const turn = this.#environment.turns.take();
        if (turn !== undefined) {
          await turn;
          if (this.#isOver()) break;
        }
        const batch = this.#get();
        if (this.#isRepairing) {
          await setTimeout(REPAIR_LOOK_MS);
          continue;
        }
        if (batch !== undefined) return { done: false, value: batch };
        if (this.#isAtEnd()) await this.#wait();
      }
    } catch (error) {
      this.#end();
      throw error;
    }
    this.#end();
    return DONE;
  };

  #isOver(): boolean {
    return this.#isEnded || this.#environment.isClosed || this.#signal?.aborted === true;
  }

  /** Undefined when nothing was found where it stood; it may have moved on. */
  #get(): ConsumedBatch | undefined {
    this.#findQueue();
    this.#isRepairing = false;
    const found = this.#find();
    if (found !== undefined && found.status !== "OFFSET_FOUND_NULL") this.#repairsSince = -1;
    try {
      return found === undefined ? undefined : this.#take(found);
    } finally {
      found?.release();
    }
  }

  /** Undefined after it has gone on behind a corrupt record. */
  #find(): GetMessageResult | undefined {
    try {
      return this.#environment.reader.getMessage({ ...this.#request, queueOffset: this.#offset });
    } catch (error) {
      if (this.#awaitsRepair(error)) return undefined;
      if (!this.#skipsCorrupt || !(error instanceof RecordCorruptError)) throw error;
      const passed = this.#moveTo((error.queueOffset ?? this.#offset) + 1);
      this.#corrupt++;
      if (!this.#isFiltered) this.#skipped += passed - 1;
      return undefined;
    }
  }

  /** A unit that was bad is built again from the log while the consumer waits; but not for ever. */
  #awaitsRepair(error: unknown): boolean {
    return isBuiltAgain(error) && this.#awaits();
  }

  #awaits(): boolean {
    const now = monotonicMs();
    if (this.#repairsSince < 0) this.#repairsSince = now;
    this.#isRepairing = now - this.#repairsSince < REPAIR_TIMEOUT_MS;
    return this.#isRepairing;
  }

  #take(found: GetMessageResult): ConsumedBatch | undefined {
    switch (found.status) {
      case "FOUND": {
        const messages = found.copyMessages();
        if (!this.#isFiltered) this.#skipped += found.nextBeginOffset - this.#offset - messages.length;
        this.#offset = found.nextBeginOffset;
        return this.#batch(messages);
      }
      case "NO_MATCHED_MESSAGE":
        this.#moveTo(found.nextBeginOffset);
        return this.#offset - this.#batchOffset < EMPTY_BATCH_OFFSETS ? undefined : this.#batch([]);
      case "OFFSET_TOO_SMALL":
        this.#skipped += this.#moveTo(found.minOffset);
        return undefined;
      case "OFFSET_FOUND_NULL":
        if (this.#environment.reader.filesComeBack && this.#awaits()) return undefined;
        this.#skipped += this.#moveTo(Math.max(found.nextBeginOffset, this.#endOfFile()));
        return undefined;
      case "MESSAGE_WAS_REMOVING":
        this.#skipped += this.#moveTo(found.nextBeginOffset);
        return undefined;
      default:
        return undefined;
    }
  }

  #batch(messages: MessageView[]): ConsumedBatch {
    const batch = new ConsumedBatch(messages, this.#offset, this.#skipped, this.#corrupt, this.#queueSlot ?? -1);
    this.#batchOffset = this.#offset;
    this.#skipped = 0;
    this.#corrupt = 0;
    return batch;
  }

  /** Always on, by one at least: whatever a get answers, the consumer does not stand still. Returns by how much. */
  #moveTo(nextOffset: number): number {
    const passed = Math.max(1, nextOffset - this.#offset);
    this.#offset += passed;
    return passed;
  }

  /** One past the last queue offset of the file that it stands in. */
  #endOfFile(): number {
    return this.#findQueue()?.rollNextFile(this.#offset) ?? 0;
  }

  /** A queue whose topic was deleted meanwhile begins again at 0: when it is there again, for then it is known whether it was deleted. */
  #findQueue(): ReadConsumeQueue | undefined {
    const { topic, queueId } = this.#request;
    const queue = this.#environment.reader.consumeQueues.find(topic, queueId);
    if (queue === undefined || queue.slot === this.#queueSlot) return queue;
    const from = this.#queueSlot;
    this.#queueSlot = queue.slot;
    if (from === undefined || this.#environment.reader.consumeQueues.isContinued(from, queue.slot)) return queue;
    this.#offset = this.#batchOffset = 0;
    return queue;
  }

  /**
   * There is nothing to read. An offset beyond all that has been put is taken back, or what is put next would be missed; not on a slave,
   * which waits for what its master has.
   */
  #isAtEnd(): boolean {
    const queue = this.#findQueue();
    if (queue === undefined && this.#queueSlot !== undefined) return true;
    const beyond = this.#offset - (queue === undefined ? 0 : endOf(queue));
    if (beyond > 0 && !this.#environment.reader.isSlave) {
      this.#offset -= beyond;
      this.#batchOffset = Math.min(this.#batchOffset, this.#offset);
      this.#skipped = Math.max(0, this.#skipped - beyond);
    }
    return queue === undefined || this.#offset >= queue.maxOffset;
  }

  async #wait(): Promise<void> {
    const { arrivals, signals, failure } = this.#environment;
    if (failure !== undefined) throw failure;
    const signal = this.#signal;
    const { topic, queueId } = this.#request;
    const queueSlot = this.#findQueue()?.slot;
    await new Promise<void>((wake) => {
      this.#waiter = { topic, queueId, queueSlot, queueOffset: this.#offset, wake };
      if (signal !== undefined) signals.add(signal, this.#end);
      arrivals.wait(this.#waiter);
    });
    this.#waiter = undefined;
    if (signal !== undefined) signals.remove(signal, this.#end);
  }

  readonly #end = (): void => {
    this.#isEnded = true;
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    this.#environment.arrivals.cancel(waiter);
    waiter.wake();
  };
}

/** Of a queue that is not there. A slave's may only not have come from its master yet. */
function beginningOfNone({ isSlave }: MessageReader, from: ConsumeFrom): number {
  return isSlave && typeof from === "number" ? from : 0;
}

function beginning(reader: MessageReader, queue: ReadConsumeQueue, from: ConsumeFrom): number {
  if (typeof from === "number") return from;
  if (from === "earliest") return queue.minOffset;
  const isLatest = from === "latest" || from.getTime() > wallClockMs();
  return isLatest ? endOf(queue) : reader.getOffsetInQueueByTime(queue.topic, queue.queueId, from, "lower");
}

/** Behind all that has been put, whether it can be read already or not: after a crash the dispatcher may have to catch up. */
function endOf(queue: ReadConsumeQueue): number {
  return Math.max(queue.nextOffset, queue.maxOffset);
}
