import { MillraceError, type StorePaths, storePaths } from "@millrace/format";
import { createStorage, LockFile, type Storage, type StorageSpec } from "@millrace/mapped-file";
import { type MessageStoreConfig, type MessageStoreOptions, resolveConfig } from "./message-store-config.js";
import { AbortFile } from "./recover/abort-file.js";
import { recoverCommitLog } from "./recover/commit-log-recovery.js";
import { listConsumeQueues } from "./recover/consume-queue-directory.js";
import { DeletedTopics } from "./recover/deleted-topics.js";
import { type DispatchRecovery, recoverDispatch } from "./recover/dispatch-recovery.js";
import { readDispatchedMark } from "./recover/dispatched-mark.js";
import { readFlushedWatermark } from "./recover/flushed-watermark.js";
import type { RecoveryReport } from "./recover/recovery-report.js";
import { readStoreFence, type StoreFence } from "./recover/store-fence.js";
import { refuseUnsupportedDirectories } from "./recover/unsupported-directories.js";

/** A directory that is ours: locked, recovered, marked as in use. */
export interface OpenedDirectory {
  readonly config: MessageStoreConfig;
  readonly spec: StorageSpec;
  readonly storage: Storage;
  readonly paths: StorePaths;
  readonly lock: LockFile;
  readonly abort: AbortFile;
  readonly recovery: RecoveryReport;
  readonly dispatch: DispatchRecovery;
  readonly deletedTopics: DeletedTopics;
  readonly fence: StoreFence | undefined;
}

/** Everything of `open` before the threads. Nothing is touched before the lock is held; on failure it is given back. */
export async function openDirectory(options: MessageStoreOptions, spec: StorageSpec): Promise<OpenedDirectory> {
  const config = resolveConfig(options);
  const storage = createStorage(spec);
  const paths = storePaths(config.storePathRootDir, config.storePathCommitLog);
  let lock: LockFile | undefined;
  try {
    storage.makeDirectory(paths.root);
    lock = LockFile.acquire(storage, paths.lock);
    storage.makeDirectory(paths.commitLog);
    const abort = new AbortFile(storage, paths.abort);
    refuseUnsupportedDirectories(storage, paths);
    const directories = listConsumeQueues(storage, paths.consumeQueue, config.mappedFileSizeConsumeQueue);
    const deletedTopics = DeletedTopics.read(storage, paths.deletedTopics);
    const mark = readDispatchedMark(storage, paths.dispatchedMark);
    const watermark = readFlushedWatermark(storage, paths.watermark);
    const { signal } = options;
    const log = await recoverCommitLog({
      storage: spec,
      commitLogDirectory: paths.commitLog,
      mappedFileSizeCommitLog: config.mappedFileSizeCommitLog,
      lastExitOk: !abort.exists(),
      checkCRCOnRecover: config.checkCRCOnRecover,
      flushedWatermark: watermark?.flushedOffset ?? 0,
      deletedTopics: deletedTopics.offsets,
      ...(mark === undefined ? {} : { dispatchedOffset: mark.dispatchedOffset }),
      ...(signal === undefined ? {} : { signal }),
      ...(options.onRecoveryProgress === undefined ? {} : { onProgress: options.onRecoveryProgress }),
    });
    const dispatch = await recoverDispatch({ spec, storage, paths, config, log, directories, deletedTopics, mark, signal });
    const { logQueues, ...report } = log;
    const recovery = { ...report, dispatch: dispatch.report };
    abort.create(process.pid);
    const fence = readStoreFence(storage, paths.fence);
    return { config, spec, storage, paths, lock, abort, recovery, dispatch, deletedTopics, fence };
  } catch (error) {
    lock?.release();
    throw withPath(error, paths.root);
  }
}

/** What the system says about a file, as an error of ours. */
function withPath(cause: unknown, root: string): unknown {
  if (!(cause instanceof Error && "syscall" in cause && "code" in cause)) return cause;
  const path = "path" in cause ? cause.path : root;
  return new MillraceError("ERR_PATH_UNUSABLE", `the store cannot be opened here: code=${cause.code} path=${path}`, { cause });
}
