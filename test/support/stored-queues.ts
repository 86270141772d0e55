import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH, parseSegmentFileName, SYS_FLAG_COMMIT, storePaths, tagsCode } from "@millrace/format";
import type { ExecutionContext } from "ava";
import {
  CONSUME_QUEUE_PHYSICAL_OFFSET_OFFSET,
  CONSUME_QUEUE_SIZE_OFFSET,
  CONSUME_QUEUE_TAGS_CODE_OFFSET,
} from "#format/consume-queue-descriptor.js";
import { readLog } from "./stored-log.js";

export interface StoredUnit {
  readonly physicalOffset: number;
  readonly size: number;
  readonly tagsCode: number;
}

/** Names of the queues on disk as `topic-queueId`, sorted. */
export function storedQueueNames(root: string): string[] {
  const directory = storePaths(root).consumeQueue;
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .flatMap((topic) => readdirSync(join(directory, topic)).map((queueId) => `${topic}-${queueId}`))
    .sort();
}

/** The units of a queue's files by queue offset, up to the last one that is not empty; holes have size 0. */
export function readUnits(root: string, topic: string, queueId: number): Map<number, StoredUnit> {
  const directory = join(storePaths(root).consumeQueue, topic, String(queueId));
  const units = new Map<number, StoredUnit>();
  for (const name of existsSync(directory) ? readdirSync(directory).sort() : []) {
    const bytes = readFileSync(join(directory, name));
    const first = (parseSegmentFileName(name) ?? Number.NaN) / CONSUME_QUEUE_UNIT_LENGTH;
    for (let at = 0; at < bytes.length; at += CONSUME_QUEUE_UNIT_LENGTH) {
      const unit = unitAt(bytes, at);
      if (unit.size !== 0 || unit.physicalOffset !== 0 || unit.tagsCode !== 0)
        units.set(first + at / CONSUME_QUEUE_UNIT_LENGTH, unit);
    }
  }
  return units;
}

export function unitAt(bytes: Buffer, at: number): StoredUnit {
  return {
    physicalOffset: Number(bytes.readBigInt64BE(at + CONSUME_QUEUE_PHYSICAL_OFFSET_OFFSET)),
    size: bytes.readInt32BE(at + CONSUME_QUEUE_SIZE_OFFSET),
    tagsCode: Number(bytes.readBigInt64BE(at + CONSUME_QUEUE_TAGS_CODE_OFFSET)),
  };
}

/**
 * Every record of the log that can be consumed has its unit, and nothing else is in the queues. (Not for SCHEDULE_TOPIC_XXXX.) The
 * directory may be open, when everything has been dispatched.
 */
export function assertQueuesComplete(t: ExecutionContext, root: string): void {
  const expected = new Map<string, Map<number, StoredUnit>>();
  for (const message of readLog(root).messages) {
    const { topic, queueId, transactionType, physicalOffset, size, properties } = message;
    if (transactionType !== 0 && transactionType !== SYS_FLAG_COMMIT) continue;
    const name = `${topic}-${queueId}`;
    const units = expected.get(name) ?? new Map<number, StoredUnit>();
    units.set(message.queueOffset, { physicalOffset, size, tagsCode: tagsCode(properties.get("TAGS")) });
    expected.set(name, units);
  }
  t.deepEqual(storedQueueNames(root), [...expected.keys()].sort());
  for (const [name, units] of expected) {
    const dash = name.lastIndexOf("-");
    t.deepEqual(readUnits(root, name.slice(0, dash), Number(name.slice(dash + 1))), units, name);
  }
}
