import type { Host } from "@millrace/format";
import type { RecoveryProgress } from "./recovery-progress.js";
import type { StoreLogger } from "./store-logger.js";

/**
 * Options of {@link MessageStore.open}, in RocketMQ's names (MessageStoreConfig) and with its defaults where it has them. Pages have
 * 4096 bytes. What is misspelt, out of range, or contradicts another option is refused before anything is touched.
 */
export interface MessageStoreOptions {
  /** Path of the store's directory, created when missing. Default: `store` in the home directory. */
  readonly storePathRootDir?: string;
  /** Path of the commit log's directory. Default: `commitlog` in the store's directory. */
  readonly storePathCommitLog?: string;
  /** Rights to the files that the store makes; whoever may read them may enter their directories (0o750). Default 416 (0o640). */
  readonly fileMode?: number;
  /** Length of every segment, in bytes; a store keeps it for life. Default 1,073,741,824 (1 GiB). */
  readonly mappedFileSizeCommitLog?: number;
  /** When a put is acknowledged: after a successful force, or when it is in the page cache. Default `ASYNC_FLUSH`. */
  readonly flushDiskType?: FlushDiskType;
  /** ASYNC_FLUSH: how often what has been written is forced, in milliseconds. Default 500. */
  readonly flushIntervalCommitLog?: number;
  /**
   * ASYNC_FLUSH: fewer dirty pages of the log wait for others, or for the thorough interval: it saves forces of a store with little to
   * do, at most one each `flushIntervalCommitLog`. Default 0 (RocketMQ: 4).
   */
  readonly flushCommitLogLeastPages?: number;
  /** ASYNC_FLUSH with `flushCommitLogLeastPages`: after so many milliseconds everything is forced, however little. Default 10,000. */
  readonly flushCommitLogThoroughInterval?: number;
  /** Transient store pool: how often PoolCommitter looks, in milliseconds. Default 200. */
  readonly commitIntervalCommitLog?: number;
  /** Transient store pool: pages in memory that are worth a write to the file. Default 4. */
  readonly commitCommitLogLeastPages?: number;
  /** Transient store pool: after so many milliseconds everything is written, however little. Default 200. */
  readonly commitCommitLogThoroughInterval?: number;
  /**
   * SYNC_FLUSH: a message that is in the log, and not durable so many milliseconds after it came into the ring, is answered
   * FLUSH_DISK_TIMEOUT. Default 5,000.
   */
  readonly syncFlushTimeout?: number;
  /** Map, touch and lock the segments ahead of the appender. Default false. */
  readonly warmMapedFileEnable?: boolean;
  /** ASYNC_FLUSH: append into memory and write it to the file later; a killed process loses what was not written. Default false. */
  readonly transientStorePoolEnable?: boolean;
  /** Segments that fit the transient store pool. Default 5. */
  readonly transientStorePoolSize?: number;
  /** Append through the channel (pwrite of whole groups) instead of the mapping. Default false. */
  readonly writeWithoutMmap?: boolean;
  /** Largest body, in bytes. Default 4,194,304 (4 MiB). */
  readonly maxMessageSize?: number;
  /** A group that takes longer, in milliseconds, makes new puts OS_PAGE_CACHE_BUSY. Default 1,000. */
  readonly osPageCacheBusyTimeOutMills?: number;
  /** Check CRCs when recovering. Default true. */
  readonly checkCRCOnRecover?: boolean;
  /**
   * What an opening reads of what earlier lives have noted as durable and nobody has written to since: only the `tail`, and the rest when
   * it is first read and by the scrub; or `all` of it. Default `tail`.
   */
  readonly verifyOnOpen?: VerifyOnOpen;
  /** Bytes of the log that are read again in the background each second, to find what has changed on disk; 0: none. Default 4,194,304. */
  readonly scrubBytesPerSecond?: number;
  /** Append RocketMQ 5's `__CRC32#` property, a CRC over the whole record. Default true (RocketMQ: false). */
  readonly enabledAppendPropCRC?: boolean;
  /** Delay of each level, from level 1 on, in s, m, h or d. Default `1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h`. */
  readonly messageDelayLevel?: string;
  /**
   * Host and port, in records and message ids: stores with the same one give the same ids. Default: this machine's IPv4 address (without
   * a network 127.0.0.1), with port 10911; two stores of one machine need one each.
   */
  readonly storeHost?: Host;
  /**
   * Bytes of the ring to the appender, a power of two from 128 KiB to 1 GiB that exceeds `maxMessageSize` by at least 65,536.
   * Default 16,777,216 (16 MiB); it follows `maxMessageSize`, from 8 MiB on.
   */
  readonly putRingSize?: number;
  /** A put that finds the ring full waits (up to `putMessageTimeout`), or is rejected at once. Default `wait`. */
  readonly backPressure?: BackPressure;
  /** A put that has waited for room in the ring for so many milliseconds is rejected, and nothing was written. Default 8,000. */
  readonly putMessageTimeout?: number;
  /** Puts that may wait for the ring at a time; one more is rejected. Default 1,000,000 (RocketMQ: 5,000). */
  readonly maxAsyncPutMessageRequests?: number;
  /** Bytes of records that may wait for the ring at a time; a put beyond them is rejected. Default 268,435,456 (256 MiB). */
  readonly maxAsyncPutMessageBytes?: number;
  /** Length of every ConsumeQueue file, in bytes, rounded up to whole units of 20; a store keeps it for life. Default 6,000,000. */
  readonly mappedFileSizeConsumeQueue?: number;
  /** How often ConsumeQueues with enough dirty pages are forced, in milliseconds. Default 1,000. */
  readonly flushIntervalConsumeQueue?: number;
  /** Dirty pages of a ConsumeQueue that are worth a force. Default 2. */
  readonly flushConsumeQueueLeastPages?: number;
  /** After so many milliseconds ConsumeQueues and index are forced, however little; sooner when nothing comes. Default 60,000. */
  readonly flushConsumeQueueThoroughInterval?: number;
  /** Modules (file URLs or absolute paths) whose default export makes a {@link CommitLogDispatcher}. Default none. */
  readonly commitLogDispatchers?: readonly string[];
  /** Build the index, so that messages are found by key. Default true. */
  readonly messageIndexEnable?: boolean;
  /** Hash slots of an index file; a store keeps it for life. Default 5,000,000. */
  readonly maxHashSlotNum?: number;
  /** Items of an index file, one for each key of a message; a store keeps it for life. Default 20,000,000. */
  readonly maxIndexNum?: number;
  /** Most messages of a query by key. Default 64. */
  readonly maxMsgsNumBatch?: number;
  /** Bytes of records that one get returns at most, from the part of the log that memory holds. Default 262,144. */
  readonly maxTransferBytesOnMessageInMemory?: number;
  /** Messages that one get returns at most, from the part of the log that memory holds. Default 32. */
  readonly maxTransferCountOnMessageInMemory?: number;
  /** Bytes of records that one get returns at most, from the part of the log that is on disk only. Default 65,536. */
  readonly maxTransferBytesOnMessageInDisk?: number;
  /** Messages that one get returns at most, from the part of the log that is on disk only. Default 8. */
  readonly maxTransferCountOnMessageInDisk?: number;
  /** Per cent of the physical memory that holds the newest part of the log. Default 40. */
  readonly accessMessageInMemoryMaxRatio?: number;
  /** Bytes of ConsumeQueue (20 a message) that one get looks at, at least. Default 16,000. */
  readonly maxFilterMessageSize?: number;
  /** ConsumeQueue files that one get looks at. Default 1. */
  readonly travelCqFileNumWhenGetMessage?: number;
  /** How often the progress of the delay levels and of the consumer groups is saved, in milliseconds. Default 10,000. */
  readonly flushDelayOffsetInterval?: number;
  /** Hours of the day (local time, two digits, separated by `;`) in which expired segments are deleted. Default `04`. */
  readonly deleteWhen?: string;
  /** Hours that a segment is kept after its last change. Default 72. */
  readonly fileReservedTime?: number;
  /** Per cent of the disk in use: above it expired segments are deleted at any hour. Default 75. */
  readonly diskMaxUsedSpaceRatio?: number;
  /** Per cent of the disk in use: above it segments are deleted although they have not expired. Default 85. */
  readonly diskSpaceCleanForciblyRatio?: number;
  /** Per cent of the disk in use: above it no puts are taken (SERVICE_NOT_AVAILABLE). Default 90. */
  readonly diskSpaceWarningLevelRatio?: number;
  /** Whether `diskSpaceCleanForciblyRatio` may delete segments that have not expired. Default true. */
  readonly cleanFileForciblyEnable?: boolean;
  /** How often the cleaner looks, in milliseconds. Default 10,000. */
  readonly cleanResourceInterval?: number;
  /** Pause between two deleted segments, in milliseconds. Default 100. */
  readonly deleteCommitLogFilesInterval?: number;
  /** Pause between two deleted ConsumeQueue files, in milliseconds. Default 100. */
  readonly deleteConsumeQueueFilesInterval?: number;
  /** Segments deleted in one run. Default 10. */
  readonly deleteFileBatchMax?: number;
  /** A lease held for more milliseconds on an expired segment is ended by force. Default 120,000. */
  readonly destroyMapedFileIntervalForcibly?: number;
  /**
   * `SYNC_MASTER`: a put is acknowledged when `inSyncReplicas` stores have it, this one counted. `SLAVE`: the log follows
   * `haMasterAddress`, and nothing is put. Default `ASYNC_MASTER`.
   */
  readonly brokerRole?: BrokerRole;
  /** Port on which slaves are accepted; 0: the system picks one, which `stats().ha` shows; -1: none. Default -1 (RocketMQ: 10912). */
  readonly haListenPort?: number;
  /** Address on which slaves are accepted, IPv4 or IPv6. Default `127.0.0.1` (RocketMQ: all of the machine). */
  readonly haListenAddress?: string;
  /**
   * Addresses that slaves may come from, single ones and networks such as `10.1.0.0/16`; none: from wherever they reach the port.
   * Nothing on the wire is encrypted or proves who somebody is. Default none.
   */
  readonly haPeers?: readonly string[];
  /**
   * SLAVE: `host:port` of the master, or `none`: it follows nobody, for those who only look after a directory. What it holds is recovered,
   * read and copied; nothing is put, nothing delivered that is due, and nothing that has expired deleted unless `deleteExpiredFiles` is
   * called. Default: not given, which a slave's must be.
   */
  readonly haMasterAddress?: string;
  /** A master or slave that has sent nothing for so many milliseconds sends a sign of life. Default 5,000. */
  readonly haSendHeartbeatInterval?: number;
  /** A connection on which nothing has come for so many milliseconds is given up. Default 20,000. */
  readonly haHousekeepingInterval?: number;
  /** Bytes of the log that go to a slave in one frame, at most. Default 32,768. */
  readonly haTransferBatchSize?: number;
  /** A slave whose log is so many bytes shorter is not in sync. Default 268,435,456 (RocketMQ 4 calls it `haSlaveFallbehindMax`). */
  readonly haMaxGapNotInSync?: number;
  /**
   * SYNC_MASTER: a message that too few slaves have so many milliseconds after it came into the ring is answered FLUSH_SLAVE_TIMEOUT.
   * Default 3,000.
   */
  readonly slaveTimeout?: number;
  /** SYNC_MASTER: stores that must have a message, this one counted. Default 2 (RocketMQ 5: 1, with which it waits for no slave). */
  readonly inSyncReplicas?: number;
  /** SYNC_MASTER: while fewer stores are in sync, this one counted, nothing is put (IN_SYNC_REPLICAS_NOT_ENOUGH). Default 1. */
  readonly minInSyncReplicas?: number;
  /** SYNC_MASTER: as many of `inSyncReplicas` as are in sync are enough, at least `minInSyncReplicas`. Default false. */
  readonly enableAutoInSyncReplicas?: boolean;
  /**
   * The open store lets the process end when nothing else keeps it, and nothing is waited for: a put, a consumer, a close. What such an
   * end leaves is what a kill leaves. Without it a store that is not closed keeps the process alive. Default false.
   */
  readonly unref?: boolean;
  /** Aborts a long recovery before it changes anything, or the dispatching after it, which the next open goes on with. Default none. */
  readonly signal?: AbortSignal;
  /** Is notified, once each, of failures in the background that no listener of `error` hears. Default: a warning of the process. */
  readonly logger?: StoreLogger;
  /** Called now and then while the log is scanned. What it throws aborts, and is what `open` rejects with. Default none. */
  readonly onRecoveryProgress?: (progress: RecoveryProgress) => void;
}

/** When a put is acknowledged: when its record is durable, or when it is in the page cache. (RocketMQ: `FlushDiskType`.) */
export type FlushDiskType = "SYNC_FLUSH" | "ASYNC_FLUSH";
/** What is read when a store opens: what is not known to be durable, or everything. */
export type VerifyOnOpen = "tail" | "all";
/** What a put does that finds the ring full: it waits until its deadline, or is refused at once. */
export type BackPressure = "wait" | "reject";
/** Whether the log is replicated, and who waits for whom. (RocketMQ: `BrokerRole`.) */
export type BrokerRole = "ASYNC_MASTER" | "SYNC_MASTER" | "SLAVE";
