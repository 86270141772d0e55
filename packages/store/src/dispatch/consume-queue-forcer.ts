import { setImmediate, setTimeout } from "node:timers/promises";
import type { Storage } from "@millrace/mapped-file";
import { isOutOfDescriptors, PAGE_LENGTH } from "@millrace/mapped-file";
import { type ControlBlock, monotonicMs, monotonicUs } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { CommitLogDispatcher } from "./commit-log-dispatcher.js";
import type { ConsumeQueueDispatcher } from "./consume-queue-dispatcher.js";
import type { OwnDispatcherForces } from "./own-dispatcher-forces.js";

/** As many as the thread pool of Node runs. */
const FORCES_AT_A_TIME = 4;
/** While there is no descriptor to be had. */
const RETRY_MS = 100;
/** A close does not wait longer for one, nor for a dispatcher of the user's. */
const CLOSE_WAIT_MS = 5000;

/** Called when everything below the offset is durable in all dispatchers. */
export type OnDispatchedDurably = (offset: number) => void;

/**
 * Forces the ConsumeQueues now and then, in the background: a force waits for the disk behind those of the log, and dispatching must not. A
 * thorough round forces the other dispatchers too; then the mark and the checkpoint may say how far dispatching is durable. What a
 * crash loses in between is dispatched again. (RocketMQ: `FlushConsumeQueueService`.)
 */
export class ConsumeQueueForcer {
  readonly #counters: ControlBlock<"dispatch">["counters"];
  readonly #storage: Storage;
  readonly #config: MessageStoreConfig;
  readonly #consumeQueues: ConsumeQueueDispatcher;
  readonly #others: readonly CommitLogDispatcher[];
  readonly #onDurable: OnDispatchedDurably;
  readonly #own: OwnDispatcherForces | undefined;
  /** A round is under way; it goes on whenever the thread's event loop runs. */
  #isForcing = false;
  /** Until then a close waits for descriptors, and for the user's dispatchers. */
  #closesAtMs = Number.POSITIVE_INFINITY;
  /** Where dispatching stood when the round began. */
  #roundOffset = 0;
  #roundStoreTimestamp = 0;
  /** Store timestamp of the oldest record, by its stamp, that was dispatched since the last thorough round began. */
  #leastUnforced = Number.POSITIVE_INFINITY;
  #nextRound = 0;
  #lastThorough = 0;
  #durableOffset = -1;
  /**
   * Units and keys of all records below it are durable, but for those of queues that are set aside. What a dispatcher of the user's has
   * handled need not be: one that throws for ever would have the disk run full.
   */
  #forcedOffset: number;
  /** Somebody waits for the end of a thorough round. */
  #isDemanded = false;
  /** Where dispatching stood at the last look. */
  #lookedOffset = -1;
  /**
   * The kernel tells of a failed write once: a force after it would succeed without the bytes. Nothing is forced, and nothing said
   * to be durable, any more.
   */
  #failure: unknown;

  constructor(
    control: ControlBlock<"dispatch">,
    storage: Storage,
    config: MessageStoreConfig,
    consumeQueues: ConsumeQueueDispatcher,
    others: readonly CommitLogDispatcher[],
    onDurable: OnDispatchedDurably,
    own?: OwnDispatcherForces,
  ) {
    this.#counters = control.counters;
    this.#storage = storage;
    this.#config = config;
    this.#consumeQueues = consumeQueues;
    this.#others = others;
    this.#onDurable = onDurable;
    this.#own = own;
    this.#lastThorough = monotonicMs();
    this.#forcedOffset = this.#counters.reputFromOffset.value; // by recovery
  }

  /**
   * Whether the log below `offset` is not needed any more to bring ConsumeQueues and index back after a power failure; for the user's
   * dispatchers it has been tried. If it is, the next round begins as soon as it can, and is thorough: to be asked again.
   */
  isForcedTo(offset: number): boolean {
    this.#isDemanded ||= offset > this.#forcedOffset;
    return offset <= this.#forcedOffset;
  }

  get isForcing(): boolean {
    return this.#isForcing;
  }

  /**
   * Between groups: all that was dispatched is in the files. Throws what ended an earlier round.
   *
   * @param storeTimestamp of the last record dispatched
   * @param leastStoreTimestamp of the records dispatched since the last call
   */
  flushWhenDue(now: number, offset: number, storeTimestamp: number, leastStoreTimestamp: number): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (leastStoreTimestamp < this.#leastUnforced) this.#lower(leastStoreTimestamp);
    if (this.#isForcing || (now < this.#nextRound && !this.#isDemanded)) return;
    this.#nextRound = now + this.#config.flushIntervalConsumeQueue;
    // Nothing came since the last look: nobody pays for a thorough round now, and a close has nothing left to force.
    const isIdle = offset === this.#lookedOffset && offset !== this.#durableOffset;
    this.#lookedOffset = offset;
    const isTime = isIdle || now - this.#lastThorough >= this.#config.flushConsumeQueueThoroughInterval;
    const isThorough = this.#isDemanded || (isTime && this.#own?.isDue(now) !== false);
    const least = isThorough ? 1 : Math.max(1, this.#config.flushConsumeQueueLeastPages * PAGE_LENGTH);
    const paths: string[] = [];
    for (const queue of this.#consumeQueues.queues) {
      if (queue !== undefined && queue.dirtyBytes >= least) paths.push(...queue.takeUnforced());
    }
    if (isThorough) {
      for (const dispatcher of this.#others) paths.push(...(dispatcher.unforcedPaths?.() ?? []));
      if (this.#own !== undefined) paths.push(...this.#own.unforcedPaths(offset));
    }
    if (paths.length === 0 && !isThorough) return;
    this.#roundOffset = offset;
    this.#roundStoreTimestamp = storeTimestamp;
    if (isThorough) {
      this.#isDemanded = false;
      this.#leastUnforced = Number.POSITIVE_INFINITY;
      this.#consumeQueues.checksums.beginRound(this.#consumeQueues.queues);
    }
    this.#isForcing = true;
    void this.#force(paths, isThorough);
  }

  async #force(paths: readonly string[], isThorough: boolean): Promise<void> {
    try {
      await this.#forceAll(paths);
      if (isThorough) this.#endThoroughRound(monotonicMs());
    } catch (error) {
      // Names that could not be forced for want of a descriptor are still to be forced: the next round does it.
      if (!isOutOfDescriptors(error) || this.#isOver) this.#failure = error;
    } finally {
      this.#isForcing = false;
    }
  }

  /** Several at a time: the file system writes them together, and thousands of queues have thousands of files. */
  async #forceAll(paths: readonly string[]): Promise<void> {
    const remaining = paths.values();
    const lane = async (): Promise<void> => {
      for (const path of remaining) {
        while (!(await this.#tryForce(path))) await setTimeout(RETRY_MS);
        this.#counters.dispatchForces.add(1);
        this.#counters.dispatchHeartbeatUs.set(Math.floor(monotonicUs()));
      }
    };
    // A lane that fails ends; the others are waited for, so that no force is under way afterwards.
    const lanes = await Promise.allSettled(Array.from({ length: FORCES_AT_A_TIME }, lane));
    for (const result of lanes) if (result.status === "rejected") throw result.reason;
  }

  /** False: there was no descriptor to open the file with, so nothing was forced and nothing is lost. */
  async #tryForce(path: string): Promise<boolean> {
    try {
      await this.#storage.forceInBackground(path);
      return true;
    } catch (error) {
      if (!isOutOfDescriptors(error) || this.#isOver) throw error;
      return false;
    }
  }

  /** As {@link flushWhenDue}, but only where somebody waits for it: while dispatching fails, as it does on a full disk. */
  flushOnDemand(now: number, offset: number): void {
    if (this.#isDemanded) this.flushWhenDue(now, offset, 0, Number.POSITIVE_INFINITY);
  }

  /** Everything, at once, before the thread ends; not after a force that failed. */
  async flushAll(offset: number, storeTimestamp: number): Promise<void> {
    this.#closesAtMs = monotonicMs() + CLOSE_WAIT_MS;
    while (this.#isForcing) await setImmediate();
    if (this.#failure !== undefined) throw this.#failure;
    this.#roundOffset = offset;
    this.#roundStoreTimestamp = storeTimestamp;
    this.#leastUnforced = Number.POSITIVE_INFINITY;
    this.#consumeQueues.checksums.beginRound(this.#consumeQueues.queues);
    const paths: string[] = [];
    for (const queue of this.#consumeQueues.queues) if (queue !== undefined) paths.push(...queue.takeUnforced());
    await this.#forceAll(paths);
    while (!this.#tryEndThoroughRound()) await setTimeout(RETRY_MS);
  }

  get #isOver(): boolean {
    return monotonicMs() >= this.#closesAtMs;
  }

  /**
   * False for want of a descriptor: what is forced by then is forced once more, and costs nothing; and while a dispatcher of the user's
   * throws.
   */
  #tryEndThoroughRound(): boolean {
    if (this.#own?.isDue(monotonicMs()) === false) return false;
    try {
      const thrown = this.#endThoroughRound(monotonicMs());
      if (thrown !== undefined && this.#isOver) throw thrown.error;
      return thrown === undefined;
    } catch (error) {
      if (!isOutOfDescriptors(error) || this.#isOver) throw error;
      return false;
    }
  }

  /** What a dispatcher of the user's has thrown, if so: then the mark stays where it is. */
  #endThoroughRound(now: number): { readonly error: unknown } | undefined {
    this.#lastThorough = now;
    this.#consumeQueues.syncTopics();
    for (const dispatcher of this.#others) dispatcher.force?.();
    this.#forcedOffset = this.#roundOffset;
    const thrown = this.#own?.force(this.#roundOffset);
    const isMoved = thrown === undefined && this.#roundOffset !== this.#durableOffset && !this.#consumeQueues.hasRefusedQueues;
    if (isMoved && this.#roundStoreTimestamp > 0)
      this.#counters.logicsMsgTimestamp.set(Math.min(this.#roundStoreTimestamp, this.#leastUnforced));
    this.#tellDurable(isMoved);
    return thrown;
  }

  /**
   * The wall clock was set back: RocketMQ takes the checkpoint's time for a promise that all records stamped before it are in forced
   * ConsumeQueues, and begins to recover at a segment that begins before it. So the time goes back with the stamps, at once.
   */
  #lower(storeTimestamp: number): void {
    this.#leastUnforced = storeTimestamp;
    const { logicsMsgTimestamp } = this.#counters;
    if (logicsMsgTimestamp.value === 0 || storeTimestamp < logicsMsgTimestamp.value) logicsMsgTimestamp.set(storeTimestamp);
  }

  /** A full disk may refuse the mark: then the one before stays, which says less, and the next round tries again. */
  #tellDurable(isMoved: boolean): void {
    try {
      this.#consumeQueues.checksums.endRound();
      if (!isMoved) return;
      this.#onDurable(this.#roundOffset);
      this.#durableOffset = this.#roundOffset;
    } catch {}
  }
}
