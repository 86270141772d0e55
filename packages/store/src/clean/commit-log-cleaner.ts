import type { Clock } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { isOfSystem } from "../tell/path-unusable.js";
import type { DiskSpace } from "./disk-space.js";
import type { Pause } from "./pause.js";

const HOUR_MS = 60 * 60 * 1000;
/** How often is looked whether a round of forces is over. */
const FORCE_LOOK_MS = 5;

/** The segments of the log as the cleaner sees them. All offsets are starts or ends of segments. */
export interface CleanableSegments {
  readonly segmentSize: number;
  /** Start of the oldest segment that is read. */
  readonly minOffset: number;
  /** Segments that end at or below it are dispatched, durable, and not the last. */
  readonly limitOffset: number;
  /** When the segment last changed, in milliseconds; undefined when its file is missing. */
  modifiedMs(fromOffset: number): number | undefined;
  /** When the segment's first record was stored, in milliseconds; undefined when there is none that can be read. */
  firstStoreTimestamp(fromOffset: number): number | undefined;
  /** Physical offset of the oldest delayed message that has not been delivered for good. */
  delayedFrom(): number | undefined;
  /** Whether all that was dispatched below `offset` is durable; if not, it is being made so. */
  isForcedTo(offset: number): Promise<boolean>;
  /** Moves {@link minOffset}: nobody begins to read below `offset` any more. Leases go on. */
  retireBelow(offset: number): Promise<void>;
  /** Deletes what is retired. Resolves with why it could not, if so. */
  deleteBelow(offset: number): Promise<string | undefined>;
  /** Start of the oldest segment that is leased. */
  heldFrom(): number | undefined;
  /** Ends the leases below `offset`: their views become empty. */
  releaseByForce(offset: number): void;
}

/** A segment that nobody reads any more, and that is still on disk because of a lease or a failure. */
export interface HeldSegment {
  readonly endOffset: number;
  /** Milliseconds. */
  readonly sinceMs: number;
}

/** A segment whose file says that it was changed later than now: the wall clock was ahead once, or is behind. */
export interface FutureSegment {
  readonly fromOffset: number;
  /** Milliseconds. */
  readonly modifiedMs: number;
}

export interface CommitLogCleaning {
  readonly deletedSegments: number;
  /** Why the oldest segment could not be deleted: the system's words. The next run tries again. */
  readonly failure?: string;
}

/**
 * Decides which segments go, and when: oldest first, never one that has not expired before an older one, never the last, never what is not
 * dispatched and durable, and never one with a delayed message that has not been delivered, whatever its age and however full the disk is:
 * a delay may be longer than retention, and the store may have been closed when it ended.
 * (RocketMQ: `CleanCommitLogService`, `MappedFileQueue.deleteExpiredFileByTime`.)
 */
export class CommitLogCleaner {
  readonly #config: MessageStoreConfig;
  readonly #segments: CleanableSegments;
  readonly #disk: DiskSpace;
  readonly #clock: Clock;
  readonly #pause: Pause;
  readonly #hours: ReadonlySet<number>;
  #held: HeldSegment | undefined;
  /** Since when, by the monotonic clock. */
  #heldAtMs = 0;
  /** Of the present run. */
  #deletedSegments = 0;
  #inFuture: FutureSegment | undefined;
  #delayedFrom: number | undefined;

  constructor(config: MessageStoreConfig, segments: CleanableSegments, disk: DiskSpace, clock: Clock, pause: Pause) {
    this.#config = config;
    this.#segments = segments;
    this.#disk = disk;
    this.#clock = clock;
    this.#pause = pause;
    this.#hours = new Set(config.deleteWhen.split(";").map(Number));
  }

  /** What the last run could not delete. */
  get held(): HeldSegment | undefined {
    return this.#held;
  }

  /** The first segment that the last run found to be of the future; undefined when there was none. */
  get inFuture(): FutureSegment | undefined {
    return this.#inFuture;
  }

  /** The delayed message whose segment the last run would have deleted otherwise: its physical offset. */
  get delayedFrom(): number | undefined {
    return this.#delayedFrom;
  }

  /** One run. What the system refuses is its answer's `failure`. @param isManual expired segments go at any hour */
  async run(isManual: boolean): Promise<CommitLogCleaning> {
    this.#deletedSegments = 0;
    try {
      const failure = await this.#run(isManual);
      return { deletedSegments: this.#deletedSegments, ...(failure === undefined ? {} : { failure }) };
    } catch (error) {
      if (!isOfSystem(error)) throw error;
      return { deletedSegments: this.#deletedSegments, failure: String(error) };
    }
  }

  /** Answers why it went no further. */
  async #run(isManual: boolean): Promise<string | undefined> {
    this.#disk.look();
    this.#inFuture = undefined;
    this.#delayedFrom = undefined;
    this.#isExpired(this.#segments.minOffset); // says whether it is of the future, at any hour
    if (this.#held !== undefined) {
      const failure = await this.#deleteBelow(this.#held.endOffset);
      if (this.#held !== undefined) return failure;
      this.#deletedSegments++;
    }
    if (!isManual && !this.#isTimeToDelete() && !this.#disk.isSpaceToDelete) return undefined;
    const isImmediate = this.#disk.cleansImmediately;
    while (this.#deletedSegments < this.#config.deleteFileBatchMax) {
      const { minOffset, segmentSize, limitOffset } = this.#segments;
      const endOffset = minOffset + segmentSize;
      if (endOffset > limitOffset || !(isImmediate || this.#isExpired(minOffset))) break;
      const delayedFrom = this.#segments.delayedFrom();
      if (delayedFrom !== undefined && delayedFrom < endOffset) {
        this.#delayedFrom = delayedFrom;
        break;
      }
      if (this.#deletedSegments > 0 && !(await this.#pause.for(this.#config.deleteCommitLogFilesInterval))) break;
      if (!(await this.#untilForced(endOffset))) break;
      await this.#segments.retireBelow(endOffset);
      this.#held = { endOffset, sinceMs: this.#clock.now() };
      this.#heldAtMs = this.#clock.monotonic();
      const failure = await this.#deleteBelow(endOffset);
      if (failure !== undefined) return failure;
      if (this.#held !== undefined) break;
      this.#deletedSegments++;
    }
    return undefined;
  }

  /**
   * Where a queue ends is said by its units alone when its last record has gone: no segment goes before they are durable. False when
   * it is time to stop.
   */
  async #untilForced(endOffset: number): Promise<boolean> {
    while (!(await this.#segments.isForcedTo(endOffset))) if (!(await this.#pause.for(FORCE_LOOK_MS))) return false;
    return true;
  }

  /** At the end: nobody reads any more. What cannot be deleted is back when the store opens again. */
  async deleteRetired(): Promise<void> {
    if (this.#held !== undefined && (await this.#segments.deleteBelow(this.#held.endOffset)) === undefined) this.#held = undefined;
  }

  /** What is retired; a lease on it is waited for, but not for ever. */
  async #deleteBelow(endOffset: number): Promise<string | undefined> {
    const heldFrom = this.#segments.heldFrom();
    if (heldFrom !== undefined && heldFrom < endOffset) {
      if (this.#clock.monotonic() - this.#heldAtMs < this.#config.destroyMapedFileIntervalForcibly) return undefined;
      this.#segments.releaseByForce(endOffset);
    }
    const failure = await this.#segments.deleteBelow(endOffset);
    if (failure === undefined) this.#held = undefined;
    return failure;
  }

  #isTimeToDelete(): boolean {
    return this.#hours.has(new Date(this.#clock.now()).getHours());
  }

  /** A file that somebody has removed already is gone at any age. */
  #isExpired(fromOffset: number): boolean {
    const now = this.#clock.now();
    const modifiedMs = this.#segments.modifiedMs(fromOffset);
    if (modifiedMs === undefined) return true;
    if (modifiedMs > now) this.#inFuture ??= { fromOffset, modifiedMs };
    const writtenMs = modifiedMs > now ? this.#storedBefore(fromOffset, now) : modifiedMs;
    return writtenMs !== undefined && now >= writtenMs + this.#config.fileReservedTime * HOUR_MS;
  }

  /**
   * A time by which the segment was complete, for one whose file is of the future: when the first record of the next segment was
   * stored, or of the first later one whose time can be right.
   */
  #storedBefore(fromOffset: number, now: number): number | undefined {
    const { segmentSize, limitOffset } = this.#segments;
    for (let next = fromOffset + segmentSize; next <= limitOffset; next += segmentSize) {
      const storedMs = this.#segments.firstStoreTimestamp(next);
      if (storedMs !== undefined && storedMs <= now) return storedMs;
    }
    return undefined;
  }
}
