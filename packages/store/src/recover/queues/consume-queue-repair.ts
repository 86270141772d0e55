import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH, writeFillUnit } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import { SegmentDirectory } from "@millrace/mapped-file";
import { zeroFrom } from "../scan/segment-settlement.js";
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
export function needsRepair(plan: QueuePlan, unitsPerFile: number): boolean {
  const verdict = verdictOf(plan);
  if (plan.staleFiles.length > 0 || plan.directory.unallocated.length > 0) return true;
  return (verdict !== "keep" && verdict !== "dispatch") || plan.forceFrom < nextFileOf(plan, unitsPerFile);
}

/**
 * Makes a queue's files what the plan says. From the back, so that a crash leaves something that leads to the same plan, or to a
 * whole rebuild.
 */
export function repairQueue(storage: Storage, plan: QueuePlan, fileLength: number): void {
  const { directory, staleFiles } = plan;
  const unitsPerFile = fileLength / CONSUME_QUEUE_UNIT_LENGTH;
  const segments = new SegmentDirectory(directory.path, unitsPerFile, CONSUME_QUEUE_UNIT_LENGTH);
  const verdict = verdictOf(plan);
  const isGone = verdict === "remove" || verdict === "rebuild";
  const end = plan.maxQueueOffset;
  for (const name of directory.unallocated) storage.remove(join(directory.path, name));
  for (const fileStart of directory.files.toReversed()) {
    const isStale = staleFiles.includes(fileStart);
    // RocketMQ takes the first unit of an empty file for one. Such a file stays only where nothing but its name says where the
    // queue goes on.
    const isNeeded = fileStart < end || (fileStart === end && end > 0 && !directory.files.includes(end - unitsPerFile));
    if (isGone || isStale || (isCut(plan) && !isNeeded)) storage.remove(segments.pathOf(fileStart));
    else if (isCut(plan) && fileStart + unitsPerFile > end)
      zeroFrom(storage, segments.pathOf(fileStart), fileLength, (end - fileStart) * CONSUME_QUEUE_UNIT_LENGTH);
    else if (fileStart + unitsPerFile > plan.forceFrom && fileStart < nextFileOf(plan, unitsPerFile))
      force(storage, segments.pathOf(fileStart));
  }
  if (verdict === "fill") for (const range of plan.damaged) fill(storage, segments, range);
  if (storage.exists(directory.path)) storage.syncDirectory(directory.path);
}

/**
 * First unit of the file that the next unit comes to, the only one that need not be durable: that unit makes all of it so, and until
 * then every recovery reads it. A queue that ends with a full file goes on in another one.
 */
function nextFileOf({ maxQueueOffset }: QueuePlan, unitsPerFile: number): number {
  return maxQueueOffset - (maxQueueOffset % unitsPerFile);
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

function force(storage: Storage, path: string): void {
  const file = storage.open(path, "write");
  try {
    file.force();
  } finally {
    file.close();
  }
}
