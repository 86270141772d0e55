import type { AppendedPutStatus, MillraceError } from "@millrace/format";
import {
  AppendStatus,
  type ControlBlock,
  type CounterName,
  FRAME_FLAG_BODY_CRC,
  FRAME_FLAG_NO_QUEUE_OFFSET,
  LatencyHistogram,
  monotonicUs,
  PutRingProducer,
  PutRingTotal,
  type ReadableCounter,
  type Role,
  wallClockMs,
} from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { AckDetails } from "./ack-details.js";
import { AckVerdict } from "./ack-verdict.js";
import { AckWaits } from "./ack-waits.js";
import { appendResultOf } from "./append-result.js";
import { DrainedPuts } from "./drained-puts.js";
import type { Message } from "./message.js";
import { batchChanged, MessageBatchValidator } from "./message-batch-validator.js";
import { MessageValidator } from "./message-validator.js";
import { publishBytes } from "./publish-bytes.js";
import { PutChannel } from "./put-channel.js";
import type { AppendedPutResult, PutMessageResult, RefusedPutResult } from "./put-message-result.js";
import { PutWaitQueue, type Settle } from "./put-wait-queue.js";
import { type ProducerMemory, RecordEncoder } from "./record-encoder.js";
import { StoreStatus } from "./store-status.js";
import { NO_SLOT, type PutTopics, type TopicTable } from "./topic-table.js";

const ACKS_PER_TURN = 512; // settled in one turn of the event loop; more of them wait a turn, so that nothing else waits long
const RECHECK_MS = 50; // how often the thread looks without being woken: deadlines, lost wake-ups
type Check<T> = (input: T) => RefusedPutResult | undefined; // why it is refused; throws for what is no message
type Write<T> = (input: T) => boolean; // encodes what has just been checked into the ring; false while the ring is full
/** What a producer sees of the control block; none of it is its own. */
type PutterWords = Pick<ControlBlock<Role>, "forceAlarm" | "putBell"> & { readonly counters: Record<CounterName, ReadableCounter> };

/**
 * A producer's end of the pipeline. Put: validate, encode straight into the ring, publish once per turn. Ack: settle promises in the
 * order of the puts, in ASYNC_FLUSH when the appender has answered, in SYNC_FLUSH when `flushedOffset` has passed the record.
 * (RocketMQ: `DefaultMessageStore.asyncPutMessage`, `CommitLog.handleDiskFlush`.)
 */
export class MessagePutter<T extends PutTopics = TopicTable> {
  readonly ring: PutRingProducer;
  readonly topics: T;
  readonly waiting: PutWaitQueue;
  readonly status: StoreStatus;
  readonly #putBell: PutterWords["putBell"];
  readonly #totals: Float64Array;
  readonly #putToAckUs: LatencyHistogram;
  readonly #encoder: RecordEncoder;
  readonly #validator: MessageValidator;
  readonly #batchValidator = new MessageBatchValidator();
  readonly #sync: boolean;
  readonly #verdict: AckVerdict;
  readonly #publishBytes: number;
  readonly #settles: (Settle | undefined)[];
  readonly #details: AckDetails;
  readonly #recheck: NodeJS.Timeout;
  #keepsAlive = false;
  #burst = false;
  #isClosed = false;
  #drainScheduled = false;
  readonly #waits: AckWaits;
  #putTimeUs = 0;
  #nowMs = 0;
  #lacksSlot = false; // of what was tried last, and, while puts wait, of the first of them
  #refusal: MillraceError | undefined; // set when no more puts are taken; what they are rejected with
  readonly #drained = new DrainedPuts();
  readonly #channel: PutChannel;

  /** @param sealsBodies computes the bodies' CRCs, which the appender does else: for one of several producers */
  constructor(config: MessageStoreConfig, control: PutterWords, memory: ProducerMemory, topics: T, sealsBodies = false) {
    const { counters } = control;
    this.#putBell = control.putBell;
    this.#totals = memory.ring.totals;
    this.#putToAckUs = new LatencyHistogram(memory.ring.putToAckUs.buffer, memory.ring.putToAckUs.byteOffset);
    this.topics = topics;
    this.status = new StoreStatus(config, counters);
    this.#encoder = new RecordEncoder(memory, config.enabledAppendPropCRC, sealsBodies);
    this.#validator = new MessageValidator(config, topics, this.#encoder.properties);
    this.#sync = config.flushDiskType === "SYNC_FLUSH";
    this.#verdict = new AckVerdict(config, control, this.status.replicas);
    this.#publishBytes = publishBytes(config);
    this.ring = new PutRingProducer(memory.ring);
    this.#settles = new Array<Settle | undefined>(this.ring.frameCapacity).fill(undefined);
    this.#details = new AckDetails(this.ring.frameCapacity);
    this.waiting = new PutWaitQueue(config, this.#totals);
    this.#channel = new PutChannel(config.storePathRootDir, this.#totals, this.#putToAckUs);
    this.#waits = new AckWaits(this.ring, this.#verdict.words, () => this.#drain());
    this.#recheck = setInterval(this.#onRecheck, RECHECK_MS).unref();
  }

  putMessage(message: Message): Promise<PutMessageResult> {
    return this.#put(message, this.#check, this.#write);
  }

  /** Of the store's own, for which no topic is reserved: prepared messages, and what becomes of them, which lies in the log already. */
  putOwnMessage(message: Message, isStored = false): Promise<PutMessageResult> {
    return this.#put(message, isStored ? this.#checkStored : this.#checkOwn, this.#write);
  }

  /** A delayed message whose time has come. Retention keeps its record until then: a disk over its ratio must not wait for it in vain. */
  deliverMessage(message: Message): Promise<PutMessageResult> {
    return this.#put(message, this.#checkDue, this.#write);
  }

  putMessages(batch: readonly Message[]): Promise<PutMessageResult> {
    return this.#put(batch, this.#checkBatch, this.#writeBatch);
  }

  /** From now on every put is rejected with `refusal`; those in flight go on. */
  refuse(refusal: MillraceError): void {
    this.#refusal = refusal;
  }

  /** Settles what is acknowledged already and rejects everything else: its bytes may be on disk or not. */
  abandon(error: MillraceError): void {
    if (this.#isClosed) return;
    this.refuse(error);
    this.waiting.rejectAll(error);
    while (this.#settleSome()) {}
    while (this.ring.inFlight > 0) this.#take()?.(Promise.reject(error));
    this.#channel.look();
    this.#drained.look(this.unanswered);
  }

  /** Puts in the ring, and those that wait for it. */
  get unanswered(): number {
    return this.ring.inFlight + this.waiting.size;
  }

  /** Resolves when at most `limit` puts are unanswered. */
  async drained(limit = 0): Promise<void> {
    if (this.unanswered > limit) await this.#drained.atMost(limit);
  }

  /** Ends the re-check timer and this thread's sleep on its ring, which is another producer's from now on: it is not looked at again. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#recheck);
    this.ring.nudge();
  }

  /** As {@link putMessage}, for one of many: undefined when `settle` gets the answer, in the order of the puts and without a promise. */
  putInto(message: Message, settle: Settle): Promise<PutMessageResult> | undefined {
    const answer = this.#tryPut(message, this.#check, this.#write);
    if (answer === undefined) this.#adopt(settle);
    return answer;
  }

  /** Throws what {@link putMessage} rejects with for what is no message; it and its `count` messages have failed then. */
  validate(message: Message, count: number): void {
    try {
      this.#validator.validate(message, this.#nowMs);
    } catch (error) {
      this.#add(PutRingTotal.failed, count);
      throw error;
    }
  }

  #put<T>(input: T, check: Check<T>, write: Write<T>): Promise<PutMessageResult> {
    return this.#tryPut(input, check, write) ?? new Promise<PutMessageResult>(this.#adopt);
  }

  /** undefined: it is in the ring, and who gets the answer is to be adopted now. */
  #tryPut<T>(input: T, check: Check<T>, write: Write<T>): Promise<PutMessageResult> | undefined {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    try {
      const refusal = this.#refusalOf(input, check);
      if (refusal !== undefined) {
        this.#add(PutRingTotal.failed, 1);
        return Promise.resolve(refusal);
      }
      if (this.waiting.size === 0 && this.#tryWrite(input, write)) return undefined;
      const { length } = Array.isArray(input) ? this.#batchValidator : this.#validator;
      return this.#wait(() => this.#refusalOf(input, check) ?? this.#tryWrite(input, write), length);
    } catch (error) {
      this.#add(PutRingTotal.failed, 1);
      return Promise.reject(error);
    }
  }

  #refusalOf<T>(input: T, check: Check<T>): RefusedPutResult | undefined {
    return check(input) ?? this.status.room.slotRefusal(this.#validator.queueSlot);
  }

  /** What has just been checked. False: there is no room, or its queue has no slot, which has been asked for. */
  #tryWrite<T>(input: T, write: Write<T>): boolean {
    const { queueSlot, topic, fields } = this.#validator;
    this.#lacksSlot = queueSlot === NO_SLOT && !this.topics.hasSlot(topic, fields.queueId);
    return !this.#lacksSlot && write(input);
  }

  /** A queue has been given its slot, or has been refused one: what waits for that is tried again. */
  readonly onSlot = (): void => this.#drain();

  #add(total: number, count: number): void {
    this.#totals[total] = (this.#totals[total] as number) + count;
  }

  /** Hands the promise that is being made to the frame committed last. */
  readonly #adopt = (resolve: Settle): void => {
    this.#settles[this.ring.slotOf(this.ring.committed - 1)] = resolve;
  };

  #wait(tryPut: () => boolean | RefusedPutResult, length: number): Promise<PutMessageResult> {
    if (!this.#lacksSlot) this.#add(PutRingTotal.stalls, 1);
    this.#publish();
    this.#stayAlive();
    this.#arm();
    return this.waiting.add(tryPut, length, monotonicUs(), this.#lacksSlot);
  }

  readonly #check: Check<Message> = (message) => this.#startGroup() ?? this.#validator.validate(message, this.#nowMs);
  readonly #checkOwn: Check<Message> = (one) => this.#startGroup() ?? this.#validator.validate(one, this.#nowMs, "store");
  readonly #checkStored: Check<Message> = (one) => this.#startGroup() ?? this.#validator.validate(one, this.#nowMs, "log");
  readonly #checkDue: Check<Message> = (one) => this.#startGroup(false) ?? this.#validator.validate(one, this.#nowMs, "log");

  readonly #checkBatch: Check<readonly Message[]> = (batch) =>
    this.#startGroup() ?? this.#batchValidator.validate(batch, this.#validator, this.#nowMs);

  /** The message validated last. */
  readonly #write: Write<Message> = () => {
    const { ring } = this;
    const validator = this.#validator;
    const { fields, length } = validator;
    const position = ring.claim(length);
    if (position < 0) return false;
    this.#encoder.encode(validator.topic, position, fields, length, validator.storedProperties);
    if (fields.storeHost !== validator.defaultStoreHost) this.#details.set(ring.slotOf(ring.committed), fields.storeHost);
    this.#commit(position, length, 1);
    return true;
  };

  readonly #writeBatch: Write<readonly Message[]> = (batch) => {
    const { ring } = this;
    const validator = this.#validator;
    const { length, lengths } = this.#batchValidator;
    const start = ring.claim(length);
    if (start < 0) return false;
    let position = start;
    for (const message of batch) {
      validator.validate(message, this.#nowMs);
      if (position + validator.length > start + length) throw batchChanged();
      this.#encoder.encode(validator.topic, position, validator.fields, validator.length, validator.storedProperties);
      position += validator.length;
    }
    this.#details.set(ring.slotOf(ring.committed), validator.fields.storeHost, lengths);
    this.#commit(start, length, batch.length);
    return true;
  };

  #commit(position: number, length: number, messages: number): void {
    const validator = this.#validator;
    const flags =
      (validator.waitStoreMsgOK ? this.#verdict.flags : 0) |
      (validator.noQueueOffset ? FRAME_FLAG_NO_QUEUE_OFFSET : 0) |
      (this.#encoder.withBodyCrc ? FRAME_FLAG_BODY_CRC : 0);
    const { ring } = this;
    const queueSlot = this.topics.slot(validator.topic, validator.fields.queueId, validator.queueSlot);
    ring.commit(position, length, messages, queueSlot, this.#encoder.bodyOffset, flags, this.#putTimeUs);
    if (!this.#burst) {
      this.#burst = true;
      if (this.#sync) ring.burst = true;
      queueMicrotask(this.#endBurst);
    }
    if (ring.unpublishedBytes >= this.#publishBytes) this.#publish();
  }

  /** Once per group: the clocks, and the look whether puts are taken. What is new is refused by a full disk, whatever began the group. */
  #startGroup(isNew = true): RefusedPutResult | undefined {
    const { status } = this;
    if (this.ring.unpublishedBytes === 0) {
      this.#putTimeUs = monotonicUs();
      this.#nowMs = wallClockMs();
      if (!this.#keepsAlive) this.#stayAlive();
      status.look(this.#putTimeUs);
    }
    return (isNew ? status.diskRefusal : undefined) ?? status.refusal;
  }

  /** The last frames first, then the word: an appender that sees that the burst is over has seen all of it. */
  readonly #endBurst = (): void => {
    this.#burst = false;
    const isShown = this.ring.publish();
    if (this.#sync) this.ring.burst = false;
    if (isShown) this.#putBell.ring();
    this.#arm();
  };

  #publish(): void {
    if (this.ring.publish()) this.#putBell.ring();
  }

  /** waitAsync alone does not keep the process alive: a ref'd timer does, while acks are pending. */
  #stayAlive(): void {
    this.#keepsAlive = true;
    this.#recheck.ref();
  }

  readonly #onRecheck = (): void => {
    if (this.#verdict.flags !== 0) while (this.#settleSome(monotonicUs())) {}
    this.#drain();
    // What has been answered makes room; only who finds none then has waited in vain.
    if (!this.#settleable() && this.waiting.expire(monotonicUs())) this.#drained.look(this.unanswered);
    if (this.#keepsAlive && this.ring.inFlight === 0 && this.waiting.size === 0) {
      this.#keepsAlive = false;
      this.#recheck.unref();
    }
  };

  readonly #drainLater = (): void => {
    this.#drainScheduled = false;
    this.#drain();
  };

  #drain(): void {
    if (this.#isClosed) return;
    const more = this.#settleSome();
    if (this.waiting.size > 0) this.waiting.retry(this.#adopt);
    this.#channel.look();
    this.#drained.look(this.unanswered);
    if (this.unanswered === 0) return;
    if (!more) return this.#arm();
    if (this.#drainScheduled) return;
    this.#drainScheduled = true;
    setImmediate(this.#drainLater);
  }

  /**
   * Settles what is acknowledged, in order, up to a turn's worth; true when there is more.
   * @param lateUs what has waited too long by this time of the monotonic clock is answered so (RocketMQ: `FlushDiskWatcher`)
   */
  #settleSome(lateUs?: number): boolean {
    const { ring } = this;
    const count = ring.resultEnd() - ring.taken;
    if (count === 0) return false;
    this.#verdict.look(lateUs);
    const nowUs = monotonicUs();
    const budget = Math.min(count, ACKS_PER_TURN);
    for (let i = 0; i < budget; i++) {
      const slot = ring.slotOf(ring.taken);
      if (ring.resultStatus(slot) !== AppendStatus.ok) {
        this.#add(PutRingTotal.failed, 1);
        this.#take()?.(this.status.room.refused());
        continue;
      }
      const status = this.#verdictOf(slot);
      if (status === undefined) return false;
      this.#acknowledge(slot, status, nowUs);
    }
    return budget < count;
  }

  #verdictOf(slot: number): AppendedPutStatus | undefined {
    const { ring } = this;
    return this.#verdict.of(ring.flags(slot), ring.resultPhysicalOffset(slot) + ring.recordLength(slot), ring.putTimeUs(slot));
  }

  #acknowledge(slot: number, status: AppendedPutStatus, nowUs: number): void {
    const { ring } = this;
    this.status.room.found();
    this.#add(PutRingTotal.messages, ring.messages(slot));
    this.#add(PutRingTotal.bytes, ring.recordLength(slot));
    this.#putToAckUs.record(nowUs - ring.putTimeUs(slot));
    const appendResult = appendResultOf(ring, slot, this.#details.get(slot), this.#validator.defaultStoreHost);
    this.#take()?.({ status, appendResult } as AppendedPutResult as PutMessageResult);
  }

  #take(): Settle | undefined {
    const slot = this.ring.slotOf(this.ring.taken);
    const settle = this.#settles[slot];
    this.#settles[slot] = undefined;
    this.#details.drop(slot);
    this.ring.take();
    return settle;
  }

  #arm(): void {
    if (this.ring.inFlight === 0) return;
    this.#waits.arm();
    if (this.#settleable() && !this.#drainScheduled) {
      this.#drainScheduled = true;
      setImmediate(this.#drainLater);
    }
  }

  /** Whether the oldest put in flight could be settled: looked at after arming, so that no wake-up falls between. */
  #settleable(): boolean {
    const { ring } = this;
    if (ring.taken === ring.resultEnd()) return false;
    const slot = ring.slotOf(ring.taken);
    if (ring.resultStatus(slot) !== AppendStatus.ok || (ring.flags(slot) & this.#verdict.flags) === 0) return true;
    this.#verdict.look();
    return this.#verdictOf(slot) !== undefined;
  }
}
