import { CONSUME_QUEUE_UNIT_LENGTH, MillraceError } from "@millrace/format";
import type { StorageSpec } from "@millrace/mapped-file";
import { createStorage } from "@millrace/mapped-file";
import type { TaskFailure, TaskRunner } from "../scan/recovery-task-pool.js";
import { ScanProgress } from "../scan/scan-progress.js";
import { ConsumeQueueInspector, type InspectedQueue, type InspectionOptions, type QueuePlan } from "./consume-queue-inspection.js";
import { repairQueue, syncTopics } from "./consume-queue-repair.js";

/** Some queues at a time: one is often too little to be worth a message between threads. */
export type QueueTask =
  | {
      readonly kind: "inspect";
      readonly storage: StorageSpec;
      readonly options: InspectionOptions;
      readonly queues: readonly InspectedQueue[];
      readonly progress: SharedArrayBuffer;
    }
  | {
      readonly kind: "repair";
      readonly storage: StorageSpec;
      readonly unitsPerFile: number;
      readonly rewrites: boolean;
      readonly queues: readonly QueuePlan[];
    };

export type QueueResult = { readonly kind: "inspected"; readonly plans: readonly QueuePlan[] } | { readonly kind: "repaired" };

export const QUEUE_TASKS: TaskRunner<QueueTask, QueueResult> = {
  url: new URL(import.meta.url),
  runHere: runQueueTask,
  pathOf: (task) => task.queues[0]?.directory.path ?? "",
};

/** One task of the pool. Runs in a worker of piscina, or in the caller's thread when there is little to do. */
export default function runQueueTask(task: QueueTask): QueueResult | TaskFailure {
  let path = QUEUE_TASKS.pathOf(task);
  const storage = createStorage(task.storage);
  try {
    if (task.kind === "repair") {
      for (const plan of task.queues) {
        path = plan.directory.path;
        repairQueue(storage, plan, task.unitsPerFile * CONSUME_QUEUE_UNIT_LENGTH, task.rewrites);
      }
      syncTopics(storage, task.queues);
      return { kind: "repaired" };
    }
    const inspector = new ConsumeQueueInspector(storage, task.options);
    const progress = new ScanProgress(task.progress);
    try {
      const plans = task.queues.map((queue) => {
        path = queue.directory.path;
        if (progress.isAborted) throw new MillraceError("ERR_ABORTED", `recovery was aborted: path=${path}`);
        return inspector.inspect(queue);
      });
      return { kind: "inspected", plans };
    } finally {
      inspector.close();
    }
  } catch (error) {
    if (error instanceof MillraceError) return { kind: "failed", code: error.code, message: error.message };
    const { code: reason, message } = error as NodeJS.ErrnoException;
    const code = task.kind === "inspect" ? "ERR_CONSUME_QUEUE_UNREADABLE" : "ERR_CONSUME_QUEUE_UNWRITABLE";
    return { kind: "failed", code, message: `${task.kind} of a ConsumeQueue failed (${message}): path=${path}, reason=${reason}` };
  }
}
