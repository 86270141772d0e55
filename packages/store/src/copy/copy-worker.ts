import type { StorePaths } from "@millrace/format";
import { createStorage, type StorageSpec } from "@millrace/mapped-file";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { TaskFailure, TaskRunner } from "../recover/scan/recovery-task-pool.js";
import { ScanProgress } from "../recover/scan/scan-progress.js";
import { copyFailed } from "./copy-failed.js";
import { type CopiedLog, SnapshotCopy } from "./snapshot-copy.js";
import { StoreCopy } from "./store-copy.js";

export interface CopyTask {
  readonly storage: StorageSpec;
  readonly config: MessageStoreConfig;
  readonly source: StorePaths;
  readonly target: StorePaths;
  readonly progress: SharedArrayBuffer;
  /** Where the log ends in the snapshot; undefined copies `config/`, which comes first. */
  readonly maxOffset: number | undefined;
}

export type CopyResult = { readonly kind: "config" } | ({ readonly kind: "log" } & CopiedLog);

export const COPY_TASKS: TaskRunner<CopyTask, CopyResult> = {
  url: new URL(import.meta.url),
  runHere: runCopyTask,
  pathOf: (task) => task.target.root,
};

/** A part of a snapshot, in a thread of its own: it waits for the disk, and main must not. */
export default function runCopyTask(task: CopyTask): CopyResult | TaskFailure {
  const { config, source, target, maxOffset } = task;
  try {
    const storage = createStorage(task.storage);
    const copy = new StoreCopy(storage, config, source, target, new ScanProgress(task.progress));
    if (maxOffset !== undefined) return { kind: "log", ...new SnapshotCopy(copy, maxOffset).run() };
    copy.copyConfig();
    return { kind: "config" };
  } catch (error) {
    const { code, message } = copyFailed(error, target.root);
    return { kind: "failed", code, message };
  }
}
