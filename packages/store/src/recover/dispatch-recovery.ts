import type { StorePaths } from "@millrace/format";
import type { Storage, StorageSpec } from "@millrace/mapped-file";
import { monotonicMs } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { readConsumeQueueChecksums } from "../marks/consume-queue-checksums.js";
import type { DispatchedMark } from "../marks/dispatched-mark.js";
import { type IndexRecovery, recoverIndex } from "./index/index-recovery.js";
import type { CommitLogRecovery } from "./log/commit-log-recovery.js";
import type { QueueDirectory } from "./queues/consume-queue-directory.js";
import { recoverConsumeQueues } from "./queues/consume-queue-recovery.js";
import type { DispatchReport } from "./recovery-report.js";
import { LogRecordReader, type RecoveredLog } from "./scan/log-record-reader.js";

/** A queue as recovery found it, in its ConsumeQueue or in the log. Offsets are queue offsets. */
export interface RecoveredQueue {
  readonly topic: string;
  readonly queueId: number;
  /** First one whose record is on disk. */
  readonly minQueueOffset: number;
  /** End of what is good in the ConsumeQueue; dispatching goes on from there. */
  readonly maxQueueOffset: number;
  /** What the next record gets. */
  readonly nextQueueOffset: number;
}

/** What was found of the ConsumeQueues and the index, and where dispatching has to begin to bring them back. */
export interface DispatchRecovery {
  readonly queues: readonly RecoveredQueue[];
  /** A record's start, or the end of the log when nothing is missing. */
  readonly reputFromOffset: number;
  /** The index has every record below it. */
  readonly indexFromOffset: number;
  readonly report: DispatchReport;
}

export interface DispatchRecoveryOptions {
  readonly spec: StorageSpec;
  readonly storage: Storage;
  readonly paths: StorePaths;
  readonly config: MessageStoreConfig;
  /** Of the commit log, which is in its final state. */
  readonly log: CommitLogRecovery;
  /** What `listConsumeQueues` found. */
  readonly directories: readonly QueueDirectory[];
  /** Topic → offset of the log below which it was deleted. */
  readonly deletedTopics: ReadonlyMap<string, number>;
  readonly mark: DispatchedMark | undefined;
  /** When the mark was written, in milliseconds, if what was noted is to be believed; otherwise undefined. */
  readonly trustedMarkMs: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds out what the ConsumeQueues and the index lack of the log, removes what the log does not have, and says where dispatching
 * begins. The log itself is never touched, and no record is passed over: where it is not certain that a record was dispatched, it
 * is dispatched again.
 *
 * @throws MillraceError `ERR_CONSUME_QUEUE_…`, `ERR_INDEX_…`, `ERR_ABORTED`, `ERR_WORKER_DIED`
 */
export async function recoverDispatch(options: DispatchRecoveryOptions): Promise<DispatchRecovery> {
  const { config, deletedTopics, directories, log, mark, paths, signal, spec, trustedMarkMs } = options;
  const began = monotonicMs();
  const { commitLog: commitLogDirectory, consumeQueue } = paths;
  const { mappedFileSizeCommitLog, mappedFileSizeConsumeQueue } = config;
  const { minOffset, maxOffset, logQueues, lastExitOk } = log;
  const recovered: RecoveredLog = { commitLogDirectory, mappedFileSizeCommitLog, minOffset, maxOffset };
  const { plans, ...found } = await recoverConsumeQueues({
    storage: spec,
    consumeQueueDirectory: consumeQueue,
    mappedFileSizeConsumeQueue,
    directories,
    log: recovered,
    logQueues,
    deletedTopics,
    isKnown: ({ modifiedMs = Number.POSITIVE_INFINITY }) =>
      trustedMarkMs !== undefined && (!lastExitOk || modifiedMs <= trustedMarkMs),
    believesNotes: trustedMarkMs !== undefined && mark !== undefined && mark.dispatchedOffset <= maxOffset,
    checksums: readConsumeQueueChecksums(options.storage, paths.consumeQueueChecksums),
    isTrusted: lastExitOk && mark?.dispatchedOffset === maxOffset,
    dispatchedOffset: mark?.dispatchedOffset ?? 0,
    rewrites: mark !== undefined,
    messageDelayLevel: config.messageDelayLevel,
    ...(signal === undefined ? {} : { signal }),
  });
  let queuesFrom = maxOffset;
  for (const { dispatchFrom } of plans) if (dispatchFrom >= 0) queuesFrom = Math.min(queuesFrom, dispatchFrom);
  const index = config.messageIndexEnable
    ? indexOf(options, recovered)
    : { row: undefined, indexFromOffset: maxOffset, removed: [], rebuilt: false, damage: undefined };
  const { indexFromOffset } = index;
  const reputFromOffset = behindUnreadable(log, Math.max(minOffset, Math.min(queuesFrom, indexFromOffset)));
  const queues = plans.map(({ directory: { topic, queueId }, minQueueOffset, maxQueueOffset, nextQueueOffset }) => {
    return { topic, queueId, minQueueOffset, maxQueueOffset, nextQueueOffset };
  });
  const seconds = (monotonicMs() - began) / 1000;
  const report: DispatchReport = {
    queues: queues.length,
    ...found,
    reputFromOffset,
    indexFromOffset,
    indexRow: index.row,
    indexRebuilt: index.rebuilt,
    indexFilesRemoved: index.removed,
    indexDamage: index.damage,
    seconds,
  };
  return { queues, reputFromOffset, indexFromOffset, report };
}

/** Where no record can be read, nothing says that one begins there, and dispatching does not begin either. */
function behindUnreadable({ corrupt }: CommitLogRecovery, offset: number): number {
  const place = corrupt.find(({ physicalOffset, topic }) => physicalOffset === offset && topic === undefined);
  return place === undefined ? offset : offset + place.size;
}

function indexOf(
  { config, log, mark, paths, storage, trustedMarkMs }: DispatchRecoveryOptions,
  recovered: RecoveredLog,
): IndexRecovery {
  const { maxHashSlotNum, maxIndexNum } = config;
  const { minOffset, maxOffset, lastExitOk } = log;
  const records = new LogRecordReader(storage, recovered);
  try {
    return recoverIndex({
      storage,
      directory: paths.index,
      sealsPath: paths.indexSeals,
      believesSeals: trustedMarkMs !== undefined,
      maxHashSlotNum,
      maxIndexNum,
      minOffset,
      maxOffset,
      lastExitOk,
      mark,
      storeTimestampAt: (offset) => (records.read(offset) ? records.storeTimestamp : undefined),
      recordEndAt: (offset) => (records.read(offset) ? offset + records.size : undefined),
    });
  } finally {
    records.close();
  }
}
