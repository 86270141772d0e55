import { MillraceError, ownSegmentPath } from "@millrace/format";
import type { Storage, StorageSpec } from "@millrace/mapped-file";
import { createStorage, MappedFileQueue } from "@millrace/mapped-file";
import { monotonicMs } from "@millrace/shared-memory";
import { ProgressCalls } from "../../config/progress-calls.js";
import type { RecoveryProgress } from "../../config/recovery-progress.js";
import { isFailedSync } from "../../marks/fencing-force.js";
import { throwIfAborted } from "../scan/abort-check.js";
import type { Decision } from "../scan/decision-table.js";
import { joinLogQueues, type LogQueue } from "../scan/log-queue.js";
import type { LogRow } from "../scan/recovery-row.js";
import { RecoveryTaskPool } from "../scan/recovery-task-pool.js";
import { ScanProgress } from "../scan/scan-progress.js";
import { type CorruptRecord, countCorruptRecord } from "./corrupt-record.js";
import type { LogQueueTableOptions } from "./log-queue-table.js";
import type { LogReport } from "./log-report.js";
import { NotedSegments, type SegmentNotesOptions } from "./noted-segments.js";
import { LOG_TABLE, type LogVerdict } from "./recovery-decision.js";
import { type PlannedSegment, planScan, RECENT_SEGMENTS } from "./scan-plan.js";
import type { SegmentScan } from "./segment-scan.js";
import { SEGMENT_TASKS, type SegmentResult, type SegmentTask } from "./segment-scan-worker.js";

export interface RecoverOptions extends LogQueueTableOptions {
  /** Each thread makes its own of it. */
  readonly storage: StorageSpec;
  readonly commitLogDirectory: string;
  readonly mappedFileSizeCommitLog: number;
  /** There was no `abort` file. */
  readonly lastExitOk: boolean;
  readonly checkCRCOnRecover: boolean;
  /** Bytes before it were durable once; 0 when no watermark was kept, as in a directory of RocketMQ's. */
  readonly flushedWatermark: number;
  /** Where the log was left to begin; undefined when that is not known, or others may have deleted segments. */
  readonly logStart?: number | undefined;
  /**
   * From where on a force has failed, so that the page cache may hold what the disk never took; undefined when none has. Whatever is
   * at or after the watermark is not believed either.
   */
  readonly unforcedFrom?: number | undefined;
  /** A force failed, and everything before the offset was durable: for the fence. */
  readonly onForceFailed?: (offset: number, error: MillraceError) => void;
  /** What earlier lives have noted of the segments; by default nothing. */
  readonly notes?: SegmentNotesOptions;
  /** Aborts until the first change on disk; nothing is changed then. */
  readonly signal?: AbortSignal;
  /** What it throws aborts too, and comes as a {@link CallerFailure}. */
  readonly onProgress?: (progress: RecoveryProgress) => void;
  /** Threads; 0 scans in this one. By default 0 for a small log, otherwise one per processor, at most 4. */
  readonly parallelism?: number;
}

/** The report, and what recovery of the ConsumeQueues needs to know. */
export interface CommitLogRecovery extends LogReport {
  /** By `topic-queueId`. */
  readonly logQueues: Map<string, LogQueue>;
}

/**
 * Finds the end of the log, and what the store must know about what is before it. Reads every segment, but for what is noted, decides
 * by the log's table, and only then changes anything. On return all bytes before `maxOffset` are durable, written again where they were
 * not known to be, and its segment holds zeros behind it.
 * (RocketMQ: `CommitLog.recoverNormally`, `recoverAbnormally`, `truncateDirtyFiles`.)
 *
 * @throws MillraceError `ERR_COMMIT_LOG_CORRUPT`, `ERR_ABORTED`, `ERR_SEGMENT_…`, `ERR_PATH_…`, `ERR_WORKER_DIED`; only
 * `ERR_SEGMENT_UNWRITABLE`, `ERR_FORCE_FAILED` and the system's own error of a directory that could not be opened may come after a
 * change
 */
export async function recoverCommitLog(options: RecoverOptions): Promise<CommitLogRecovery> {
  const storage = createStorage(options.storage);
  const queue = MappedFileQueue.load(storage, options.commitLogDirectory, options.mappedFileSizeCommitLog);
  refuseMissingStart(queue, options.logStart);
  const { flushedWatermark, unforcedFrom = flushedWatermark } = options;
  const durableTo = Math.min(flushedWatermark, unforcedFrom);
  const noted = new NotedSegments(storage, options.notes, queue.files, { ...options, durableTo });
  const bytesTotal = bytesToScan(queue, noted);
  const toScan = queue.files.filter((file) => noted.positionIn(file) < file.size).length;
  const parallelism = options.parallelism ?? RecoveryTaskPool.parallelismFor(toScan, bytesTotal);
  const pool = new RecoveryTaskPool(SEGMENT_TASKS, parallelism);
  try {
    const start = monotonicMs();
    const progress = new ScanProgress();
    const scans = await scanAll(options, queue, noted, pool, progress);
    const end = findEnd(options, queue, scans);
    throwIfAborted(options.signal);
    const believedTo = believedOffset(options, queue, end);
    const settled = await settle(options, storage, queue, pool, scans, end, believedTo).catch((error: unknown) => {
      if (error instanceof MillraceError && error.code === "ERR_FORCE_FAILED") options.onForceFailed?.(believedTo, error);
      throw error;
    });
    const segmentsScanned = scans.filter(({ from }, index) => from < (queue.files[index]?.size ?? from)).length;
    noted.renew(queue.files, scans);
    return {
      minOffset: queue.minOffset,
      maxOffset: end.offset,
      ...summarize(scans.slice(0, end.index + 1)),
      segmentsScanned,
      bytesScanned: progress.bytesScanned,
      seconds: (monotonicMs() - start) / 1000,
      ...settled,
      lastExitOk: options.lastExitOk,
      rows: end.rows,
    };
  } finally {
    await pool.close();
  }
}

/** Retention says where the log begins before it deletes what lies below; whatever else is missing at its front is damage. */
function refuseMissingStart({ directory, files, minOffset }: MappedFileQueue, logStart: number | undefined): void {
  if (files.length === 0 || logStart === undefined || minOffset <= logStart) return;
  const place = `path=${directory}, offset=${minOffset}, expected=${logStart}`;
  throw new MillraceError("ERR_SEGMENT_GAP", `the first segments are missing, and no retention has deleted them: ${place}`);
}

async function scanAll(
  options: RecoverOptions,
  queue: MappedFileQueue,
  noted: NotedSegments,
  pool: RecoveryTaskPool<SegmentTask, SegmentResult>,
  progress: ScanProgress,
): Promise<SegmentScan[]> {
  const { signal, onProgress, storage } = options;
  throwIfAborted(signal);
  const unknown = queue.files.filter((file) => noted.positionIn(file) < file.size);
  const bytesTotal = bytesToScan(queue, noted);
  const segmentsTotal = unknown.length;
  let segmentsScanned = 0;
  const report = (): void => {
    const bytesScanned = Math.min(progress.bytesScanned, bytesTotal); // what is read goes beyond what is written
    onProgress?.({ bytesScanned, bytesTotal, segmentsScanned, segmentsTotal });
  };
  using _heeded = progress.heed(signal);
  const calls = new ProgressCalls(report, () => progress.abort());
  return await calls.during(async () => {
    const plan = planScan(queue.files, options);
    const tasks = unknown.map((file) => {
      const planned = plan[queue.files.indexOf(file)] as PlannedSegment;
      const known = { knownTo: noted.positionIn(file), lastKnown: noted.lastRecordIn(file), writtenTo: noted.writtenTo(file) };
      const segment = { ...planned, ...known };
      return { kind: "scan", storage, segment, progress: progress.shared } as const;
    });
    const onDone = (): void => {
      segmentsScanned++;
      calls.callNow();
    };
    const outcomes = await pool.runAll(tasks, onDone, () => progress.abort());
    const scanned = outcomes.flatMap((outcome) => (outcome.kind === "scanned" ? [outcome.scan] : []));
    return queue.files.map((file) => {
      const scan = scanned[unknown.indexOf(file)];
      return scan === undefined ? noted.scanOf(file) : noted.joined(file.fromOffset, scan);
    });
  });
}

function bytesToScan({ files }: MappedFileQueue, noted: NotedSegments): number {
  return files.reduce((sum, file) => sum + noted.unreadIn(file), 0);
}

interface LogEnd {
  readonly offset: number;
  /** Of the segment that the log ends in; -1 without segments. */
  readonly index: number;
  readonly decision: Decision<LogVerdict, LogRow>;
  readonly detail: string;
  readonly rows: LogRow[];
}

/** A log without segments is complete as it is, unless there once was more. */
const NO_SEGMENT: SegmentScan = {
  ending: "complete",
  from: 0,
  position: 0,
  lastPosition: -1,
  detail: "NO_SEGMENT",
  messages: 0,
  lastStoreTimestamp: 0,
  queues: new Map(),
  corrupt: [],
};

/** Walks the segments in order, as long as the table says that the log goes on. */
function findEnd(options: RecoverOptions, queue: MappedFileQueue, scans: readonly SegmentScan[]): LogEnd {
  const { flushedWatermark, lastExitOk } = options;
  const lastWithData = scans.findLastIndex((scan) => scan.position > 0 || scan.ending !== "empty");
  const rows = new Set<LogRow>();
  for (let index = scans.length === 0 ? -1 : 0; ; index++) {
    const scan = scans[index] ?? NO_SEGMENT;
    const offset = (queue.files[index]?.fromOffset ?? 0) + scan.position;
    const decision = LOG_TABLE.decide({
      ending: scan.ending,
      isLast: index === scans.length - 1,
      isBelowWatermark: offset < flushedWatermark,
      hasDataBehind: index < lastWithData,
      lastExitOk,
      isOld: flushedWatermark === 0 && index <= lastWithData - RECENT_SEGMENTS,
    });
    rows.add(decision.row);
    if (decision.verdict === "refuse") {
      const path = queue.files[index]?.path ?? queue.directory;
      // The watermark was copied after the log; a clean end, or damage, would have left something else.
      const isLikelyCopy = !lastExitOk && offset < flushedWatermark && index >= lastWithData && scan.ending !== "damaged";
      const hint = isLikelyCopy ? ", as in a copy taken while the store was open (store.snapshot makes a good one)" : "";
      throw new MillraceError(
        "ERR_COMMIT_LOG_CORRUPT",
        `${decision.reason}${hint}; nothing was changed, and millrace salvage writes what is good elsewhere: path=${path}, ` +
          `offset=${offset}, found=${scan.detail}, ` +
          `flushedWatermark=${flushedWatermark}, lastExitOk=${lastExitOk}, row=${decision.row}`,
      );
    }
    if (decision.verdict !== "roll") return { offset, index, decision, detail: scan.detail, rows: [...rows] };
  }
}

/** Removes what follows the end, from the back so that a crash leaves no gap; then makes the rest what the report says, durably. */
async function settle(
  options: RecoverOptions,
  storage: Storage,
  queue: MappedFileQueue,
  pool: RecoveryTaskPool<SegmentTask, SegmentResult>,
  scans: readonly SegmentScan[],
  end: LogEnd,
  believedTo: number,
): Promise<Pick<LogReport, "cut" | "emptySegmentsRemoved" | "bytesRewritten">> {
  const [segmentsRemoved, emptySegmentsRemoved]: [string[], string[]] = [[], []];
  const isCut = end.decision.verdict === "cut";
  for (let index = scans.length - 1; index > end.index; index--) {
    const path = queue.files[index]?.path ?? "";
    const isEmpty = scans[index]?.ending === "empty" && scans[index]?.position === 0;
    orUnwritable(path, () => queue.removeLast());
    syncOrFail(storage, queue.directory);
    (isEmpty ? emptySegmentsRemoved : segmentsRemoved).unshift(path);
  }
  const temporary = removeLeftCopy(storage, queue);
  const rewriteZeros = options.unforcedFrom !== undefined;
  const tasks = queue.files
    .filter((file) => file.endOffset > Math.min(believedTo, options.flushedWatermark) || file === queue.last)
    .map(({ path, size, fromOffset }) => {
      const position = Math.min(size, end.offset - fromOffset);
      const rewriteFrom = Math.min(size, Math.max(0, believedTo - fromOffset));
      const segment = { path, size, position, isCut, rewriteFrom, rewriteZeros, temporary };
      return { kind: "settle", storage: options.storage, segment } as const;
    });
  const outcomes = await pool.runAll(tasks, ignore, ignore);
  if (queue.files.length > 0) syncOrFail(storage, queue.directory);
  let [bytesZeroed, bytesRewritten] = [0, 0];
  for (const outcome of outcomes) {
    if (outcome.kind !== "settled") continue;
    bytesZeroed += outcome.bytesZeroed;
    bytesRewritten += outcome.bytesRewritten;
  }
  const reason = `${end.decision.reason} (${end.detail})`;
  const cut = isCut ? { offset: end.offset, reason, bytesZeroed, segmentsRemoved } : undefined;
  return { cut, emptySegmentsRemoved, bytesRewritten };
}

/** A killed process may have left what was to become a segment of its own. Returns where. */
function removeLeftCopy(storage: Storage, { directory, files }: MappedFileQueue): string {
  if (files.length === 0) return "";
  const path = ownSegmentPath(storage.realPath(directory));
  if (storage.entry(path)?.kind === "file") orUnwritable(path, () => storage.remove(path));
  return path;
}

/**
 * Up to where the disk is known to hold what was read: the watermark, or less where a force has failed. Without a watermark the
 * directory is RocketMQ's, or the log is young: after a clean end all was forced, and before the last few segments the system has long
 * written everything.
 */
function believedOffset(
  { flushedWatermark, lastExitOk, unforcedFrom }: RecoverOptions,
  queue: MappedFileQueue,
  end: LogEnd,
): number {
  const firstRecent = queue.files[Math.max(0, end.index + 1 - RECENT_SEGMENTS)]?.fromOffset ?? 0;
  const known = flushedWatermark > 0 ? flushedWatermark : lastExitOk ? end.offset : firstRecent;
  return Math.min(known, unforcedFrom ?? known);
}

function ignore(): void {}

function orUnwritable(path: string, change: () => void): void {
  try {
    change();
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code;
    throw new MillraceError("ERR_SEGMENT_UNWRITABLE", `recovery cannot change the log: path=${path}, reason=${reason}`, { cause });
  }
}

/** The kernel tells of a failed force of names once, too. */
function syncOrFail(storage: Storage, directory: string): void {
  try {
    storage.syncDirectory(directory);
  } catch (cause) {
    if (!isFailedSync(cause)) throw cause;
    const reason = (cause as NodeJS.ErrnoException).code;
    const message = `recovery cannot force the names of segments: path=${directory}, reason=${reason}`;
    throw new MillraceError("ERR_FORCE_FAILED", message, { cause });
  }
}

function summarize(
  scans: readonly SegmentScan[],
): Pick<CommitLogRecovery, "messages" | "lastStoreTimestamp" | "queueOffsets" | "logQueues" | "corrupt"> {
  const logQueues = new Map<string, LogQueue>();
  const corrupt: CorruptRecord[] = [];
  let [messages, lastStoreTimestamp] = [0, 0];
  for (const scan of scans) {
    messages += scan.messages;
    if (scan.messages > 0) lastStoreTimestamp = scan.lastStoreTimestamp;
    for (const [key, queue] of scan.queues) {
      const earlier = logQueues.get(key);
      if (earlier === undefined) logQueues.set(key, queue);
      else joinLogQueues(earlier, queue);
    }
    for (const record of scan.corrupt) countCorruptRecord(logQueues, record);
    corrupt.push(...scan.corrupt);
  }
  const queueOffsets = new Map<string, number>();
  for (const [key, { nextQueueOffset }] of logQueues) queueOffsets.set(key, nextQueueOffset);
  return { messages, lastStoreTimestamp, queueOffsets, logQueues, corrupt };
}
