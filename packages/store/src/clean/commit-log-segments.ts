import { SegmentDirectory, type Storage } from "@millrace/mapped-file";
import { durableOffset } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import type { CleanableSegments } from "./commit-log-cleaner.js";
import type { LeasedReader } from "./leased-reader.js";

/** The segments of an open store, for {@link CommitLogCleaner}: the allocate thread deletes them, main's reader leases them. */
export class CommitLogSegments implements CleanableSegments {
  readonly segmentSize: number;
  readonly #segments: SegmentDirectory;
  readonly #storage: Storage;
  readonly #pipeline: Pipeline;
  readonly #reader: LeasedReader;
  readonly #delayedFrom: () => number | undefined;

  constructor(
    config: MessageStoreConfig,
    storage: Storage,
    pipeline: Pipeline,
    reader: LeasedReader,
    delayedFrom: () => number | undefined,
  ) {
    this.segmentSize = config.mappedFileSizeCommitLog;
    this.#segments = new SegmentDirectory(config.storePathCommitLog, config.mappedFileSizeCommitLog);
    this.#storage = storage;
    this.#pipeline = pipeline;
    this.#reader = reader;
    this.#delayedFrom = delayedFrom;
  }

  get minOffset(): number {
    return this.#pipeline.control.counters.minOffset.get();
  }

  /** The last segment is the one that holds the last byte: an empty log would not know any more where it ended. */
  get limitOffset(): number {
    const { counters } = this.#pipeline.control;
    const { wroteOffset, reputFromOffset } = counters;
    return this.#segments.startOf(Math.max(0, Math.min(wroteOffset.get() - 1, reputFromOffset.get(), durableOffset(counters))));
  }

  modifiedMs(fromOffset: number): number | undefined {
    return this.#storage.entry(this.#segments.pathOf(fromOffset))?.modifiedMs;
  }

  firstStoreTimestamp(fromOffset: number): number | undefined {
    return this.#reader.storeTimestampAt(fromOffset);
  }

  delayedFrom(): number | undefined {
    return this.#delayedFrom();
  }

  async isForcedTo(offset: number): Promise<boolean> {
    return await this.#pipeline.isForcedTo(offset);
  }

  async retireBelow(offset: number): Promise<void> {
    await this.#pipeline.retireSegmentsBelow(offset);
    this.#reader.forget(offset);
  }

  async deleteBelow(offset: number): Promise<string | undefined> {
    return (await this.#pipeline.deleteSegmentsBelow(offset)).failure;
  }

  heldFrom(): number | undefined {
    return this.#reader.heldFrom();
  }

  releaseByForce(offset: number): void {
    this.#reader.releaseByForce(offset);
  }
}
