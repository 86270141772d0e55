import { type DelayLevels, SCHEDULE_TOPIC } from "@millrace/format";
import { type Clock, SYSTEM_CLOCK } from "@millrace/shared-memory";
import type { DelayLevelStats, StoreStats } from "@millrace/stats";
import { type DelayLevelContext, DelayLevelQueue, type PassedOverMessage } from "./delay-level-queue.js";
import type { DelayOffsets } from "./delay-offsets.js";
import { DeliveryWindow } from "./delivery-window.js";
import type { HeldLevel } from "./level-hold.js";
import { MasterDeliveries } from "./master-deliveries.js";
import type { PutVerdict } from "./put-verdict.js";
import type { SavedArrivals } from "./saved-arrivals.js";
import type { ScheduleMessageStore } from "./schedule-message-store.js";

/** Bytes of all levels that are being put at a time. */
const WINDOW_BYTES = 16 * 1024 * 1024;
/** The longest sleep while something is scheduled: a clock that jumps forward is noticed by then. */
const LOOK_MS = 1000;
/** The shortest, for a level without a delay. */
const LOOK_LEAST_MS = 10;
/** The wall clock has jumped when its distance to the monotonic one has changed by more. */
const JUMP_MS = 1000;
/** While something waits, how long it has is saved again after so long at the latest. */
const ARRIVALS_REFRESH_MS = 60_000;
/** setTimeout takes no more. */
const TIMER_LIMIT_MS = 0x7fffffff;

/**
 * Delivers delayed messages when they are due: puts each under its own topic and queue, without DELAY. Main thread.
 * (RocketMQ: `ScheduleMessageService`.)
 *
 * No message is lost: a level's offset moves only over messages that were put, or can never be; puts that failed are tried again
 * after 10 s, and the level waits for that (100 ms when the store was busy, or the topic was being deleted); an offset reaches
 * `config/delayOffset.json` only after the messages that it calls delivered are durable. What can never be put is told:
 * {@link onPassedOver}; so is a level that waits because something failed: {@link onHeldUp}. Messages are delivered again after a
 * crash: those delivered since the last save, which comes `flushDelayOffsetInterval` after the first of them (10 s by default), those
 * of at most 256 puts per level that were under way, and up to 4096 behind one whose put failed. Not after a {@link close}.
 *
 * Messages of a level are put in order; one whose put failed comes after those that were under way with it. A clock that jumps
 * forward makes messages due early; set back, it delays none beyond its level, counted from when this store first saw it. (RocketMQ
 * delivers those at once.)
 *
 * That counting goes on over restarts: when what waits was first seen is saved with the offsets, once a minute, and when the wall clock
 * has jumped. A crash, with a clock that is set back before the next opening, forgets what was waited since the last save.
 *
 * There is a timer while something is scheduled and none otherwise; it does not keep the process alive.
 *
 * On a slave it delivers nothing, and {@link follow}s what the master delivers, so that the slave knows from where to deliver when it
 * becomes the master.
 */
export class MessageScheduler {
  /** Told of each message that can never be delivered. */
  onPassedOver: (message: PassedOverMessage) => void = () => {};
  /** Told when what is due in a level has failed and is tried again: once, until the level goes on. */
  onHeldUp: (held: HeldLevel) => void = () => {};
  /** Told when no level is held up any more. */
  onGoesOn: () => void = () => {};
  readonly #levels: readonly DelayLevelQueue[];
  /** See {@link #beyond}. */
  readonly #levelsBeyond = new Map<number, DelayLevelQueue>();
  readonly #context: DelayLevelContext;
  readonly #offsets: DelayOffsets;
  readonly #store: ScheduleMessageStore;
  readonly #clock: Clock;
  readonly #saveIntervalMs: number;
  readonly #lookMs: number;
  #isRunning = false;
  #hasStopped = false;
  /** The store takes no more puts: what is not saved is delivered again. */
  #hasEnded = false;
  #timer: NodeJS.Timeout | undefined;
  /** By the monotonic clock. */
  #timerAtMs = Infinity;
  #saveTimer: NodeJS.Timeout | undefined;
  #lookComes = false;
  #saveError: unknown;
  readonly #arrivals: SavedArrivals | undefined;
  /** What the last save knew: arrivals, and how far the wall clock was ahead of the monotonic one. */
  #savedArrivals = 0;
  #savedClockMs: number | undefined;
  /** When that was, by the monotonic clock. */
  #savedAtMs: number;
  /** Of a slave that follows. */
  #master: MasterDeliveries | undefined;
  #settled: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /** The store is open, and all that it recovered is dispatched. @param saveIntervalMs `flushDelayOffsetInterval` */
  constructor(
    levels: DelayLevels,
    offsets: DelayOffsets,
    store: ScheduleMessageStore,
    saveIntervalMs: number,
    clock: Clock = SYSTEM_CLOCK,
    arrivals?: SavedArrivals,
  ) {
    this.#arrivals = arrivals;
    this.#offsets = offsets;
    this.#store = store;
    this.#clock = clock;
    this.#savedAtMs = clock.monotonic();
    this.#saveIntervalMs = Math.min(saveIntervalMs, TIMER_LIMIT_MS);
    const onPassedOver = (message: PassedOverMessage): void => this.onPassedOver(message);
    const onHeldUp = (held: HeldLevel): void => this.onHeldUp(held);
    const onGoesOn = (): void => {
      if (!this.#levels.some((level) => level.isToldHeldUp)) this.onGoesOn();
    };
    const observer = { onProgress: this.#onProgress, onPassedOver, onHeldUp, onGoesOn, onSettled: this.#onSettled };
    const context = { store, clock, window: new DeliveryWindow(WINDOW_BYTES), observer };
    const queues: DelayLevelQueue[] = [];
    let leastMs = LOOK_MS;
    for (let level = 1; level <= levels.maxLevel; level++) {
      const delayMs = levels.delayMs(level) as number;
      leastMs = Math.min(leastMs, delayMs);
      queues.push(new DelayLevelQueue(level, delayMs, offsets.get(level), context, arrivals?.waiting(level, clock.now())));
    }
    this.#levels = queues;
    this.#context = context;
    this.#lookMs = Math.max(LOOK_LEAST_MS, leastMs);
  }

  /** Why a delivery or a save failed last; undefined when none did. */
  get lastError(): unknown {
    return this.#saveError ?? this.#levels.find((level) => level.lastError !== undefined)?.lastError;
  }

  start(): void {
    if (this.#hasStopped || this.#isRunning) return;
    this.#isRunning = true;
    this.deliverDue();
  }

  /**
   * On a slave, in place of {@link start}: passes over what its master has delivered, and saves that.
   *
   * @param newestStoreTimestamp of the newest record of the log
   */
  follow(newestStoreTimestamp: () => number): void {
    if (this.#hasStopped || this.#master !== undefined) return;
    this.#master = new MasterDeliveries();
    const lookMs = Math.max(LOOK_LEAST_MS, Math.min(LOOK_MS, this.#saveIntervalMs));
    const look = (): void => {
      const isMore = this.passDelivered(newestStoreTimestamp());
      this.#timer = setTimeout(look, isMore ? LOOK_LEAST_MS : lookMs).unref();
    };
    look();
  }

  /** On a slave: the log has come so far. Returns whether there may be more to pass over. */
  passDelivered(newestStoreTimestamp: number): boolean {
    if (this.#hasStopped || this.#master === undefined) return false;
    this.#master.cameTo(newestStoreTimestamp, this.#clock.monotonic());
    const { deliveredTo } = this.#master;
    let isMore = false;
    for (const level of this.#levels) isMore = level.passDelivered(deliveredTo) || isMore;
    if (this.#saveTimer === undefined && this.#hasArrivals) this.#saveLater();
    return isMore;
  }

  /** A delayed message has been put: its promise has settled. Cheap. */
  wake(): void {
    // It is due after the shortest delay at the earliest.
    if (this.#timer === undefined) this.#arm(this.#lookMs);
  }

  /** Puts what is due, and sleeps until there is more. */
  deliverDue(): void {
    if (!this.#isRunning) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    let waitMs = Infinity;
    for (const level of this.#levels) waitMs = Math.min(waitMs, level.deliverDue());
    if (waitMs !== Infinity) this.#arm(waitMs);
    if (this.#saveTimer === undefined && this.#hasArrivals) this.#saveLater();
  }

  /** What the wall clock is ahead of the monotonic one. */
  get #clockMs(): number {
    return this.#clock.now() - this.#clock.monotonic();
  }

  /** Something has arrived since the last save, or what waits was saved by another clock, or long ago. */
  get #hasArrivals(): boolean {
    if (this.#arrivals === undefined) return false;
    if (this.#arrived > this.#savedArrivals) return true;
    const isOther = this.#savedClockMs === undefined || Math.abs(this.#clockMs - this.#savedClockMs) > JUMP_MS;
    return (isOther || this.#clock.monotonic() - this.#savedAtMs >= ARRIVALS_REFRESH_MS) && this.#isWaiting;
  }

  get #isWaiting(): boolean {
    return this.#levels.some((level) => level.arrived(0).length > 0);
  }

  get #arrived(): number {
    let arrived = 0;
    for (const level of this.#levels) arrived += level.arrivals;
    return arrived;
  }

  /**
   * Physical offset of the oldest message that has not been delivered, as it is on disk: after a crash it is delivered from there, so
   * the log is kept from there. A slave judges again what its master has delivered, and needs no room on its disk to say so first.
   */
  delayedFrom(): number | undefined {
    let oldest = Infinity;
    for (const level of this.#levels) {
      const saved = this.#master === undefined ? this.#offsets.saved(level.level) : Infinity;
      const queueOffset = Math.min(saved, level.delayOffset);
      oldest = Math.min(oldest, level.physicalOffsetFrom(queueOffset) ?? Infinity);
    }
    if (this.#master === undefined)
      for (const level of this.#beyond()) oldest = Math.min(oldest, level.physicalOffsetFrom(level.delayOffset) ?? Infinity);
    return oldest === Infinity ? undefined : oldest;
  }

  /** Counted since the store was opened; the levels that have a queue. */
  stats(): StoreStats["schedule"] {
    const sum = { delivered: 0, retried: 0, skipped: 0 };
    const levels: DelayLevelStats[] = [];
    for (const { level, delayOffset, maxOffset, heldUpMs, delivered, retried, skipped } of this.#levels) {
      sum.delivered += delivered;
      sum.retried += retried;
      sum.skipped += skipped;
      if (maxOffset !== undefined) levels.push({ level, delayOffset, maxOffset, heldUpMs });
    }
    for (const { level, delayOffset, maxOffset } of this.#beyond())
      if (maxOffset !== undefined && delayOffset < maxOffset) levels.push({ level, delayOffset, maxOffset, heldUpMs: 0 });
    return { ...sum, levels };
  }

  /**
   * Levels beyond the highest, of messages that were put when `messageDelayLevel` had more: as in RocketMQ they wait until it has them
   * again; their segments are kept for them. A put has no part in it, whose level counts as the highest.
   */
  #beyond(): Iterable<DelayLevelQueue> {
    // Of a store that is closed those are told that were known before: no queue is read any more.
    for (const queueId of this.#hasStopped ? [] : this.#store.queues(SCHEDULE_TOPIC)) {
      const level = queueId + 1;
      if (level > this.#levels.length && !this.#levelsBeyond.has(level))
        this.#levelsBeyond.set(level, new DelayLevelQueue(level, Infinity, this.#offsets.get(level), this.#context));
    }
    return this.#levelsBeyond.values();
  }

  /** No more puts, no more timers; those under way come back. */
  stop(): void {
    this.#isRunning = false;
    this.#hasStopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#saveTimer);
  }

  /** Stops, lets the puts under way come back, and saves. Idempotent; rejects when the offsets cannot be saved. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.stop();
    while (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#settled = resolve;
      });
    }
    if (!this.#hasEnded) await this.#save(true);
  }

  get #inFlight(): number {
    let inFlight = 0;
    for (const level of this.#levels) inFlight += level.inFlight;
    return inFlight;
  }

  #arm(waitMs: number): void {
    if (!this.#isRunning) return;
    const ms = Math.ceil(Math.min(waitMs, this.#lookMs));
    const atMs = this.#clock.monotonic() + ms;
    if (this.#timer !== undefined) {
      if (this.#timerAtMs <= atMs) return;
      clearTimeout(this.#timer);
    }
    this.#timerAtMs = atMs;
    this.#timer = setTimeout(this.#onTimer, ms).unref();
  }

  readonly #onTimer = (): void => this.deliverDue();

  readonly #onProgress = (level: number, delayOffset: number): void => {
    this.#offsets.set(level, delayOffset);
    if (this.#saveTimer === undefined && !this.#hasStopped && this.#offsets.isChanged) this.#saveLater();
  };

  readonly #onSettled = (verdict: PutVerdict): void => {
    if (verdict === "ended") {
      this.#hasEnded = true;
      this.stop();
    }
    this.#settled?.();
    if (this.#lookComes || !this.#isRunning) return;
    this.#lookComes = true;
    setImmediate(this.#look);
  };

  readonly #look = (): void => {
    this.#lookComes = false;
    this.deliverDue();
  };

  /** Saves how far the levels have come, and when what waits was first seen. Rejects when it cannot. */
  async save(): Promise<void> {
    await this.#save();
  }

  #saveLater(): void {
    this.#saveTimer = setTimeout(this.#onSaveTimer, this.#saveIntervalMs).unref();
  }

  readonly #onSaveTimer = (): void => {
    this.#save().catch(() => {});
  };

  async #save(isLast = false): Promise<void> {
    const delivered = (): Promise<unknown> => this.#store.flush();
    try {
      await (isLast ? this.#offsets.saveAgain(delivered) : this.#offsets.save(delivered));
      if (this.#hasArrivals || (isLast && this.#arrivals !== undefined && this.#isWaiting)) await this.#saveArrivals();
      this.#saveError = undefined;
    } catch (error) {
      this.#saveError = error;
      throw error;
    } finally {
      clearTimeout(this.#saveTimer);
      this.#saveTimer = undefined;
      if (!this.#hasStopped && (this.#offsets.isChanged || this.#hasArrivals)) this.#saveLater();
    }
  }

  async #saveArrivals(): Promise<void> {
    const [arrived, clockMs] = [this.#arrived, this.#clockMs];
    const levels = this.#levels
      .map((level) => [level.level, level.arrived(clockMs)] as const)
      .filter(([, groups]) => groups.length > 0);
    await this.#arrivals?.save({ savedMs: Math.round(this.#clock.now()), levels: new Map(levels) });
    this.#savedArrivals = arrived;
    this.#savedClockMs = clockMs;
    this.#savedAtMs = this.#clock.monotonic();
  }
}
