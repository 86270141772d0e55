/** Every file name in a store directory is built and parsed here. (RocketMQ: `StorePathConfigHelper`, `UtilAll.offset2FileName`.) */

import { MillraceError } from "./millrace-error.js";
import { checkQueueId, checkStoredTopic } from "./queue-name.js";

/** Paths of one store directory. */
export interface StorePaths {
  readonly root: string;
  readonly commitLog: string;
  readonly consumeQueue: string;
  /** Queues of batches, which RocketMQ 5 keeps for topics of its BatchCQ type. */
  readonly batchConsumeQueue: string;
  readonly consumeQueueExt: string;
  /** Where RocketMQ 5 keeps ConsumeQueues in RocksDB when it does not keep them in `consumeQueue` itself. */
  readonly consumeQueueRocksDb: string;
  readonly index: string;
  readonly checkpoint: string;
  /** There while the store is open: found at start, the last end was not clean. */
  readonly abort: string;
  readonly lock: string;
  readonly config: string;
  readonly delayOffset: string;
  readonly consumerOffset: string;
  /** Millrace's own: when the messages that wait for their delay were first seen. */
  readonly delayArrivals: string;
  /** Millrace's own: how far the log is known to be durable. */
  readonly watermark: string;
  /** Millrace's own: a force failed, and no operator has looked at it yet. */
  readonly fence: string;
  /** The same beside the log's directory, for when the root does not take it. */
  readonly logFence: string;
  /** Millrace's own: where the log begins, as its retention has left it. */
  readonly logStart: string;
  /** Millrace's own: how far ConsumeQueues and index are known to be durable. */
  readonly dispatchedMark: string;
  /** Millrace's own: checksums of the ConsumeQueues' files. */
  readonly consumeQueueChecksums: string;
  /** Millrace's own: what the index files held when nothing was written to them any more. */
  readonly indexSeals: string;
  /** Millrace's own: CRCs of finished segments. */
  readonly segmentCrcs: string;
  /** Millrace's own directory: what the records of each segment were. */
  readonly segmentNotes: string;
  /** Millrace's own: records of deleted topics that are still in the log. */
  readonly deletedTopics: string;
  /** Millrace's own: the {@link preparedPath} of a segment; in the store, wherever the log lies. */
  readonly newSegment: string;
}

/** @param commitLog RocketMQ's `storePathCommitLog`, where it is set */
export function storePaths(root: string, commitLog: string = `${root}/commitlog`): StorePaths {
  const config = `${root}/config`;
  return {
    root,
    commitLog,
    consumeQueue: `${root}/consumequeue`,
    batchConsumeQueue: `${root}/batchconsumequeue`,
    consumeQueueExt: `${root}/consumequeue_ext`,
    consumeQueueRocksDb: `${root}/consumequeue_rocksdb`,
    index: `${root}/index`,
    checkpoint: `${root}/checkpoint`,
    abort: `${root}/abort`,
    lock: `${root}/lock`,
    config,
    delayOffset: `${config}/delayOffset.json`,
    consumerOffset: `${config}/consumerOffset.json`,
    delayArrivals: `${config}/millrace.delayArrivals`,
    watermark: `${root}/millrace.watermark`,
    fence: `${root}/millrace.fence`,
    logFence: `${commitLog}.millrace.fence`,
    logStart: `${root}/millrace.logStart`,
    dispatchedMark: `${root}/millrace.dispatched`,
    consumeQueueChecksums: `${root}/millrace.queueChecksums`,
    indexSeals: `${root}/millrace.index`,
    segmentCrcs: `${root}/millrace.segmentCrcs`,
    segmentNotes: `${root}/millrace.segments`,
    deletedTopics: `${config}/millrace.deletedTopics`,
    newSegment: preparedPath(`${root}/commitlog`),
  };
}

/** Millrace's own, beside a `.json` file of `config`: the same content with a checksum, and what that file cannot carry. */
export function configCopyPath(path: string): string {
  return path.replace(/([^/]+?)(\.json)?$/, "millrace.$1");
}

/** Millrace's own: where a file of a directory is prepared, which gets its name when it has its length; no broker lists it. */
export function preparedPath(directory: string): string {
  return `${directory}.new`;
}

/**
 * Millrace's own: the lock of a log directory that is not in its store's root; beside it, where a broker lists nothing.
 *
 * @param commitLog without a link in it
 */
export function commitLogLockPath(commitLog: string): string {
  return `${commitLog}.lock`;
}

/**
 * Millrace's own: where the copy of a segment is prepared that has other names, before it is cut; on the log's file system, beside it,
 * where a broker lists nothing.
 *
 * @param commitLog without a link in it
 */
export function ownSegmentPath(commitLog: string): string {
  return preparedPath(`${commitLog}.millrace`);
}

/**
 * Directory of one queue's ConsumeQueue.
 *
 * @throws MillraceError `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`
 */
export function consumeQueueDirectory(paths: StorePaths, topic: string, queueId: number): string {
  checkStoredTopic(topic);
  checkQueueId(queueId);
  return `${paths.consumeQueue}/${topic}/${queueId}`;
}

const SEGMENT_NAME_LENGTH = 20;
const SEGMENT_NAME_PATTERN = /^\d{20}$/;

/**
 * Name of the segment whose first byte has this offset: 20 digits.
 *
 * @throws MillraceError `ERR_OFFSET_ILLEGAL`
 */
export function segmentFileName(offset: number): string {
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new MillraceError("ERR_OFFSET_ILLEGAL", `not an offset of a segment: offset=${offset}`);
  }
  return String(offset).padStart(SEGMENT_NAME_LENGTH, "0");
}

/** The offset in a segment's name; undefined for every other name. */
export function parseSegmentFileName(name: string): number | undefined {
  if (!SEGMENT_NAME_PATTERN.test(name)) return undefined;
  const offset = Number(name);
  return Number.isSafeInteger(offset) ? offset : undefined;
}
