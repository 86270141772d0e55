import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH } from "@millrace/format";
import type { StorageSpec } from "@millrace/mapped-file";
import { throwIfAborted } from "../scan/abort-check.js";
import type { LogQueue } from "../scan/log-queue.js";
import type { RecoveredLog } from "../scan/log-record-reader.js";
import type { QueueRow } from "../scan/recovery-row.js";
import { RecoveryTaskPool } from "../scan/recovery-task-pool.js";
import { ScanProgress } from "../scan/scan-progress.js";
import { QUEUE_TABLE } from "./consume-queue-decision.js";
import type { QueueDirectory } from "./consume-queue-directory.js";
import type { InspectedQueue, InspectionOptions, NotedChecksum, QueuePlan } from "./consume-queue-inspection.js";
import { isCut, needsRepair, verdictOf } from "./consume-queue-repair.js";
import { QUEUE_TASKS, type QueueResult, type QueueTask } from "./consume-queue-worker.js";

export interface QueueRecoveryOptions {
  /** Each thread makes its own of it. */
  readonly storage: StorageSpec;
  readonly consumeQueueDirectory: string;
  readonly mappedFileSizeConsumeQueue: number;
  /** What `listConsumeQueues` found. */
  readonly directories: readonly QueueDirectory[];
  readonly log: RecoveredLog;
  /** By `topic-queueId`. */
  readonly logQueues: ReadonlyMap<string, LogQueue>;
  /** By `topic/queueId`: what is noted of the files. */
  readonly checksums?: ReadonlyMap<string, readonly NotedChecksum[]>;
  /** Whether the units of a queue are as its checksums say, so that they need not be read; by default none are. */
  readonly isKnown?: (queue: QueueDirectory) => boolean;
  /** What is noted in the checksums was of this log, and nobody else has written to the queues since; by default it may not be. */
  readonly believesNotes?: boolean;
  /** By topic. */
  readonly deletedTopics: ReadonlyMap<string, number>;
  /** See {@link InspectionOptions}. */
  readonly isTrusted: boolean;
  readonly dispatchedOffset: number;
  /** See {@link repairQueue}; by default not: in a directory of RocketMQ's all units may not be durable. */
  readonly rewrites?: boolean;
  /** Says what the units of delayed messages hold. */
  readonly messageDelayLevel: string;
  readonly signal?: AbortSignal;
  /** Threads; 0 works in this one. By default 0 when there is little to read. */
  readonly parallelism?: number;
}

export interface QueueRecovery {
  readonly plans: readonly QueuePlan[];
  readonly cutQueues: string[];
  readonly rebuiltQueues: string[];
  readonly removedQueues: string[];
  readonly rows: Partial<Record<QueueRow, number>>;
}

/** Queues in a task. */
const BATCH_QUEUES = 256;
/** Looked at in each queue, at least. */
const QUEUE_BYTES = 64 * 1024;

/**
 * Brings the ConsumeQueues in line with the log: reads all, decides by the queue table, and only then changes anything. What is
 * missing is left to the dispatcher. On return what is there is durable, but for the last file of each queue. (RocketMQ:
 * `ConsumeQueueStore.recover`, `truncateDirty`, `recoverTopicQueueTable`.)
 *
 * @throws MillraceError `ERR_CONSUME_QUEUE_…`, `ERR_ABORTED`, `ERR_WORKER_DIED`; only `ERR_CONSUME_QUEUE_UNWRITABLE` may come after
 * a change
 */
export async function recoverConsumeQueues(options: QueueRecoveryOptions): Promise<QueueRecovery> {
  const queues = queuesToInspect(options);
  const batches = batchesOf(queues);
  const bytes = queues.reduce((sum, queue) => sum + bytesOf(queue), 0);
  const pool = new RecoveryTaskPool(QUEUE_TASKS, options.parallelism ?? RecoveryTaskPool.parallelismFor(batches.length, bytes));
  try {
    const plans = await inspectAll(options, pool, batches);
    throwIfAborted(options.signal);
    const { storage, mappedFileSizeConsumeQueue, rewrites = false } = options;
    const unitsPerFile = mappedFileSizeConsumeQueue / CONSUME_QUEUE_UNIT_LENGTH;
    const repairs = batchesOf(plans.filter(needsRepair));
    await pool.runAll(
      repairs.map((batch) => ({ kind: "repair", storage, unitsPerFile, rewrites, queues: batch })),
      ignore,
      ignore,
    );
    return { plans: plans.filter(isQueue), ...summarize(plans) };
  } finally {
    await pool.close();
  }
}

/** Those that have files, and those that the log has records of. */
function queuesToInspect({
  consumeQueueDirectory,
  directories,
  logQueues,
  deletedTopics,
  checksums,
  isKnown = () => false,
  believesNotes = false,
}: QueueRecoveryOptions): readonly InspectedQueue[] {
  const queues = new Map<string, InspectedQueue>();
  for (const directory of directories) {
    const key = `${directory.topic}-${directory.queueId}`;
    const { topic, queueId } = directory;
    const noted = checksums?.get(`${topic}/${queueId}`) ?? [];
    const notedTo = Math.max(0, ...noted.map(({ fileStart, count }) => fileStart + count));
    queues.set(key, {
      directory,
      log: logQueues.get(key),
      deletedBelow: deletedTopics.get(topic) ?? 0,
      checksums: noted,
      knownTo: isKnown(directory) ? notedTo : 0,
      notedTo: believesNotes ? notedTo : 0,
    });
  }
  for (const [key, log] of logQueues) {
    if (queues.has(key)) continue;
    const dash = key.lastIndexOf("-");
    const topic = key.slice(0, dash);
    const queueId = Number(key.slice(dash + 1));
    const path = join(consumeQueueDirectory, topic, String(queueId));
    const directory = { topic, queueId, path, files: [], unallocated: [] };
    queues.set(key, { directory, log, deletedBelow: deletedTopics.get(topic) ?? 0, checksums: [] });
  }
  return [...queues.values()];
}

function bytesOf({ log, knownTo = 0 }: InspectedQueue): number {
  return QUEUE_BYTES + Math.max(0, (log?.nextQueueOffset ?? 0) - knownTo) * CONSUME_QUEUE_UNIT_LENGTH;
}

function batchesOf<Queue>(queues: readonly Queue[]): Queue[][] {
  const batches: Queue[][] = [];
  for (let at = 0; at < queues.length; at += BATCH_QUEUES) batches.push(queues.slice(at, at + BATCH_QUEUES));
  return batches;
}

async function inspectAll(
  options: QueueRecoveryOptions,
  pool: RecoveryTaskPool<QueueTask, QueueResult>,
  batches: readonly InspectedQueue[][],
): Promise<QueuePlan[]> {
  const { storage, signal, log, isTrusted, dispatchedOffset, messageDelayLevel, mappedFileSizeConsumeQueue } = options;
  throwIfAborted(signal);
  const unitsPerFile = mappedFileSizeConsumeQueue / CONSUME_QUEUE_UNIT_LENGTH;
  const inspection: InspectionOptions = { log, unitsPerFile, isTrusted, dispatchedOffset, messageDelayLevel };
  const progress = new ScanProgress();
  using _heeded = progress.heed(signal);
  const tasks = batches.map(
    (queues) => ({ kind: "inspect", storage, options: inspection, queues, progress: progress.shared }) as const,
  );
  const results = await pool.runAll(tasks, ignore, () => progress.abort());
  return results.flatMap((result) => (result.kind === "inspected" ? result.plans : []));
}

function ignore(): void {}

/** A directory without a file, and what is left of a deleted topic, are no queues. */
function isQueue(plan: QueuePlan): boolean {
  return verdictOf(plan) !== "remove" && (plan.directory.files.length > 0 || plan.nextQueueOffset > 0);
}

function summarize(plans: readonly QueuePlan[]): Omit<QueueRecovery, "plans"> {
  const [cutQueues, rebuiltQueues, removedQueues]: [string[], string[], string[]] = [[], [], []];
  const counts = new Map<QueueRow, number>();
  for (const plan of plans) {
    const { topic, queueId } = plan.directory;
    const verdict = verdictOf(plan);
    if (isCut(plan)) cutQueues.push(`${topic}-${queueId}`);
    if (verdict === "rebuild" || verdict === "cutAndDispatch") rebuiltQueues.push(`${topic}-${queueId}`);
    if (verdict === "remove") removedQueues.push(`${topic}-${queueId}`);
    counts.set(plan.row, (counts.get(plan.row) ?? 0) + 1);
  }
  const rows = Object.fromEntries(
    QUEUE_TABLE.rowNames.flatMap((name) => (counts.has(name) ? [[name, counts.get(name) as number]] : [])),
  );
  return { cutQueues, rebuiltQueues, removedQueues, rows };
}
