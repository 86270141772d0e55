import type { ControlBlock } from "@millrace/shared-memory";
import { PAGE_LENGTH } from "../flush/page.js";
import type { MessageStoreConfig } from "../message-store-config.js";
import type { CommitLogDispatcher } from "./commit-log-dispatcher.js";
import type { ConsumeQueue } from "./consume-queue.js";
import type { ConsumeQueueDispatcher } from "./consume-queue-dispatcher.js";

/** Called when everything below the offset is durable in all dispatchers. */
export type OnDispatchedDurably = (offset: number) => void;

/**
 * Forces the ConsumeQueues now and then, one queue between two groups, so that no group waits for more than one force. A thorough round forces the
 * other dispatchers too; then the mark and the checkpoint may say how far dispatching is durable. What a crash loses in between is
 * dispatched again. (RocketMQ: `FlushConsumeQueueService`.)
 */
export class FlushConsumeQueueService {
  readonly #counters: ControlBlock<"dispatch">["counters"];
  readonly #config: MessageStoreConfig;
  readonly #consumeQueues: ConsumeQueueDispatcher;
  readonly #others: readonly CommitLogDispatcher[];
  readonly #onDurable: OnDispatchedDurably;
  /** Queues that this round has still to force. */
  #round: ConsumeQueue[] = [];
  #isThorough = false;
  /** Where dispatching stood when the round began. */
  #roundOffset = 0;
  #roundStoreTimestamp = 0;
  #nextRound = 0;
  #lastThorough = 0;
  #durableOffset = -1;
  /** The kernel tells of a failed write once: a force after it would succeed without the bytes. Nothing is forced, and nothing said to be durable, any more. */
  #hasFailed = false;

  constructor(
    control: ControlBlock<"dispatch">,
    config: MessageStoreConfig,
    consumeQueues: ConsumeQueueDispatcher,
    others: readonly CommitLogDispatcher[],
    onDurable: OnDispatchedDurably,
  ) {
    this.#counters = control.counters;
    this.#config = config;
    this.#consumeQueues = consumeQueues;
    this.#others = others;
    this.#onDurable = onDurable;
    this.#lastThorough = Date.now();
  }

  /** At most one queue; true when it has forced something. Between groups: all that was dispatched is in the files. */
  flushWhenDue(now: number, offset: number, storeTimestamp: number): boolean {
    if (this.#round.length === 0) {
      if (now < this.#nextRound) return false;
      this.#beginRound(now, offset, storeTimestamp);
    }
    const queue = this.#round.pop();
    try {
      if (queue !== undefined) this.#counters.dispatchForces.add(queue.force());
      if (this.#round.length === 0 && this.#isThorough) this.#endThoroughRound(now);
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    }
    return queue !== undefined;
  }

  /** Everything, at once; not after a force that failed. */
  flushAll(offset: number, storeTimestamp: number): void {
    if (this.#hasFailed) return;
    this.#isThorough = true;
    this.#round = [];
    this.#roundOffset = offset;
    this.#roundStoreTimestamp = storeTimestamp;
    this.#consumeQueues.force();
    this.#endThoroughRound(Date.now());
  }

  #beginRound(now: number, offset: number, storeTimestamp: number): void {
    this.#nextRound = now + this.#config.flushIntervalConsumeQueue;
    this.#isThorough = now - this.#lastThorough >= this.#config.flushConsumeQueueThoroughInterval;
    const least = this.#isThorough ? 1 : Math.max(1, this.#config.flushConsumeQueueLeastPages * PAGE_LENGTH);
    this.#round = this.#consumeQueues.queues.filter((queue) => queue !== undefined && queue.dirtyBytes >= least) as ConsumeQueue[];
    this.#roundOffset = offset;
    this.#roundStoreTimestamp = storeTimestamp;
  }

  #endThoroughRound(now: number): void {
    this.#isThorough = false;
    this.#lastThorough = now;
    for (const dispatcher of this.#others) dispatcher.force?.();
    if (this.#roundOffset === this.#durableOffset) return;
    this.#durableOffset = this.#roundOffset;
    if (this.#roundStoreTimestamp > this.#counters.logicsMsgTimestamp.value) {
      this.#counters.logicsMsgTimestamp.set(this.#roundStoreTimestamp);
    }
    this.#onDurable(this.#roundOffset);
  }
}
