import { ConsumeQueueUnit, SCHEDULE_TOPIC, shownValue } from "@millrace/format";
import type { Clock } from "@millrace/shared-memory";
import type { DelayArrival } from "../../marks/delay-arrivals.js";
import type { PutMessageResult } from "../../put/put-message-result.js";
import { unlessCorrupt } from "../../read/record-corrupt-error.js";
import { isBuiltAgain } from "../../read/unit-verifier.js";
import { type QueueName, realQueue, storedMessage } from "../stored-message.js";
import { ArrivalTimes, type WaitingGroup } from "./arrival-times.js";
import type { DeliveryWindow } from "./delivery-window.js";
import { LevelHold, type LevelHoldObserver, READING } from "./level-hold.js";
import type { LogMoment } from "./master-deliveries.js";
import { type PutVerdict, reasonOf, verdictOfError, verdictOfResult } from "./put-verdict.js";
import type { ScheduledQueue, ScheduleMessageStore } from "./schedule-message-store.js";

/** Puts of one level under way. */
const IN_FLIGHT_LIMIT = 256;
/** Messages of one level that are under way or have been put behind one whose put failed: so many come twice after a crash. */
const DELIVERIES_LIMIT = 4096;
/** RocketMQ's DELAY_FOR_A_PERIOD: after a failed put. */
const RETRY_MS = 10_000;
/** After a put that found the store busy. */
const BUSY_RETRY_MS = 100;
/** How soon to read a unit again that was bad: it is built again from the log. */
const BUILT_AGAIN_MS = 100;
/** How soon to look again for a message that was put and is on its way through the dispatcher. */
const DISPATCH_LOOK_MS = 10;
/** Units that a slave looks at in one go, to see whether their messages have been delivered. */
const PASSES_LIMIT = 16_384;
const UNADDRESSED = "reason=it does not say where it belongs, or names a reserved topic";

/** A delayed message that the store does not take, however often it is tried. */
export interface PassedOverMessage {
  readonly level: number;
  /** In the level's queue. */
  readonly queueOffset: number;
  /** Of its record, which stays in the log as long as its segment, in bytes. */
  readonly physicalOffset: number;
  /** Where it belongs; undefined when it does not say so, or names a reserved topic. */
  readonly real: QueueName | undefined;
  /** Code, where there is one, and words. */
  readonly reason: string;
}

/** A put under way. */
interface DuePut {
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly size: number;
  readonly real: QueueName;
}

/** Where a message that is due belongs, and where it waits, as `name=value`. */
export function placeOf({ level, queueOffset, physicalOffset, real }: Omit<PassedOverMessage, "reason">): string {
  const queue = real === undefined ? "" : `topic=${shownValue(real.topic)} queueId=${real.queueId} `;
  return `${queue}delayTimeLevel=${level} queueOffset=${queueOffset} physicalOffset=${physicalOffset}`;
}

/** What a level tells of its deliveries. */
interface DelayLevelObserver extends LevelHoldObserver {
  /** All below it have been delivered or passed over. */
  onProgress(level: number, delayOffset: number): void;
  /** A message will never be delivered, because of what it is, or because there is no queue for it. */
  onPassedOver(message: PassedOverMessage): void;
  /** A put has come back: there is room for another, or one to be tried again. */
  onSettled(verdict: PutVerdict): void;
}

/** What the levels share. */
export interface DelayLevelContext {
  readonly store: ScheduleMessageStore;
  readonly clock: Clock;
  /** Bounds the bytes of all levels' puts. */
  readonly window: DeliveryWindow;
  readonly observer: DelayLevelObserver;
}

type Delivery = "inFlight" | "failed" | "done";

/**
 * The messages of one delay level: a queue of SCHEDULE_TOPIC_XXXX, delivered in order, up to 256 at a time.
 * (RocketMQ: `ScheduleMessageService.DeliverDelayedMessageTimerTask`.)
 */
export class DelayLevelQueue {
  readonly level: number;
  readonly delayMs: number;
  delivered = 0;
  /** Puts that failed and were or will be tried again. */
  retried = 0;
  /** Passed over: gone with their segment, corrupt, without a legal topic and queue of their own, or what the store never takes. */
  skipped = 0;
  /** Why a put failed last, or reading did. */
  lastError: unknown;
  readonly #context: DelayLevelContext;
  readonly #arrivals: ArrivalTimes;
  readonly #hold: LevelHold;
  readonly #unit = new ConsumeQueueUnit();
  /** What has been read and is not below #delayOffset yet, in order. */
  readonly #deliveries = new Map<number, Delivery>();
  /** Everything below is done. */
  #delayOffset: number;
  /** Next to be read. */
  #readOffset: number;
  #inFlight = 0;
  #failed = 0;
  /** By the monotonic clock: nothing is read or put before. */
  #pausedUntilMs = -Infinity;

  constructor(
    level: number,
    delayMs: number,
    delayOffset: number,
    context: DelayLevelContext,
    waiting: readonly WaitingGroup[] = [],
  ) {
    this.level = level;
    this.delayMs = delayMs;
    this.#context = context;
    this.#arrivals = new ArrivalTimes(delayMs, waiting, context.clock.monotonic());
    this.#hold = new LevelHold(level, context.clock, context.observer);
    this.#delayOffset = delayOffset;
    this.#readOffset = delayOffset;
    this.#correctDelayOffset();
  }

  /** See {@link LevelHold}. */
  get heldUpMs(): number {
    return this.#hold.heldUpMs;
  }

  get isToldHeldUp(): boolean {
    return this.#hold.isTold;
  }

  get delayOffset(): number {
    return this.#delayOffset;
  }

  /** Groups of messages that have arrived since the store was opened. */
  get arrivals(): number {
    return this.#arrivals.begun;
  }

  /** When what has not been delivered was first seen. @param clockMs what the wall clock is ahead of the monotonic one */
  arrived(clockMs: number): DelayArrival[] {
    return [...this.#arrivals.waiting(this.#delayOffset)].map(([end, seenMs]) => [end, Math.round(seenMs + clockMs)]);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** End of the level's queue; undefined when nothing was ever put there. */
  get maxOffset(): number | undefined {
    return this.#queue()?.maxOffset;
  }

  /** Physical offset of the first message at or after a queue offset; undefined when there is none. */
  physicalOffsetFrom(queueOffset: number): number | undefined {
    const queue = this.#queue();
    if (queue === undefined) return undefined;
    const unit = new ConsumeQueueUnit();
    for (let at = Math.max(queueOffset, queue.minOffset); at < queue.maxOffset; at++) {
      const isThere = unlessCorrupt(() => queue.unit(at, unit));
      if (isThere !== undefined) return isThere ? unit.physicalOffset : undefined;
    }
    return undefined;
  }

  /**
   * Puts what is due. Returns milliseconds after which there will be something to do: Infinity when nothing is scheduled, and when
   * a put that comes back will tell.
   */
  deliverDue(): number {
    const { clock } = this.#context;
    const monotonicMs = clock.monotonic();
    try {
      const queue = this.#queue();
      if (queue === undefined) return Infinity;
      this.#arrivals.seen(queue.maxOffset, monotonicMs);
      const pauseMs = this.#pausedUntilMs - monotonicMs;
      if (pauseMs > 0) return pauseMs;
      if (this.#failed > 0) this.#retry(queue);
      const waitMs = this.#deliver(queue, clock.now(), monotonicMs);
      this.#hold.done(READING);
      return waitMs;
    } catch (error) {
      this.lastError = error;
      this.#hold.failed(READING, isBuiltAgain(error), () => `delayTimeLevel=${this.level} ${reasonOf(error as Error)}`);
      const pauseMs = isBuiltAgain(error) ? BUILT_AGAIN_MS : RETRY_MS;
      this.#pausedUntilMs = monotonicMs + pauseMs;
      return pauseMs;
    }
  }

  /**
   * On a slave: moves over what its master has delivered. Returns whether there may be more of that.
   *
   * @param deliveredTo the master has delivered what was due then; undefined when nothing is known yet
   */
  passDelivered(deliveredTo: LogMoment | undefined): boolean {
    try {
      const queue = this.#queue();
      if (queue === undefined) return false;
      const { minOffset, maxOffset } = queue;
      this.#arrivals.seen(maxOffset, this.#context.clock.monotonic());
      if (deliveredTo === undefined) return false;
      const limit = Math.min(maxOffset, Math.max(this.#delayOffset, minOffset) + PASSES_LIMIT);
      let at = Math.max(this.#delayOffset, minOffset);
      while (at < limit && this.#isDelivered(queue, at, deliveredTo)) at++;
      if (at !== this.#delayOffset) this.#moveTo(at);
      return at === limit && at < maxOffset;
    } catch (error) {
      this.lastError = error;
      return false;
    }
  }

  /**
   * What was put later than the log has come to was put while the master's clock was ahead. It has been delivered although the log has not
   * come to its deliver time: a clock that was set back makes nothing wait for more than twice the delay, here or on a broker.
   */
  #isDelivered(queue: ScheduledQueue, queueOffset: number, { storeTimestamp, monotonicMs }: LogMoment): boolean {
    const isThere = unlessCorrupt(() => queue.unit(queueOffset, this.#unit));
    if (isThere !== true || !this.#unit.isMessage) return true; // gone, corrupt or a fill: nobody delivers it
    const { delayMs } = this;
    const deliverTime = this.#unit.tagsCode;
    if (deliverTime - delayMs <= storeTimestamp) return deliverTime <= storeTimestamp;
    return this.#arrivals.deadlineMs(queueOffset) + delayMs <= monotonicMs;
  }

  #queue(): ScheduledQueue | undefined {
    return this.#context.store.consumeQueue(SCHEDULE_TOPIC, this.level - 1);
  }

  /** At open: the log may have lost its tail, retention may have taken its head. (RocketMQ: `correctDelayOffset`.) */
  #correctDelayOffset(): void {
    const queue = this.#queue();
    const nextOffset = queue?.nextOffset ?? 0;
    if (this.#delayOffset > nextOffset) this.#moveTo(nextOffset);
    if (queue !== undefined && this.#delayOffset < queue.minOffset) this.#passTo(queue.minOffset);
  }

  #deliver(queue: ScheduledQueue, nowMs: number, monotonicMs: number): number {
    for (;;) {
      if (this.#inFlight >= IN_FLIGHT_LIMIT || this.#context.window.isFull) return Infinity;
      if (this.#deliveries.size >= DELIVERIES_LIMIT) return Infinity; // those that failed are under way again
      const queueOffset = this.#readOffset;
      if (queueOffset >= queue.maxOffset) {
        if (this.#beginsAnew(queue)) continue;
        return queue.nextOffset === queueOffset ? Infinity : DISPATCH_LOOK_MS;
      }
      const isThere = unlessCorrupt(() => queue.unit(queueOffset, this.#unit));
      if (isThere === undefined) {
        this.#pass(queueOffset);
        this.#readOffset++;
        continue;
      }
      if (!isThere) {
        if (this.#deliveries.size > 0) return Infinity;
        const { minOffset, maxOffset } = queue;
        this.#passTo(queueOffset < minOffset ? minOffset : Math.min(queue.rollNextFile(queueOffset), maxOffset));
        continue;
      }
      const waitMs = Math.min(this.#unit.tagsCode - nowMs, this.#arrivals.deadlineMs(queueOffset) - monotonicMs);
      if (waitMs > 0) return waitMs;
      this.#put(queueOffset);
      this.#readOffset++; // not when reading throws
    }
  }

  /** Its topic was deleted and put again: all has been read of what was there before. */
  #beginsAnew(queue: ScheduledQueue): boolean {
    if (queue.nextOffset >= this.#readOffset || this.#deliveries.size > 0) return false;
    this.#arrivals.clear();
    this.#arrivals.seen(queue.maxOffset, this.#context.clock.monotonic());
    this.#moveTo(queue.minOffset);
    return true;
  }

  #retry(queue: ScheduledQueue): void {
    for (const [queueOffset, delivery] of this.#deliveries) {
      if (this.#inFlight >= IN_FLIGHT_LIMIT || this.#context.window.isFull) return;
      if (delivery !== "failed") continue;
      if (unlessCorrupt(() => queue.unit(queueOffset, this.#unit)) === true) this.#put(queueOffset);
      else this.#pass(queueOffset);
      this.#failed--;
    }
  }

  /** Puts the message of #unit into its own topic and queue. */
  #put(queueOffset: number): void {
    const unit = this.#unit;
    const stored = unlessCorrupt(() => (unit.isMessage ? this.#context.store.message(unit.physicalOffset, unit.size) : undefined));
    const real = stored === undefined ? undefined : realQueue(stored);
    const { physicalOffset, size } = unit;
    if (stored === undefined) return this.#pass(queueOffset);
    if (real === undefined) return this.#passIllegal({ queueOffset, physicalOffset, real, reason: UNADDRESSED });
    const message = { ...storedMessage(stored, real), waitStoreMsgOK: false };
    this.#deliveries.set(queueOffset, "inFlight");
    this.#inFlight++;
    const due = { queueOffset, physicalOffset, size, real };
    this.#context.window.add(size);
    this.#context.store.deliverMessage(message).then(
      (result) => this.#settled(due, verdictOfResult(result), result),
      (error) => this.#settled(due, verdictOfError(error), error),
    );
  }

  #settled(due: DuePut, verdict: PutVerdict, answer: PutMessageResult | Error): void {
    const { queueOffset } = due;
    this.#inFlight--;
    this.#context.window.remove(due.size);
    if (verdict === "delivered") {
      this.delivered++;
      this.#finish(queueOffset);
    } else {
      this.lastError = answer;
      if (verdict === "illegal") this.#passIllegal({ ...due, reason: reasonOf(answer) });
      else this.#fail(due, verdict, answer);
    }
    this.#context.observer.onSettled(verdict);
  }

  /** Tried again after a pause; what was put after it stays delivered. */
  #fail(due: DuePut, verdict: PutVerdict, answer: PutMessageResult | Error): void {
    const { queueOffset } = due;
    this.#deliveries.set(queueOffset, "failed");
    this.#failed++;
    this.retried++;
    this.#pausedUntilMs = this.#context.clock.monotonic() + (verdict === "busy" ? BUSY_RETRY_MS : RETRY_MS);
    if (verdict === "ended") return;
    const why = (): string => `${placeOf({ ...due, level: this.level })} ${reasonOf(answer)}`;
    this.#hold.failed(queueOffset, verdict === "busy", why);
  }

  #passIllegal(message: Omit<PassedOverMessage, "level">): void {
    this.#context.observer.onPassedOver({ ...message, level: this.level });
    this.#pass(message.queueOffset);
  }

  #pass(queueOffset: number): void {
    this.skipped++;
    this.#finish(queueOffset);
  }

  #finish(queueOffset: number): void {
    this.#deliveries.set(queueOffset, "done");
    this.#hold.done(queueOffset);
    const before = this.#delayOffset;
    while (this.#deliveries.get(this.#delayOffset) === "done") this.#deliveries.delete(this.#delayOffset++);
    if (this.#delayOffset !== before) this.#context.observer.onProgress(this.level, this.#delayOffset);
  }

  /** Nothing is under way. */
  #passTo(queueOffset: number): void {
    this.skipped += queueOffset - this.#readOffset;
    this.#moveTo(queueOffset);
  }

  #moveTo(queueOffset: number): void {
    this.#readOffset = queueOffset;
    this.#delayOffset = queueOffset;
    this.#context.observer.onProgress(this.level, queueOffset);
  }
}
