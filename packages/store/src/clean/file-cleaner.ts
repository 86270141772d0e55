import type { Clock } from "@millrace/shared-memory";
import { checkSignal } from "../config/call-options.js";
import { followsNobody } from "../config/ha-options.js";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { ExpiredDeletion } from "../pipeline/controls.js";
import { storeClosed } from "../tell/store-closed.js";
import type { StoreEventSink } from "../tell/store-event.js";
import { type CleanableSegments, CommitLogCleaner, type FutureSegment, type HeldSegment } from "./commit-log-cleaner.js";
import { ConsumeQueueCleaner } from "./consume-queue-cleaner.js";
import { type DiskRatios, DiskSpace } from "./disk-space.js";
import { Pause } from "./pause.js";

/** As in RocketMQ: a store that has just been opened has other things to do. */
const FIRST_RUN_MS = 60_000;
/** Runs of one `deleteExpiredFiles`; RocketMQ's `executeDeleteFilesManually` sets as many. */
const MANUAL_RUNS = 20;

/** What a cleaning did. */
export interface CleanReport {
  readonly deletedSegments: number;
  readonly deletedConsumeQueueFiles: number;
  /** First byte of the log that can be read. */
  readonly minOffset: number;
  /** What should be deleted and is not yet: somebody holds it, or the system refused. It is tried again. */
  readonly held?: HeldSegment;
  /**
   * The oldest segment whose file says that it was changed later than now: the clock was ahead once, or is behind. It expires by the store
   * timestamps of the records after it, and stays as long as they lie in the future too.
   */
  readonly inFuture?: FutureSegment;
  /** Physical offset of a delayed message that has not been delivered: its segment would be deleted otherwise, and stays. */
  readonly delayedFrom?: number;
  /** What went wrong, in the system's words. */
  readonly failure?: string;
}

export interface CleanStats extends DiskRatios {
  /** Puts are answered SERVICE_NOT_AVAILABLE. */
  readonly isDiskFull: boolean;
  readonly deletedSegments: number;
  readonly deletedConsumeQueueFiles: number;
  readonly held: HeldSegment | undefined;
  readonly inFuture: FutureSegment | undefined;
  readonly delayedFrom: number | undefined;
  /** Of the last run; undefined when nothing went wrong. */
  readonly failure: string | undefined;
}

/** The surroundings of the cleaner. */
export interface CleanFilesPlace {
  readonly segments: CleanableSegments;
  /** On the dispatch thread, one slice. */
  readonly deleteExpired: (minOffset: number) => Promise<ExpiredDeletion>;
  /** Files have been deleted. */
  readonly onExpired: () => void;
  readonly measureDisk: () => DiskRatios;
  /** Told after every look at the disk. */
  readonly onDiskFull: (isFull: boolean) => void;
  readonly events: StoreEventSink;
  readonly clock: Clock;
}

/**
 * Retention: when files are looked at, and one thing at a time. The disk is looked at on a timer of its own, so that a long
 * deletion does not hold the disk-full flag up (RocketMQ issue 1400). Main thread; the deletions run on the allocate and dispatch
 * threads. (RocketMQ: `DefaultMessageStore.cleanFilesPeriodically`, `executeDeleteFilesManually`, `isSpaceFull`.)
 */
export class FileCleaner {
  readonly #config: MessageStoreConfig;
  readonly #place: CleanFilesPlace;
  readonly #pause = new Pause();
  readonly #disk: DiskSpace;
  readonly #commitLog: CommitLogCleaner;
  readonly #consumeQueue: ConsumeQueueCleaner;
  #cleanTimer: NodeJS.Timeout | undefined;
  #diskTimer: NodeJS.Timeout | undefined;
  /** Ends with whatever is under way; never rejects. */
  #underWay: Promise<void> = Promise.resolve();
  #deletedSegments = 0;
  #deletedConsumeQueueFiles = 0;
  #failure: string | undefined;

  constructor(config: MessageStoreConfig, place: CleanFilesPlace) {
    this.#config = config;
    this.#place = place;
    this.#disk = new DiskSpace(config, place.measureDisk, place.onDiskFull);
    this.#commitLog = new CommitLogCleaner(config, place.segments, this.#disk, place.clock, this.#pause);
    this.#consumeQueue = new ConsumeQueueCleaner(config, place.deleteExpired, this.#pause);
  }

  /** Looks at the disk at once, then begins its rounds. What is only looked after has its retention from whoever opens it otherwise. */
  start(firstRunMs = FIRST_RUN_MS): void {
    this.#disk.look();
    this.#diskTimer = setInterval(() => this.#disk.look(), this.#config.cleanResourceInterval).unref();
    if (!followsNobody(this.#config)) this.#cleanTimer = setTimeout(this.#onTime, firstRunMs).unref();
  }

  /**
   * Deletes what has expired, at any hour, now: in runs, until nothing is left to do, or something is held or fails. An aborted
   * `signal` ends it after the run that is under way (`deleteFileBatchMax` files).
   *
   * @throws MillraceError `ERR_STORE_CLOSED`, `ERR_SERVICE_ENDED`
   */
  async deleteExpiredFiles(signal?: AbortSignal): Promise<CleanReport> {
    checkSignal(signal);
    return await this.oneAtATime(async () => {
      let [deletedSegments, deletedConsumeQueueFiles] = [0, 0];
      for (let run = 1; ; run++) {
        const report = await this.#clean(true);
        deletedSegments += report.deletedSegments;
        deletedConsumeQueueFiles += report.deletedConsumeQueueFiles;
        const isOver = report.deletedSegments === 0 || report.held !== undefined || report.failure !== undefined;
        if (isOver || run === MANUAL_RUNS || this.#pause.isStopped || signal?.aborted === true)
          return { ...report, deletedSegments, deletedConsumeQueueFiles };
      }
    });
  }

  /** Deletions follow one another, and this one is waited for. @throws MillraceError `ERR_STORE_CLOSED` */
  oneAtATime<T>(task: () => Promise<T>): Promise<T> {
    return this.#pause.held(this.#afterOthers(task));
  }

  #afterOthers<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#underWay.then(() => {
      if (this.#pause.isStopped) throw storeClosed();
      return task();
    });
    this.#underWay = done.then(
      () => {},
      () => {},
    );
    return done;
  }

  stats(): CleanStats {
    return {
      ...this.#disk.ratios,
      isDiskFull: this.#disk.isFull,
      deletedSegments: this.#deletedSegments,
      deletedConsumeQueueFiles: this.#deletedConsumeQueueFiles,
      held: this.#commitLog.held,
      inFuture: this.#commitLog.inFuture,
      delayedFrom: this.#commitLog.delayedFrom,
      failure: this.#failure,
    };
  }

  /** Resolves when what is under way has ended, between two files, and what was retired is deleted. Idempotent. */
  async close(): Promise<void> {
    clearTimeout(this.#cleanTimer);
    clearInterval(this.#diskTimer);
    this.#pause.stop();
    await this.#underWay;
    await this.#commitLog.deleteRetired().catch((error) => this.#fail(String(error)));
  }

  readonly #onTime = (): void => {
    void this.#afterOthers(() => this.#clean(false))
      .catch((error) => this.#fail(String(error)))
      .then(() => {
        if (!this.#pause.isStopped) this.#cleanTimer = setTimeout(this.#onTime, this.#config.cleanResourceInterval).unref();
      });
  };

  async #clean(isManual: boolean): Promise<CleanReport> {
    const { segments, onExpired } = this.#place;
    const log = await this.#commitLog.run(isManual);
    this.#deletedSegments += log.deletedSegments;
    const queues = await this.#consumeQueue.run(segments.minOffset);
    this.#deletedConsumeQueueFiles += queues.deletedFiles;
    if (log.deletedSegments > 0 || queues.deletedFiles > 0) onExpired();
    const { held, inFuture, delayedFrom } = this.#commitLog;
    this.#fail(log.failure ?? queues.failure);
    return {
      deletedSegments: log.deletedSegments,
      deletedConsumeQueueFiles: queues.deletedFiles,
      minOffset: segments.minOffset,
      ...(held === undefined ? {} : { held }),
      ...(inFuture === undefined ? {} : { inFuture }),
      ...(delayedFrom === undefined ? {} : { delayedFrom }),
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    };
  }

  /** It is tried again with the next run. */
  #fail(failure: string | undefined): void {
    this.#failure = failure;
    if (failure === undefined) return;
    const message = `not everything that has expired could be deleted, and it is tried again: reason=${failure}`;
    this.#place.events.emit("error", { service: "clean", code: "ERR_FILES_NOT_DELETED", message });
  }
}
