import { MillraceError } from "@millrace/format";
import type { StorageSpec } from "@millrace/mapped-file";
import { createStorage } from "@millrace/mapped-file";
import type { TaskFailure, TaskRunner } from "../scan/recovery-task-pool.js";
import { ScanProgress } from "../scan/scan-progress.js";
import type { Settled, Settlement } from "../scan/segment-settlement.js";
import { settleSegment } from "../scan/segment-settlement.js";
import type { PlannedSegment } from "./scan-plan.js";
import type { SegmentScan } from "./segment-scan.js";
import { scanSegment } from "./segment-scan.js";

export type SegmentTask =
  | { readonly kind: "scan"; readonly storage: StorageSpec; readonly segment: PlannedSegment; readonly progress: SharedArrayBuffer }
  | { readonly kind: "settle"; readonly storage: StorageSpec; readonly segment: Settlement };

export type SegmentResult = { readonly kind: "scanned"; readonly scan: SegmentScan } | ({ readonly kind: "settled" } & Settled);

export const SEGMENT_TASKS: TaskRunner<SegmentTask, SegmentResult> = {
  url: new URL(import.meta.url),
  runHere: runSegmentTask,
  pathOf: (task) => task.segment.path,
};

/** One task of the recovery pool. Runs in a worker of piscina, or in the caller's thread when the log is small. */
export default function runSegmentTask(task: SegmentTask): SegmentResult | TaskFailure {
  try {
    const storage = createStorage(task.storage);
    if (task.kind === "settle") return { kind: "settled", ...settleSegment(storage, task.segment) };
    const file = storage.open(task.segment.path, "read");
    try {
      const progress = new ScanProgress(task.progress);
      const readAt = (target: Uint8Array, position: number): void => {
        if (progress.isAborted)
          throw new MillraceError("ERR_ABORTED", `recovery was aborted: path=${file.path}, position=${position}`);
        const count = file.read(target, position);
        if (count !== target.length) {
          throw new MillraceError("ERR_SEGMENT_SIZE", `segment ends early: path=${file.path}, length=${position + count}`);
        }
        progress.add(count);
      };
      return { kind: "scanned", scan: scanSegment(readAt, { ...task.segment, seekData: (position) => file.seekData(position) }) };
    } finally {
      file.close();
    }
  } catch (error) {
    return failure(task, error);
  }
}

function failure(task: SegmentTask, error: unknown): TaskFailure {
  if (error instanceof MillraceError) return { kind: "failed", code: error.code, message: error.message };
  const { code: reason, message } = error as NodeJS.ErrnoException;
  const code = task.kind === "scan" ? "ERR_SEGMENT_UNREADABLE" : "ERR_SEGMENT_UNWRITABLE";
  return {
    kind: "failed",
    code,
    message: `${task.kind} of a segment failed (${message}): path=${task.segment.path}, reason=${reason}`,
  };
}
