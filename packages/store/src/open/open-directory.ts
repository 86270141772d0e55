import { dirname } from "node:path";
import { MillraceError, type StorePaths, storePaths } from "@millrace/format";
import { createStorage, type Storage, type StorageSpec, syncInherited } from "@millrace/mapped-file";
import { followsMaster } from "../config/ha-options.js";
import { type MessageStoreConfig, resolveConfig } from "../config/message-store-config.js";
import type { MessageStoreOptions } from "../config/message-store-options.js";
import { AbortFile } from "../marks/abort-file.js";
import { writeConfigFile, writeOwnFile } from "../marks/config-file.js";
import { DeletedTopics } from "../marks/deleted-topics.js";
import { type DispatchedMark, readDispatchedMark } from "../marks/dispatched-mark.js";
import { bringFenceHome, findFence, leaveFence } from "../marks/fence-places.js";
import { readFlushedWatermark } from "../marks/flushed-watermark.js";
import { readLogStart, writeLogStart } from "../marks/log-start.js";
import { removeLiftedFence, type StoreFence, unforcedFrom } from "../marks/store-fence.js";
import { StoreLock } from "../marks/store-lock.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import { type DispatchRecovery, recoverDispatch } from "../recover/dispatch-recovery.js";
import { type CommitLogRecovery, recoverCommitLog } from "../recover/log/commit-log-recovery.js";
import { listConsumeQueues } from "../recover/queues/consume-queue-directory.js";
import { recoveryReasons } from "../recover/recovery-reasons.js";
import type { DispatchReport, RecoveryReport } from "../recover/recovery-report.js";
import { refuseControllerGroup, refuseUnsupportedDirectories } from "../recover/unsupported-directories.js";
import { masterOrigin } from "../replicate/master-origin.js";
import { pathUnusable } from "../tell/path-unusable.js";
import { storeClosed } from "../tell/store-closed.js";
import { StoreEvents } from "../tell/store-events.js";
import { tellCorruptRecord, tellDamagedIndex } from "./corrupt-records.js";

/** A directory that is ours: locked, and of a kind that can be opened. */
export interface LockedDirectory {
  readonly config: MessageStoreConfig;
  readonly spec: StorageSpec;
  readonly storage: Storage;
  readonly paths: StorePaths;
  readonly lock: StoreLock;
  readonly abort: AbortFile;
  /** From the opening on; handed out when the store is open. */
  readonly events: StoreEvents;
}

/** A {@link LockedDirectory} that is recovered, and marked as in use. */
export interface OpenedDirectory extends LockedDirectory {
  readonly recovery: Omit<RecoveryReport, "progress">;
  readonly dispatch: DispatchRecovery;
  /** As it was found, until the store is open: it may still say more than the log has records of. */
  readonly deletedTopics: DeletedTopics;
  readonly fence: StoreFence | undefined;
}

export const CANNOT_BE_OPENED = "the store cannot be opened here";

/** Everything of `open` but the threads. */
export async function openDirectory(options: MessageStoreOptions, on: StorageSpec): Promise<OpenedDirectory> {
  const locked = lockDirectory(options, on);
  try {
    return await recoverDirectory(locked, options);
  } catch (error) {
    locked.lock.release();
    throw pathUnusable(error, CANNOT_BE_OPENED, locked.paths.root);
  }
}

/** What refuses an opening at once. Nothing is touched before the lock is held; on failure it is given back. */
export function lockDirectory(options: MessageStoreOptions, on: StorageSpec): LockedDirectory {
  const config = resolveConfig(options);
  const spec = { ...on, fileMode: config.fileMode };
  const events = new StoreEvents(config.storePathRootDir, options.logger);
  const storage = createStorage(spec);
  const paths = storePaths(config.storePathRootDir, config.storePathCommitLog);
  let lock: StoreLock | undefined;
  try {
    storage.makeDirectory(paths.root);
    lock = StoreLock.acquire(storage, paths);
    storage.makeDirectory(paths.commitLog);
    lock.lockLog(storage, paths);
    const abort = new AbortFile(storage, paths.abort);
    refuseUnsupportedDirectories(storage, paths);
    if (followsMaster(config)) refuseControllerGroup(storage, paths);
    return { config, spec, storage, paths, lock, abort, events };
  } catch (error) {
    lock?.release();
    throw pathUnusable(error, CANNOT_BE_OPENED, paths.root);
  }
}

/** From the lock to the mark that the directory is in use. On failure the lock is still held. */
export async function recoverDirectory(locked: LockedDirectory, options: MessageStoreOptions): Promise<OpenedDirectory> {
  const { config, spec, storage, paths, abort, events } = locked;
  syncInheritedNames(storage, paths);
  const stray = bringFenceHome(storage, paths); // before the watermark that may hold it is refused
  const directories = listConsumeQueues(storage, paths.consumeQueue, config.mappedFileSizeConsumeQueue);
  const deletedTopics = DeletedTopics.read(storage, paths.deletedTopics);
  const mark = readDispatchedMark(storage, paths.dispatchedMark);
  const watermark = readFlushedWatermark(storage, paths.watermark);
  const start = readLogStart(storage, paths);
  const { signal } = options;
  const trustsMarks = config.verifyOnOpen === "tail" && mark !== undefined && isOfOwnHands(storage, paths, mark);
  const recovered = await recoverCommitLog({
    storage: spec,
    commitLogDirectory: paths.commitLog,
    mappedFileSizeCommitLog: config.mappedFileSizeCommitLog,
    lastExitOk: !abort.exists(),
    checkCRCOnRecover: config.checkCRCOnRecover,
    flushedWatermark: watermark?.flushedOffset ?? 0,
    logStart: start?.isOfOwnHands === true ? start.minOffset : undefined,
    unforcedFrom: stray?.offset ?? unforcedFrom(storage, paths.fence),
    onForceFailed: (offset, error) => leaveFence(storage, paths, offset, error.message),
    notes: { directory: paths.segmentNotes, isBelieved: trustsMarks },
    deletedTopics: deletedTopics.offsets,
    ...(mark === undefined ? {} : { dispatchedOffset: mark.dispatchedOffset }),
    ...(signal === undefined ? {} : { signal }),
    ...(options.onRecoveryProgress === undefined ? {} : { onProgress: options.onRecoveryProgress }),
  });
  const log = await withOrigin(recovered, config, signal);
  removeLiftedFence(storage, paths.fence);
  if (start?.isOfOwnHands !== true || log !== recovered) writeLogStart(storage, paths, log.minOffset);
  const deletedByOthers = start !== undefined && log.minOffset > start.minOffset ? start.minOffset : undefined;
  const dispatch = await recoverDispatch({
    spec,
    storage,
    paths,
    config,
    log,
    directories,
    deletedTopics: deletedTopics.offsets,
    mark,
    trustedMarkMs: trustsMarks ? storage.entry(paths.dispatchedMark)?.modifiedMs : undefined,
    signal,
  });
  const { logQueues, ...report } = log;
  const recovery = { ...report, deletedByOthers, dispatch: dispatch.report, reasons: recoveryReasons(report, dispatch.report) };
  tellDamage(events, deletedTopics, log, dispatch.report);
  const fence = findFence(storage, paths);
  abort.create(process.pid);
  return { ...locked, recovery, dispatch, deletedTopics, fence };
}

/**
 * Before anything is read that the opening goes by, and the store after it: small files that a killed life renamed and did not sync, topics
 * it removed, the directories it made. The names of segments, of queues' files and of notes are synced by who recovers them.
 */
function syncInheritedNames(storage: Storage, { root, commitLog, config, consumeQueue }: StorePaths): void {
  for (const directory of new Set([dirname(root), dirname(commitLog), root, config, consumeQueue]))
    syncInherited(storage, directory);
}

/** The log of a slave that has nothing begins where its master's does. */
async function withOrigin(
  log: CommitLogRecovery,
  config: MessageStoreConfig,
  signal: AbortSignal | undefined,
): Promise<CommitLogRecovery> {
  if (!followsMaster(config) || log.maxOffset > 0) return log;
  const origin = await masterOrigin(config, signal);
  return origin === undefined || origin === 0 ? log : { ...log, minOffset: origin, maxOffset: origin };
}

/** Whether the store has been opened by none but Millrace since the mark: a broker that starts writes the lock file. */
function isOfOwnHands(storage: Storage, paths: StorePaths, { lockModifiedMs }: DispatchedMark): boolean {
  return lockModifiedMs !== undefined && storage.entry(paths.lock)?.modifiedMs === lockModifiedMs;
}

/** What is not as it was written, and was gone around. */
function tellDamage(
  events: StoreEvents,
  { damage }: DeletedTopics,
  { corrupt }: Pick<RecoveryReport, "corrupt">,
  { indexDamage }: DispatchReport,
): void {
  for (const { path, reason } of damage) {
    const message = `the table of deleted topics is damaged: reason=${reason} path=${path}`;
    events.emit("corrupt", { service: "recover", code: "ERR_DELETED_TOPICS_CORRUPT", message, path });
  }
  for (const record of corrupt) tellCorruptRecord(events, "recover", record);
  if (indexDamage === undefined) return;
  const { path, reason } = indexDamage;
  tellDamagedIndex(events, "recover", path, reason);
  events.emit("rebuilt", { service: "recover", path, reason });
}

/** Writes files of the `config` directory: RocketMQ's with Millrace's copy beside it, and Millrace's own. Atomic and durable. */
export interface ConfigFileWriter {
  writeConfigFile(path: string, content: Uint8Array, logOffset: number): Promise<void>;
  writeOwnFile(path: string, content: Uint8Array): Promise<void>;
}

/**
 * How files of the `config` directory are written: by the allocate thread while there is one, because it waits for the disk, then
 * on this one, until the directory is given back: then it is somebody else's (`ERR_STORE_CLOSED`). What the system refuses is
 * `ERR_PATH_UNUSABLE`, and an event.
 *
 * @param pipeline undefined while there is none
 */
export function configFileWriter(
  { storage, events, lock }: Pick<OpenedDirectory, "storage" | "events" | "lock">,
  pipeline: () => Pipeline | undefined,
): ConfigFileWriter {
  const onEither = async (onThread: (running: Pipeline) => Promise<void>, here: () => void): Promise<void> => {
    const running = pipeline();
    try {
      if (running?.isStopping === false) return await onThread(running);
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== "ERR_SERVICE_ENDED") throw error;
    }
    if (!lock.isHeld) throw storeClosed();
    here();
  };
  const written = async (path: string, onThread: (running: Pipeline) => Promise<void>, here: () => void): Promise<void> => {
    try {
      await onEither(onThread, here);
    } catch (cause) {
      const error = pathUnusable(cause, "a file of the config directory cannot be written", path);
      if (error instanceof MillraceError && lock.isHeld)
        events.emit("error", { service: "config", code: error.code, message: error.message });
      throw error;
    }
  };
  return {
    writeConfigFile: (path, content, logOffset) =>
      written(
        path,
        (running) => running.writeConfigFile(path, content, logOffset),
        () => writeConfigFile(storage, path, content, logOffset),
      ),
    writeOwnFile: (path, content) =>
      written(
        path,
        (running) => running.writeOwnFile(path, content),
        () => writeOwnFile(storage, path, content),
      ),
  };
}
