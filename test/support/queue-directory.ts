import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH, segmentFileName, tagsCode } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import { CONSUME_QUEUE_FILL_SIZE } from "#format/consume-queue-descriptor.js";
import { listConsumeQueues } from "#store/recover/queues/consume-queue-directory.js";
import type { QueuePlan } from "#store/recover/queues/consume-queue-inspection.js";
import {
  type QueueRecovery,
  type QueueRecoveryOptions,
  recoverConsumeQueues,
} from "#store/recover/queues/consume-queue-recovery.js";
import type { CommitLogBuilder } from "./commit-log-builder.js";
import { recover, SIZE } from "./log-directory.js";
import { decodeMessage } from "./message-decoder.js";

/** Units in a file of these tests. */
export const UNITS = 10;
const FILE_LENGTH = UNITS * CONSUME_QUEUE_UNIT_LENGTH;

/** The units of one queue, as they should be. */
export class QueueImage {
  readonly directory: string;
  /** By file, in units. */
  readonly files = new Map<number, Buffer>();

  constructor(directory: string) {
    this.directory = directory;
  }

  /** A queue that begins behind 0 is filled up to its first unit, in its first file. */
  set(unit: number, physicalOffset: number, size: number, tags: number): void {
    const fileStart = unit - (unit % UNITS);
    const isFirst = this.files.size === 0;
    const file = this.files.get(fileStart) ?? Buffer.alloc(FILE_LENGTH);
    this.files.set(fileStart, file);
    if (isFirst) for (let i = fileStart; i < unit; i++) this.set(i, 0, CONSUME_QUEUE_FILL_SIZE, 0);
    const at = (unit - fileStart) * CONSUME_QUEUE_UNIT_LENGTH;
    file.writeBigInt64BE(BigInt(physicalOffset), at);
    file.writeInt32BE(size, at + 8);
    file.writeBigInt64BE(BigInt(tags), at + 12);
  }

  /** Zeroes units, to the end of the last file by default. */
  clear(from: number, to = Number.MAX_SAFE_INTEGER): this {
    for (const [fileStart, file] of this.files) {
      const begin = Math.max(0, from - fileStart) * CONSUME_QUEUE_UNIT_LENGTH;
      const end = Math.min(UNITS, to - fileStart) * CONSUME_QUEUE_UNIT_LENGTH;
      if (begin < end) file.fill(0, begin, end);
    }
    return this;
  }

  write(): this {
    mkdirSync(this.directory, { recursive: true });
    for (const [fileStart, file] of this.files) writeFileSync(this.path(fileStart), file);
    return this;
  }

  path(fileStart: number): string {
    return join(this.directory, segmentFileName(fileStart * CONSUME_QUEUE_UNIT_LENGTH));
  }
}

/** The ConsumeQueues that belong to a log, by `topic-queueId`. */
export function queueImages(root: string, log: CommitLogBuilder): Map<string, QueueImage> {
  const images = new Map<string, QueueImage>();
  for (const { offset, length } of log.records) {
    if (!log.segments.has(offset - (offset % log.segmentSize))) continue;
    const message = decodeMessage(log.image(offset), offset % log.segmentSize);
    if (message.transactionType !== 0 && message.transactionType !== 8) continue;
    const key = `${message.topic}-${message.queueId}`;
    const image = images.get(key) ?? new QueueImage(join(root, "consumequeue", message.topic, String(message.queueId)));
    images.set(key, image);
    image.set(message.queueOffset, offset, length, tagsCode(message.properties.get("TAGS") ?? ""));
  }
  return images;
}

/** Recovers the log, then the queues: after a crash and without a mark, unless told otherwise. */
export async function recoverQueues(
  root: string,
  options: Partial<QueueRecoveryOptions> & { lastExitOk?: boolean } = {},
): Promise<QueueRecovery> {
  const { lastExitOk = false, ...rest } = options;
  const commitLogDirectory = join(root, "commitlog");
  const consumeQueueDirectory = join(root, "consumequeue");
  const { dispatchedOffset, deletedTopics = new Map() } = rest;
  const log = await recover(commitLogDirectory, {
    lastExitOk,
    deletedTopics,
    ...(dispatchedOffset === undefined ? {} : { dispatchedOffset }),
  });
  return await recoverConsumeQueues({
    storage: { kind: "real" },
    consumeQueueDirectory,
    mappedFileSizeConsumeQueue: FILE_LENGTH,
    directories: listConsumeQueues(createStorage({ kind: "real" }), consumeQueueDirectory, FILE_LENGTH),
    log: { commitLogDirectory, mappedFileSizeCommitLog: SIZE, minOffset: log.minOffset, maxOffset: log.maxOffset },
    logQueues: log.logQueues,
    deletedTopics,
    isTrusted: false,
    dispatchedOffset: 0,
    messageDelayLevel: "1s 5s",
    ...rest,
  });
}

export function planOf(recovery: QueueRecovery, topic: string, queueId: number): QueuePlan | undefined {
  return recovery.plans.find(({ directory }) => directory.topic === topic && directory.queueId === queueId);
}

/** Every file below a directory by its path, as hex. */
export function filesBelow(directory: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(path.slice(directory.length + 1), readFileSync(path).toString("hex"));
  }
  return new Map([...files].sort());
}
