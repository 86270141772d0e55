import type { AppendedPutStatus } from "@millrace/format";
import {
  type ControlBlock,
  durableOffset,
  FRAME_FLAG_WAIT_FLUSH,
  FRAME_FLAG_WAIT_SLAVE,
  type ReadableCounter,
  type Role,
} from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { ReplicaStatus } from "./replica-status.js";

type VerdictWords = Pick<ControlBlock<Role>, "forceAlarm"> & {
  readonly counters: { readonly [N in "flushedOffset" | "appendForcedOffset" | "replicatedOffset"]: ReadableCounter };
};

/**
 * What a put that is in the log is answered: the force and the slaves are waited for side by side, and what the slaves have not done
 * hides what the disk has not. (RocketMQ: `CommitLog.handleDiskFlushAndHA`.)
 */
export class AckVerdict {
  /** Of the frame of a put that waits for all that this store waits for. */
  readonly flags: number;
  /** What is slept on until then. */
  readonly words: readonly ReadableCounter[];
  readonly #config: MessageStoreConfig;
  readonly #words: VerdictWords;
  readonly #replicas: ReplicaStatus;
  readonly #sync: boolean;
  /** Then only what is durable is acknowledged; the rest is about to be abandoned. */
  #hasForceFailed = false;
  #flushed = 0;
  /** What was put before these times of the monotonic clock has waited long enough. */
  #latestFlushUs = 0;
  #latestSlaveUs = 0;

  constructor(config: MessageStoreConfig, words: VerdictWords, replicas: ReplicaStatus) {
    this.#config = config;
    this.#words = words;
    this.#replicas = replicas;
    this.#sync = config.flushDiskType === "SYNC_FLUSH";
    const { isWaitedFor } = replicas;
    const { flushedOffset, replicatedOffset } = words.counters;
    this.flags = (this.#sync ? FRAME_FLAG_WAIT_FLUSH : 0) | (isWaitedFor ? FRAME_FLAG_WAIT_SLAVE : 0);
    this.words = [...(this.#sync ? [flushedOffset] : []), ...(isWaitedFor ? [replicatedOffset] : [])];
  }

  /** @param nowUs what has waited for too long by then is answered that it did; without it nothing is */
  look(nowUs = Number.NEGATIVE_INFINITY): void {
    const { syncFlushTimeout, slaveTimeout } = this.#config;
    this.#hasForceFailed = this.#words.forceAlarm.isRaised;
    this.#flushed = this.#sync || this.#hasForceFailed ? durableOffset(this.#words.counters) : 0;
    this.#latestFlushUs = nowUs - syncFlushTimeout * 1000;
    this.#latestSlaveUs = nowUs - slaveTimeout * 1000;
    this.#replicas.look();
  }

  /**
   * Undefined: it is still waited for.
   *
   * @param end of the record, or of the batch's last
   */
  of(flags: number, end: number, putTimeUs: number): AppendedPutStatus | undefined {
    const isUnforced = (this.#hasForceFailed || (flags & FRAME_FLAG_WAIT_FLUSH) !== 0) && end > this.#flushed;
    if (isUnforced && (this.#hasForceFailed || putTimeUs > this.#latestFlushUs)) return undefined;
    if ((flags & FRAME_FLAG_WAIT_SLAVE) === 0) return isUnforced ? "FLUSH_DISK_TIMEOUT" : "PUT_OK";
    const slaves = this.#replicas.of(end) ?? (putTimeUs > this.#latestSlaveUs ? undefined : "FLUSH_SLAVE_TIMEOUT");
    return slaves === "PUT_OK" && isUnforced ? "FLUSH_DISK_TIMEOUT" : slaves;
  }
}
