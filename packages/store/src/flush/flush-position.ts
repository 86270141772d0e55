import { CHECKPOINT_LENGTH, decodeStoreCheckpoint, type StoreCheckpoint, type StorePaths, storePaths } from "@millrace/format";
import { createStorage, isNoSpace, isOutOfDescriptors, type Storage } from "@millrace/mapped-file";
import {
  AppendMarks,
  ControlBlock,
  durableOffset,
  LatencyHistogram,
  monotonicMs,
  monotonicUs,
  wallClockMs,
} from "@millrace/shared-memory";
import { FencingForce } from "../marks/fencing-force.js";
import { FlushedWatermark } from "../marks/flushed-watermark.js";
import { StoreCheckpointFile } from "../marks/store-checkpoint.js";
import type { PipelineData } from "../pipeline/pipeline-data.js";
import { readyAheadLimit } from "../pipeline/ready-ahead.js";
import { CommitLogForcer } from "./commit-log-forcer.js";

/** The watermark and the checkpoint follow `flushedOffset` at this distance; a crash in between only lengthens the tail to look at. */
const RECORD_INTERVAL_MS = 1000;
const EMPTY_CHECKPOINT = decodeStoreCheckpoint(new Uint8Array(CHECKPOINT_LENGTH));

/**
 * What all flush services share: the one place where `flushedOffset` moves, and it moves only after a force that succeeded. A
 * failed force is final: the kernel has dropped the error and marked the pages clean, so the store is fenced on disk before the
 * error goes up.
 */
export class FlushPosition {
  readonly control: ControlBlock<"flush">;
  readonly storage: Storage;
  readonly forcer: CommitLogForcer;
  readonly #counters: ControlBlock<"flush">["counters"];
  readonly #marks: AppendMarks;
  readonly #appendToFlushUs: LatencyHistogram;
  readonly #watermark: FlushedWatermark;
  readonly #checkpoint: StoreCheckpointFile;
  readonly #paths: StorePaths;
  readonly #force: FencingForce;
  readonly #readyAhead: number;
  #checkpointNow: StoreCheckpoint;
  /** What ended the service: from then on nothing is forced or believed. */
  #failure: unknown;
  /** By the monotonic clock. */
  #recordedAtMs = Number.NEGATIVE_INFINITY;
  #recordedOffset: number;
  #storeTimestamp = 0;

  constructor(data: PipelineData) {
    const { config } = data;
    this.control = ControlBlock.attach(data.control, "flush");
    this.#counters = this.control.counters;
    this.storage = createStorage(data.storage);
    this.forcer = new CommitLogForcer(
      this.storage,
      config.storePathCommitLog,
      config.mappedFileSizeCommitLog,
      this.#counters.flushForces,
      data.forceUs,
    );
    this.#marks = new AppendMarks(data.appendMarks);
    this.#appendToFlushUs = new LatencyHistogram(data.appendToFlushUs);
    this.#paths = storePaths(config.storePathRootDir, config.storePathCommitLog);
    this.#force = new FencingForce(this.storage, this.#paths, this.control);
    this.#readyAhead = readyAheadLimit(config);
    this.#watermark = FlushedWatermark.open(this.storage, this.#paths.watermark);
    this.#checkpointNow = StoreCheckpointFile.read(this.storage, this.#paths.checkpoint) ?? EMPTY_CHECKPOINT;
    this.#checkpoint = StoreCheckpointFile.open(this.storage, this.#paths.checkpoint);
    this.#recordedOffset = this.#watermark.last.flushedOffset; // recovery has forced the rest
  }

  get flushed(): number {
    return this.#counters.flushedOffset.value;
  }

  /** Makes the next {@link check} end the service. */
  fail(error: unknown): void {
    this.#failure ??= error;
  }

  /** Throws what went wrong before: a force that failed is not tried again, not even to close. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The same, of all threads: before something is published, and when there is nothing to do. */
  checkAll(): void {
    this.check();
    this.#force.check();
  }

  /** Between groups: {@link openAhead} once the log comes near the end of what is open. */
  openAheadOf(wrote: number): void {
    if (this.#counters.forceOpenOffset.value < wrote + this.#readyAhead) this.openAhead();
  }

  /** Opens the segments that exist, each before its first record. Without a descriptor to be had it is tried again at the next look. */
  openAhead(): void {
    const { createdOffset, forceOpenOffset } = this.#counters;
    const created = createdOffset.get();
    if (created <= forceOpenOffset.value) return;
    const opened = this.forcer.openUpTo(this.flushed, created);
    if (opened > forceOpenOffset.value) forceOpenOffset.publish(opened);
  }

  /** Forces everything below `target` and then says so: one publish, one wake. `storeTimestamp` is of the last record below it. */
  advance(target: number, storeTimestamp: number): void {
    this.check();
    if (target <= this.flushed) return;
    const from = durableOffset(this.#counters);
    try {
      this.#force.run(from, () => this.forcer.force(from, target));
    } catch (error) {
      this.fail(error);
      this.#counters.flushFailures.add(1);
      throw error;
    }
    this.#collectMarks(target);
    this.#counters.flushedOffset.publish(target);
    this.forcer.closeBelow(target);
    this.#reached(storeTimestamp);
  }

  /** Takes over what the appender has forced itself; the appender has notified main of it. */
  adopt(forced: number, storeTimestamp: number): void {
    this.#force.check();
    this.#counters.flushedOffset.set(forced);
    this.forcer.closeBelow(forced);
    this.#reached(storeTimestamp);
  }

  #reached(storeTimestamp: number): void {
    this.#storeTimestamp = storeTimestamp;
    if (monotonicMs() - this.#recordedAtMs >= RECORD_INTERVAL_MS) this.record();
  }

  /**
   * Writes watermark and checkpoint, unless the disk is full, or a file that it has not taken yet finds no descriptor: then they say less
   * than they could, and the next call tries again. Another failure ends the service; what the log holds is durable all the same.
   */
  record(): void {
    const { flushed } = this;
    this.#recordedAtMs = monotonicMs();
    if (flushed === this.#recordedOffset) return;
    this.#force.check();
    try {
      this.#write(flushed);
      this.#recordedOffset = flushed;
    } catch (error) {
      if (!isNoSpace(error) && !isOutOfDescriptors(error)) throw error;
    }
  }

  #write(flushed: number): void {
    this.#watermark.write(flushed, wallClockMs());
    if (this.#storeTimestamp > 0) this.#checkpointNow = { ...this.#checkpointNow, physicMsgTimestamp: this.#storeTimestamp };
    const { logicsMsgTimestamp, indexMsgTimestamp } = this.#counters;
    this.#checkpointNow = {
      ...this.#checkpointNow,
      logicsMsgTimestamp: logicsMsgTimestamp.get() || this.#checkpointNow.logicsMsgTimestamp, // 0: nothing dispatched yet
      indexMsgTimestamp: Math.max(this.#checkpointNow.indexMsgTimestamp, indexMsgTimestamp.get()),
    };
    this.#checkpoint.write(this.#checkpointNow);
  }

  close(): void {
    this.forcer.close();
    this.#watermark.close();
    this.#checkpoint.close();
  }

  #collectMarks(flushed: number): void {
    const nowUs = monotonicUs();
    const record = (us: number, messages: number): void => this.#appendToFlushUs.record(nowUs - us, messages);
    this.#marks.collect(this.#counters.appendMarks.get(), flushed, record);
  }
}
