import type { Host } from "@millrace/format";
import type { RecoveryProgress } from "./recovery-progress.js";

/**
 * Options of {@link MessageStore.open}, in RocketMQ's names (MessageStoreConfig) and with its defaults where it has them.
 * Sizes are bytes, times milliseconds, pages 4096 bytes.
 */
export interface MessageStoreOptions {
  /** Default: `store` in the home directory. Created when missing. */
  readonly storePathRootDir?: string;
  /** Default: `commitlog` in the root. */
  readonly storePathCommitLog?: string;
  /** Length of every segment; a store keeps it for life. Default 1 GiB. */
  readonly mappedFileSizeCommitLog?: number;
  /** When a put is acknowledged: after a successful force, or when it is in the page cache. Default `ASYNC_FLUSH`. */
  readonly flushDiskType?: FlushDiskType;
  /** How often FlushRealTimeService looks (ASYNC_FLUSH). Default 500. */
  readonly flushIntervalCommitLog?: number;
  /** Dirty pages that are worth a force (ASYNC_FLUSH). Default 4. */
  readonly flushCommitLogLeastPages?: number;
  /** After this long everything is forced, however little. Default 10,000. */
  readonly flushCommitLogThoroughInterval?: number;
  /** How often PoolCommitter looks (transient store pool). Default 200. */
  readonly commitIntervalCommitLog?: number;
  readonly commitCommitLogLeastPages?: number;
  readonly commitCommitLogThoroughInterval?: number;
  /** SYNC_FLUSH: a put that has not been forced by then is answered FLUSH_DISK_TIMEOUT. Default 5,000. */
  readonly syncFlushTimeout?: number;
  /** Map, touch and lock the segments ahead of the appender. Default false. */
  readonly warmMapedFileEnable?: boolean;
  /**
   * Append into memory and write it to the file in the background (ASYNC_FLUSH): a killed process loses what was not committed.
   * Default false.
   */
  readonly transientStorePoolEnable?: boolean;
  /** Segments that fit the pool. Default 5. */
  readonly transientStorePoolSize?: number;
  /** Append through the channel (pwrite of whole groups) instead of the mapping. Default false. */
  readonly writeWithoutMmap?: boolean;
  /** Largest body. Default 4 MiB. */
  readonly maxMessageSize?: number;
  /** A group that takes longer makes new puts OS_PAGE_CACHE_BUSY. Default 1,000. */
  readonly osPageCacheBusyTimeOutMills?: number;
  /** Check CRCs when recovering. Default true. */
  readonly checkCRCOnRecover?: boolean;
  /** Append RocketMQ 5's `__CRC32#` property, a CRC over the whole record. Default true (RocketMQ: false). */
  readonly enabledAppendPropCRC?: boolean;
  /** RocketMQ's delay levels; units s, m, h, d. */
  readonly messageDelayLevel?: string;
  /** Written into records whose message names no store host. Default 127.0.0.1:10911. */
  readonly storeHost?: Host;
  /** Bytes of the ring between producer and appender; a power of two. Default 8 MiB, or what the largest message needs. */
  readonly putRingSize?: number;
  /** A put that finds the ring full waits (up to `putMessageTimeout`), or is rejected at once. Default `wait`. */
  readonly backPressure?: BackPressure;
  /** Deadline of a put that waits for the ring. Default 8,000. */
  readonly putMessageTimeout?: number;
  /** Puts that may wait for the ring. Default 5,000. */
  readonly maxAsyncPutMessageRequests?: number;
  /** Length of every ConsumeQueue file, rounded up to units of 20; a store keeps it for life. Default 6,000,000. */
  readonly mappedFileSizeConsumeQueue?: number;
  /** How often ConsumeQueues with enough dirty pages are forced. Default 1,000. */
  readonly flushIntervalConsumeQueue?: number;
  /** Default 2. */
  readonly flushConsumeQueueLeastPages?: number;
  /** After this long ConsumeQueues and index are forced, however little. Default 60,000. */
  readonly flushConsumeQueueThoroughInterval?: number;
  /**
   * Modules (file URLs or absolute paths) whose default export makes a {@link CommitLogDispatcher}; they run on the dispatch
   * thread. Default none.
   */
  readonly commitLogDispatchers?: readonly string[];
  /** Build the index, so that messages are found by key. Default true. */
  readonly messageIndexEnable?: boolean;
  /** Slots and items of an index file. Defaults 5,000,000 and 20,000,000. */
  readonly maxHashSlotNum?: number;
  readonly maxIndexNum?: number;
  /** Most messages of a query by key. Default 64. */
  readonly maxMsgsNumBatch?: number;
  /** What one get returns at most, from memory and from disk. Defaults 262,144 and 32; 65,536 and 8. */
  readonly maxTransferBytesOnMessageInMemory?: number;
  readonly maxTransferCountOnMessageInMemory?: number;
  readonly maxTransferBytesOnMessageInDisk?: number;
  readonly maxTransferCountOnMessageInDisk?: number;
  /** Per cent of the physical memory that holds the newest part of the log. Default 40. */
  readonly accessMessageInMemoryMaxRatio?: number;
  /** Bytes of ConsumeQueue that one get looks at, at least. Default 16,000. */
  readonly maxFilterMessageSize?: number;
  /** ConsumeQueue files that one get looks at. Default 1. */
  readonly travelCqFileNumWhenGetMessage?: number;
  /** How often the progress of the delay levels and of the consumers is saved. Default 10,000. */
  readonly flushDelayOffsetInterval?: number;
  /** Hours of the day (two digits, separated by `;`) in which expired segments are deleted. Default `04`. */
  readonly deleteWhen?: string;
  /** Hours that a segment is kept after its last change. Default 72. */
  readonly fileReservedTime?: number;
  /** Per cent of the disk: above it expired segments are deleted at any hour. Default 75. */
  readonly diskMaxUsedSpaceRatio?: number;
  /** Per cent: above it segments are deleted although they have not expired. Default 85. */
  readonly diskSpaceCleanForciblyRatio?: number;
  /** Per cent: above it no puts are taken (SERVICE_NOT_AVAILABLE). Default 90. */
  readonly diskSpaceWarningLevelRatio?: number;
  /** Default true: the disk ratios may delete segments that have not expired. */
  readonly cleanFileForciblyEnable?: boolean;
  /** How often the cleaner looks. Default 10,000. */
  readonly cleanResourceInterval?: number;
  /** Pause between two deleted files. Defaults 100. */
  readonly deleteCommitLogFilesInterval?: number;
  readonly deleteConsumeQueueFilesInterval?: number;
  /** Segments deleted in one run. Default 10. */
  readonly deleteFileBatchMax?: number;
  /** A lease held longer than this on an expired segment is ended by force. Default 120,000. */
  readonly destroyMapedFileIntervalForcibly?: number;
  /**
   * Aborts a long recovery: until it changes something, nothing is changed. Also the dispatching after it, which the next open goes
   * on with.
   */
  readonly signal?: AbortSignal;
  readonly onRecoveryProgress?: (progress: RecoveryProgress) => void;
}

export type FlushDiskType = "SYNC_FLUSH" | "ASYNC_FLUSH";
export type BackPressure = "wait" | "reject";
