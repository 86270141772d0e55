import { dirname, join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH, writeFillUnit } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import { rewrite, SegmentDirectory, zeroData } from "@millrace/mapped-file";
import { QUEUE_TABLE, type QueueVerdict } from "./consume-queue-decision.js";
import type { QueuePlan } from "./consume-queue-inspection.js";
import type { UnitRange } from "./consume-queue-units.js";

export function verdictOf(plan: QueuePlan): QueueVerdict {
  return QUEUE_TABLE.rows[plan.row].verdict;
}

/** Whether what follows the good units goes. */
export function isCut(plan: QueuePlan): boolean {
  return ["cut", "cutAndDispatch", "fill"].includes(verdictOf(plan));
}

/** Whether anything on disk has to change, or to become durable. */
export function needsRepair(plan: QueuePlan): boolean {
  const verdict = verdictOf(plan);
  if (plan.staleFiles.length > 0 || plan.directory.unallocated.length > 0) return true;
  return (verdict !== "keep" && verdict !== "dispatch") || plan.forceFrom < plan.maxQueueOffset;
}

/**
 * Makes a queue's files what the plan says, and durable: what a killed life left is vouched for by the next mark, and may never be
 * written again. From the back, so that a crash leaves something that leads to the same plan, or to a whole rebuild.
 *
 * @param rewrites units that may not be durable are written again before they are forced: a force that failed may have left them clean
 */
export function repairQueue(storage: Storage, plan: QueuePlan, fileLength: number, rewrites: boolean): void {
  const { directory, forceFrom, staleFiles } = plan;
  const unitsPerFile = fileLength / CONSUME_QUEUE_UNIT_LENGTH;
  const segments = new SegmentDirectory(directory.path, unitsPerFile, CONSUME_QUEUE_UNIT_LENGTH);
  const verdict = verdictOf(plan);
  const isGone = verdict === "remove" || verdict === "rebuild";
  const end = plan.maxQueueOffset;
  for (const name of directory.unallocated) storage.remove(join(directory.path, name));
  for (const fileStart of directory.files.toReversed()) {
    const path = segments.pathOf(fileStart);
    const fileEnd = fileStart + unitsPerFile;
    // RocketMQ takes the first unit of an empty file for one. Such a file stays only where nothing but its name says where the
    // queue goes on.
    const isNeeded = fileStart < end || (fileStart === end && end > 0 && !directory.files.includes(end - unitsPerFile));
    const zeroes = isCut(plan) && fileEnd > end;
    const isUnforced = fileEnd > forceFrom && Math.max(fileStart, forceFrom) < end;
    if (isGone || staleFiles.includes(fileStart) || (isCut(plan) && !isNeeded)) storage.remove(path);
    else if (zeroes || isUnforced) {
      const from = rewrites && isUnforced ? Math.max(0, forceFrom - fileStart) : unitsPerFile;
      const to = Math.min(fileEnd, end) - fileStart;
      settle(storage, path, from * CONSUME_QUEUE_UNIT_LENGTH, to * CONSUME_QUEUE_UNIT_LENGTH, zeroes ? fileLength : 0);
    }
  }
  if (verdict === "fill") for (const range of plan.damaged) fill(storage, segments, range);
  if (storage.exists(directory.path)) storage.syncDirectory(directory.path);
}

/** The names of the queues and of their topics. */
export function syncTopics(storage: Storage, plans: readonly QueuePlan[]): void {
  const topics = new Set(plans.map(({ directory }) => dirname(directory.path)).filter((topic) => storage.exists(topic)));
  for (const path of [...topics, ...new Set(Array.from(topics, (topic) => dirname(topic)))]) storage.syncDirectory(path);
}

/** Bytes of a file: [from, to) are written again, what lies between `to` and `zeroTo` becomes zero. Durable on return. */
function settle(storage: Storage, path: string, from: number, to: number, zeroTo: number): void {
  const file = storage.open(path, "write");
  try {
    zeroData(file, to, zeroTo);
    rewrite(file, from, to, to);
    file.force();
  } finally {
    file.close();
  }
}

/** Durable on return. */
function fill(storage: Storage, segments: SegmentDirectory, { from, to }: UnitRange): void {
  for (let begin = from; begin < to; begin = segments.endOf(begin)) {
    const bytes = new Uint8Array((Math.min(to, segments.endOf(begin)) - begin) * CONSUME_QUEUE_UNIT_LENGTH);
    for (let at = 0; at < bytes.length; at += CONSUME_QUEUE_UNIT_LENGTH) writeFillUnit(bytes, at);
    const file = storage.open(segments.pathOf(begin), "write");
    try {
      file.write(bytes, (begin - segments.startOf(begin)) * CONSUME_QUEUE_UNIT_LENGTH);
      file.force();
    } finally {
      file.close();
    }
  }
}
