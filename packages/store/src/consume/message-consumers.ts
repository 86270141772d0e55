import type { MessageReader } from "../read/message-reader.js";
import { storeClosed } from "../tell/store-closed.js";
import { AbortSignals } from "./abort-signals.js";
import type { ArrivalSignal } from "./arrival-signal.js";
import { type ConsumeOptions, checkConsumeOptions } from "./consume-options.js";
import { ConsumerTurns } from "./consumer-turns.js";
import { type ConsumerEnvironment, MessageConsumer } from "./message-consumer.js";

/** The consumers of a store. Those that do not wait are known to nobody: dropped, they are gone. Main thread. */
export class MessageConsumers implements ConsumerEnvironment {
  readonly reader: MessageReader;
  readonly arrivals: ArrivalSignal;
  readonly turns = new ConsumerTurns();
  readonly signals = new AbortSignals();
  #isClosed = false;
  #failure: Error | undefined;

  constructor(reader: MessageReader, arrivals: ArrivalSignal) {
    this.reader = reader;
    this.arrivals = arrivals;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /**
   * A consumer that begins where `from` says at the moment of this call.
   *
   * @throws MillraceError `ERR_CONSUME_ILLEGAL`, `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`, `ERR_FILTER_ILLEGAL`, `ERR_STORE_CLOSED`
   */
  consume(options: ConsumeOptions): MessageConsumer {
    checkConsumeOptions(options);
    if (this.#isClosed) throw storeClosed();
    return new MessageConsumer(this, options);
  }

  /**
   * Nothing arrives any more: consumers take what is there, then reject with `error`; those that wait do so now. The first error
   * counts.
   */
  fail(error: Error): void {
    this.#failure ??= error;
    this.arrivals.wakeAll();
  }

  /** Ends all consumers, those that wait now. */
  close(): void {
    this.#isClosed = true;
    this.arrivals.wakeAll();
  }
}
