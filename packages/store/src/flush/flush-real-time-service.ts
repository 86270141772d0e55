import { PAGE_LENGTH } from "@millrace/mapped-file";
import { type Agent, type ControlBlock, monotonicMs } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { FlushPosition } from "./flush-position.js";
import type { PoolCommitter } from "./pool-committer.js";

/**
 * ASYNC_FLUSH: every interval, force what is there; with `flushCommitLogLeastPages`, if so many pages are dirty or it has been long enough.
 * (RocketMQ: `CommitLog.FlushRealTimeService`; with the pool, `CommitRealTimeService` runs before it on the same thread.)
 */
export class FlushRealTimeService implements Agent {
  readonly #position: FlushPosition;
  readonly #counters: ControlBlock<"flush">["counters"];
  readonly #config: MessageStoreConfig;
  readonly #commit: PoolCommitter | undefined;
  #lastThorough = monotonicMs();
  #nextFlush = 0;

  constructor(position: FlushPosition, config: MessageStoreConfig, commit: PoolCommitter | undefined) {
    this.#position = position;
    this.#counters = position.control.counters;
    this.#config = config;
    this.#commit = commit;
  }

  onStart(): void {
    this.#nextFlush = monotonicMs() + this.#config.flushIntervalCommitLog;
  }

  doWork(): number {
    this.#position.checkAll();
    this.#position.openAhead();
    const now = monotonicMs();
    this.#commit?.commitWhenDue(now);
    if (now < this.#nextFlush) return 0;
    this.#nextFlush = now + this.#config.flushIntervalCommitLog;
    const thorough = now - this.#lastThorough >= this.#config.flushCommitLogThoroughInterval;
    if (thorough) this.#lastThorough = now;
    const { flushed } = this.#position;
    const pages = Math.floor(this.#counters.wroteOffset.get() / PAGE_LENGTH) - Math.floor(flushed / PAGE_LENGTH);
    if (thorough || pages >= this.#config.flushCommitLogLeastPages) this.flush();
    return 0;
  }

  /** Forces all that a file can hold by now. */
  flush(): void {
    const storeTimestamp = this.#counters.wroteStoreTimestamp.get();
    const wrote = this.#counters.wroteOffset.get();
    if (this.#commit === undefined) this.#counters.committedOffset.set(wrote);
    else this.#commit.commit(wrote);
    this.#position.advance(wrote, storeTimestamp);
  }

  waitForWork(timeoutMs: number): void {
    const now = monotonicMs();
    const due = Math.min(timeoutMs, Math.max(0, this.#nextFlush - now), this.#commit?.dueIn(now) ?? timeoutMs);
    const { syncRequestedOffset } = this.#counters;
    if (due > 0) syncRequestedOffset.wait(syncRequestedOffset.get(), due);
  }

  onClose(): void {
    try {
      this.flush();
      this.#position.record();
    } finally {
      this.#position.close();
    }
  }
}
