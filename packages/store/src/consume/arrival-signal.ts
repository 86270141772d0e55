import { type ControlBlock, type QueueTableBuffers, queueColumns, type ReadableQueueColumn } from "@millrace/shared-memory";
import type { TopicTable } from "../put/topic-table.js";

/** How often the main thread looks without being woken, while somebody waits: lost wake-ups. */
const RECHECK_MS = 50;

/** Somebody who waits for a queue to grow. */
export interface ArrivalWaiter {
  readonly topic: string;
  readonly queueId: number;
  /** The queue's slot when the waiter looked at it; undefined: there was no such queue. */
  readonly queueSlot: number | undefined;
  /** What the queue must have a message at. */
  readonly queueOffset: number;
  /** Called once, unless cancelled; perhaps for nothing. Must not throw. */
  wake(): void;
}

/**
 * Tells those who wait on the main thread what has been dispatched: one `waitAsync` on `reputFromOffset` for all of them, no polling. While
 * nobody waits it does nothing; while a waiter waits, the process stays alive.
 */
export class ArrivalSignal {
  readonly #counters: ControlBlock<"main">["counters"];
  readonly #topics: TopicTable;
  readonly #maxQueueOffsets: ReadableQueueColumn;
  readonly #waiters = new Set<ArrivalWaiter>();
  readonly #watchers = new Set<() => void>();
  readonly #recheck: NodeJS.Timeout;
  #keepsAlive = false;
  #isArmed = false;
  /** Queues registered when the waiters' slots were looked up last. */
  #queueSlots = 0;

  constructor(control: ControlBlock<"main">, queues: QueueTableBuffers, topics: TopicTable) {
    this.#counters = control.counters;
    this.#topics = topics;
    this.#maxQueueOffsets = queueColumns(queues, control).maxQueueOffsets;
    this.#recheck = setInterval(this.#onRecheck, RECHECK_MS).unref();
  }

  /** Waiters, not watchers. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * Wakes the waiter when its queue has a message at its offset, and when the queue has been made or has begun again at 0: perhaps
   * at once.
   */
  wait(waiter: ArrivalWaiter): void {
    this.#waiters.add(waiter);
    if (!this.#keepsAlive) this.#stayAlive();
    this.#arm();
    if (waiter.queueSlot !== this.#topics.findSlot(waiter.topic, waiter.queueId) || this.#hasArrived(waiter)) this.#wake(waiter);
  }

  cancel(waiter: ArrivalWaiter): void {
    this.#waiters.delete(waiter);
  }

  /**
   * Calls `watcher`, which must not throw, whenever `reputFromOffset` may have moved; does not keep the process alive. Returns the
   * end of it.
   */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    this.#arm();
    return () => this.#watchers.delete(watcher);
  }

  /** Wakes every waiter: something else has happened that they must look at. */
  wakeAll(): void {
    for (const waiter of this.#waiters) this.#wake(waiter);
  }

  /**
   * Wakes every waiter for the last time; watchers are not notified any more. Its own sleep ends too: a `waitAsync` that nobody notifies
   * keeps the whole control block for the life of the process.
   */
  close(): void {
    clearInterval(this.#recheck);
    this.#watchers.clear();
    this.wakeAll();
    this.#counters.reputFromOffset.nudge();
  }

  /** waitAsync alone does not keep the process alive. */
  #stayAlive(): void {
    this.#keepsAlive = true;
    this.#recheck.ref();
  }

  readonly #onRecheck = (): void => {
    this.#look();
    if (this.#keepsAlive && this.#waiters.size === 0) {
      this.#keepsAlive = false;
      this.#recheck.unref();
    }
  };

  readonly #onArrival = (): void => {
    this.#isArmed = false;
    this.#look();
  };

  /** Armed first, so that what is dispatched from now on wakes again. */
  #look(): void {
    this.#arm();
    const queueSlots = this.#counters.queueSlots.value;
    const hasNewQueues = queueSlots !== this.#queueSlots;
    this.#queueSlots = queueSlots;
    for (const waiter of this.#waiters) {
      const isOther = hasNewQueues && waiter.queueSlot !== this.#topics.findSlot(waiter.topic, waiter.queueId);
      if (isOther || this.#hasArrived(waiter)) this.#wake(waiter);
    }
    for (const watcher of this.#watchers) watcher();
  }

  #hasArrived({ queueSlot, queueOffset }: ArrivalWaiter): boolean {
    return queueSlot !== undefined && this.#maxQueueOffsets.get(queueSlot) > queueOffset;
  }

  #wake(waiter: ArrivalWaiter): void {
    this.#waiters.delete(waiter);
    waiter.wake();
  }

  #arm(): void {
    if (this.#isArmed || (this.#waiters.size === 0 && this.#watchers.size === 0)) return;
    const { reputFromOffset } = this.#counters;
    let woken: Promise<unknown> | undefined;
    while (woken === undefined) woken = reputFromOffset.waitAsync(reputFromOffset.get());
    this.#isArmed = true;
    woken.then(this.#onArrival);
  }
}
