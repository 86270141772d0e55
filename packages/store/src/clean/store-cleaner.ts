import type { StorePaths } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import { SYSTEM_CLOCK } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import type { MessagePutter } from "../put/message-putter.js";
import { diskFull } from "../put/put-message-result.js";
import type { MessageReader } from "../read/message-reader.js";
import { pathUnusable } from "../tell/path-unusable.js";
import type { StoreEventSink } from "../tell/store-event.js";
import { CommitLogSegments } from "./commit-log-segments.js";
import { ConsumeQueueScrubber } from "./consume-queue-scrubber.js";
import { diskRatioOf } from "./disk-space.js";
import { FileCleaner } from "./file-cleaner.js";
import type { GroupOffsets, LeasedReader } from "./leased-reader.js";
import { checkSelf, type SelfCheckFinding } from "./self-check.js";
import { type ScrubbedStore, StoreScrubber } from "./store-scrubber.js";
import { type OtherProducers, TopicCleaner } from "./topic-cleaner.js";

/** Where it cleans. */
export interface CleanedDirectory {
  readonly config: MessageStoreConfig;
  readonly storage: Storage;
  readonly paths: StorePaths;
  readonly events: StoreEventSink;
}

/** Retention and the deletion of topics, put together for an open store. */
export class StoreCleaner {
  readonly files: FileCleaner;
  readonly topics: TopicCleaner;
  readonly #directory: CleanedDirectory;
  readonly scrubber: StoreScrubber;
  readonly #queueScrubber: ConsumeQueueScrubber;

  /**
   * @param delayedFrom physical offset of the oldest delayed message that has not been delivered for good
   * @param onDamage notified of what a scrub has found
   */
  constructor(
    directory: CleanedDirectory,
    pipeline: Pipeline,
    put: MessagePutter,
    producers: OtherProducers,
    messages: MessageReader,
    groups: GroupOffsets,
    delayedFrom: () => number | undefined,
    onDamage: Pick<ScrubbedStore, "onCorrupt" | "onDamagedIndex">,
  ) {
    const { config, storage, paths, events } = directory;
    const { commitLog, consumeQueues } = messages;
    const reader: LeasedReader = {
      forget: (minOffset) => commitLog.forget(minOffset),
      heldFrom: () => commitLog.heldFrom(),
      storeTimestampAt: (offset) => storeTimestampAt(commitLog, offset),
      releaseByForce: (belowOffset) => commitLog.releaseByForce(belowOffset),
      forgetExpired: () => messages.forgetExpired(),
      forgetQueue: (slot) => consumeQueues.forgetQueue(slot),
    };
    this.#directory = directory;
    this.files = new FileCleaner(config, {
      segments: new CommitLogSegments(config, storage, pipeline, reader, delayedFrom),
      deleteExpired: (minOffset) => pipeline.deleteExpired(minOffset),
      onExpired: () => reader.forgetExpired(),
      measureDisk: () => ({
        commitLogDiskRatio: diskRatioOf(storage, paths.commitLog),
        consumeQueueDiskRatio: diskRatioOf(storage, paths.consumeQueue),
      }),
      onDiskFull: (isFull) => {
        const { diskFull: word } = pipeline.control.counters;
        if (word.value === (isFull ? 1 : 0)) return;
        word.set(isFull ? 1 : 0);
        if (!isFull) return events.emit("recovered", { service: "clean" });
        const { code, reason } = diskFull(config.diskSpaceWarningLevelRatio);
        events.emit("diskFull", { service: "clean", code, message: reason });
      },
      events,
      clock: SYSTEM_CLOCK,
    });
    this.topics = new TopicCleaner(pipeline, put, producers, reader, groups, this.files);
    this.files.start();
    this.#queueScrubber = new ConsumeQueueScrubber(() => pipeline.scrubConsumeQueues());
    this.#queueScrubber.start();
    const { minOffset, reputFromOffset } = pipeline.control.counters;
    const scrubbed: ScrubbedStore = {
      minOffset: () => minOffset.get(),
      endOffset: () => reputFromOffset.get(),
      scrubLog: (cursor, limit) => pipeline.scrubLog(cursor, limit),
      scrubIndex: (cursor) => pipeline.scrubIndex(cursor),
      scrubConsumeQueues: () => pipeline.scrubConsumeQueues(),
      onFailed: (error) => {
        const message = `a scrub has ended before its time, and the next one tries again: path=${paths.root} reason=${String(error)}`;
        events.emit("error", { service: "scrub", code: "ERR_PATH_UNUSABLE", message });
      },
      ...onDamage,
    };
    this.scrubber = new StoreScrubber(scrubbed, config.scrubBytesPerSecond);
    this.scrubber.start();
  }

  /** @throws MillraceError `ERR_PATH_UNUSABLE` */
  async checkSelf(): Promise<SelfCheckFinding[]> {
    const { storage, paths, config } = this.#directory;
    try {
      return await checkSelf(storage, paths, config);
    } catch (error) {
      throw pathUnusable(error, "a directory of the store cannot be read", paths.root);
    }
  }

  /** Ends a cleaning that is under way, between two files. */
  async close(): Promise<void> {
    await Promise.all([this.files.close(), this.#queueScrubber.close(), this.scrubber.close()]);
  }
}

function storeTimestampAt(log: MessageReader["commitLog"], offset: number): number | undefined {
  try {
    return log.pickupStoreTimestamp(offset, log.sizeAt(offset));
  } catch {
    return undefined; // a damaged record tells no time
  }
}
