import { PAGE_LENGTH } from "@millrace/mapped-file";
import { type ControlBlock, monotonicMs } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { poolIndex } from "../pipeline/transient-store-pool.js";
import type { FlushPosition } from "./flush-position.js";

/** Writes of this size at most, so that a stop is noticed between them. */
const COMMIT_SLICE = 4 * 1024 * 1024;

/**
 * Transient store pool: moves what the appender has put into memory to the file, through the channel; until then it is neither readable nor
 * forced, and lost with the process. (RocketMQ: `CommitLog.CommitRealTimeService`, `DefaultMappedFile.commit`.)
 */
export class PoolCommitter {
  readonly #position: FlushPosition;
  readonly #counters: ControlBlock<"flush">["counters"];
  readonly #config: MessageStoreConfig;
  readonly #buffers: readonly Uint8Array[];
  #lastThorough = monotonicMs();
  #nextCommit = 0;

  constructor(position: FlushPosition, config: MessageStoreConfig, pool: readonly SharedArrayBuffer[]) {
    this.#position = position;
    this.#counters = position.control.counters;
    this.#config = config;
    this.#buffers = pool.map((buffer) => new Uint8Array(buffer));
  }

  /** Milliseconds until it is worth a call. */
  dueIn(now: number): number {
    return Math.max(0, this.#nextCommit - now);
  }

  /** When it is time and there are enough pages, or it has been long enough. */
  commitWhenDue(now: number): void {
    if (now < this.#nextCommit) return;
    this.#nextCommit = now + this.#config.commitIntervalCommitLog;
    const thorough = now - this.#lastThorough >= this.#config.commitCommitLogThoroughInterval;
    const committed = this.#counters.committedOffset.value;
    const wrote = this.#counters.wroteOffset.get();
    const pages = Math.floor(wrote / PAGE_LENGTH) - Math.floor(committed / PAGE_LENGTH);
    if (!thorough && pages < this.#config.commitCommitLogLeastPages) return;
    if (thorough) this.#lastThorough = now;
    this.commit(wrote);
  }

  commit(target: number): void {
    const size = this.#config.mappedFileSizeCommitLog;
    let offset = this.#counters.committedOffset.value;
    if (offset < target) this.#position.checkAll();
    while (offset < target) {
      const segment = this.#position.forcer.segmentOf(offset);
      const from = offset - segment.fromOffset;
      const to = Math.min(target - segment.fromOffset, size, from + COMMIT_SLICE);
      const buffer = this.#buffers[poolIndex(segment.fromOffset, size, this.#buffers.length)] as Uint8Array;
      segment.write(buffer.subarray(from, to), from);
      offset = segment.fromOffset + to;
      this.#counters.committedOffset.publish(offset);
      this.#counters.flushCommits.add(1);
    }
  }
}
