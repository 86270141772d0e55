import type { MessagePort } from "node:worker_threads";
import { MillraceError, shownValue } from "@millrace/format";
import { ControlBlock, ControlPort } from "@millrace/shared-memory";
import { allAnswered } from "../put/drained-puts.js";
import type { Message } from "../put/message.js";
import { MessagePutter } from "../put/message-putter.js";
import type { PutMessageResult } from "../put/put-message-result.js";
import { errorOf, type PostedError, type ProducerFace, type ProducerHandle, type StoreFace } from "./producer-handle.js";
import { ProducerTopics } from "./producer-topics.js";

const attached = new WeakSet<MessagePort>();

/**
 * Puts messages from a thread of the user's own into a store that another thread has open: validation, encoding and acknowledgement happen
 * here, in a ring of this producer's, which the store's append thread serves in turn with all others. Order holds within a producer. A
 * thread that ends, however it ends, has put nothing half: what was shown to the append thread is put, the rest is not.
 *
 * ```ts
 * // in the thread of the store
 * const handle = store.producerHandle();
 * worker.postMessage(handle, handle.transferList);
 * // in the worker
 * parentPort.once("message", async (handle) => {
 *   await using producer = MessageProducer.attach(handle);
 *   await producer.putMessage({ topic: "orders", queueId: 0, body });
 * });
 * ```
 */
export class MessageProducer implements AsyncDisposable {
  readonly #port: ControlPort<StoreFace>;
  readonly #put: MessagePutter<ProducerTopics>;
  /** Why no puts are taken any more, once that is known. */
  #refusal: MillraceError | undefined;
  #closing: Promise<void> | undefined;

  private constructor({ config, control, kernelMemory, ring, port }: ProducerHandle["place"]) {
    const face: ProducerFace = {
      suspend: (topic) => this.#suspend(topic),
      resume: (topic) => topics.resume(topic),
      refuse: (error) => this.#refuse(error),
      abandon: (error) => this.#abandon(error),
    };
    this.#port = new ControlPort<StoreFace>(port, face);
    const { remote } = this.#port;
    const topics = new ProducerTopics(
      (topic, queueId) => remote.slot(topic, queueId),
      () => this.#put.onSlot(),
    );
    this.#put = new MessagePutter(config, ControlBlock.attach(control, "producer"), { kernelMemory, ring }, topics, true);
    void this.#port.closed.then(() => this.#gone());
  }

  /**
   * Makes this thread a producer. May be called once for each handle.
   *
   * @param handle from `store.producerHandle()`, posted here with its `transferList`
   * @throws MillraceError `ERR_PRODUCER_ILLEGAL`: this is no handle, or it has been attached already
   */
  static attach(handle: ProducerHandle): MessageProducer {
    const place = handle?.place;
    if (place?.port === undefined) throw illegal(`a handle from store.producerHandle() is needed: handle=${shownValue(handle)}`);
    if (attached.has(place.port)) throw illegal("a handle is attached once; store.producerHandle() makes another: attached=true");
    attached.add(place.port);
    return new MessageProducer(place);
  }

  /** As `MessageStore.putMessage`, with the same statuses and errors; the first put to a queue waits for its slot. */
  putMessage(message: Message): Promise<PutMessageResult> {
    const put = this.#put.putMessage(message);
    if (message?.delayTimeLevel) put.then(this.#tellDelayed, () => {});
    return put;
  }

  /** As `MessageStore.putMessages`. */
  putMessages(batch: readonly Message[]): Promise<PutMessageResult> {
    const put = this.#put.putMessages(batch);
    if (batch?.[0]?.delayTimeLevel) put.then(this.#tellDelayed, () => {});
    return put;
  }

  /** As `MessageStore.drained`. @throws MillraceError `ERR_LIMIT_ILLEGAL` */
  async drained(unanswered = 0): Promise<void> {
    if (!Number.isSafeInteger(unanswered) || unanswered < 0)
      throw new MillraceError("ERR_LIMIT_ILLEGAL", `an integer of at least 0 is needed: unanswered=${shownValue(unanswered)}`);
    await this.#put.drained(unanswered);
  }

  /** Takes no more puts, waits for those taken, and gives the ring back. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** {@link close}, at the end of an `await using` scope. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#refusal = new MillraceError("ERR_STORE_CLOSED", "the producer is closed: state=closed", {
      status: "SERVICE_NOT_AVAILABLE",
    });
    this.#put.refuse(this.#refusal);
    await this.#put.drained();
    this.#put.close();
    this.#port.close();
  }

  readonly #tellDelayed = (): void => {
    void this.#port.remote.delayed();
  };

  async #suspend(topic: string): Promise<void> {
    this.#put.topics.suspend(topic);
    await allAnswered(this.#put.ring);
  }

  async #refuse(error: PostedError): Promise<void> {
    this.#refusal = errorOf(error);
    this.#put.refuse(this.#refusal);
    await this.#put.drained();
  }

  #abandon(error: PostedError): void {
    this.#refusal = errorOf(error);
    this.#put.abandon(this.#refusal);
  }

  /** Of the puts that are under way nobody knows; later ones are not put. */
  #gone(): void {
    this.#put.abandon(storeGone("unknown"));
    this.#put.refuse(this.#refusal ?? storeGone("none"));
  }
}

function illegal(message: string): MillraceError {
  return new MillraceError("ERR_PRODUCER_ILLEGAL", message);
}

function storeGone(outcome: "none" | "unknown"): MillraceError {
  return new MillraceError("ERR_STORE_CLOSED", "the store's thread has ended: state=closed", {
    status: "SERVICE_NOT_AVAILABLE",
    outcome,
  });
}
