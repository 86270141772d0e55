import { join } from "node:path";
import {
  CONSUME_QUEUE_UNIT_LENGTH,
  isTopicDirectoryLegal,
  MillraceError,
  parseSegmentFileName,
  QUEUE_ID_MAX,
} from "@millrace/format";
import { SegmentDirectory, type Storage, type StorageEntry } from "@millrace/mapped-file";

/** The files of one topic and queue. Plain data: it travels between threads. */
export interface QueueDirectory {
  readonly topic: string;
  readonly queueId: number;
  readonly path: string;
  /** First unit of each file, rising; there may be gaps. */
  readonly files: readonly number[];
  /** When one of its files last changed, in milliseconds. */
  readonly modifiedMs?: number;
  /** Names of files that never got their length, or lost it: a power failure may keep the one of a file and not the other. */
  readonly unallocated: readonly string[];
}

const QUEUE_ID_PATTERN = /^(0|[1-9]\d{0,9})$/;

/**
 * Finds the ConsumeQueues of a store; opens none and changes nothing. Queues without a file are none. What is no directory is
 * skipped where a topic or a queue is expected, as are directories where a file is; but a link is refused anywhere: what cuts and deletes
 * would act elsewhere.
 *
 * @param fileLength `mappedFileSizeConsumeQueue`
 * @throws MillraceError `ERR_CONSUME_QUEUE_TOPIC` (CVE-2019-17572), `ERR_CONSUME_QUEUE_NAME`, `ERR_CONSUME_QUEUE_SIZE`,
 * `ERR_FILE_TYPE`
 */
export function listConsumeQueues(storage: Storage, directory: string, fileLength: number): QueueDirectory[] {
  const queues: QueueDirectory[] = [];
  for (const topic of directoriesIn(storage, directory)) {
    const topicPath = join(directory, topic);
    if (!isTopicDirectoryLegal(topic)) {
      throw new MillraceError("ERR_CONSUME_QUEUE_TOPIC", `a directory among the topics is no legal topic: path=${topicPath}`);
    }
    for (const name of directoriesIn(storage, topicPath)) {
      const path = join(topicPath, name);
      const queueId = QUEUE_ID_PATTERN.test(name) ? Number(name) : QUEUE_ID_MAX + 1;
      if (queueId > QUEUE_ID_MAX) {
        throw new MillraceError("ERR_CONSUME_QUEUE_NAME", `a directory among the queues is no queue id: path=${path}`);
      }
      const queue = listFiles(storage, { topic, queueId, path }, fileLength);
      if (queue.files.length > 0 || queue.unallocated.length > 0) queues.push(queue);
    }
  }
  return queues;
}

function directoriesIn(storage: Storage, directory: string): string[] {
  return listOwn(storage, directory)
    .filter(({ kind }) => kind === "directory")
    .map(({ name }) => name);
}

function listOwn(storage: Storage, directory: string): StorageEntry[] {
  const entries = storage.list(directory);
  const other = entries.find(({ kind }) => kind === "other");
  if (other === undefined) return entries;
  throw new MillraceError(
    "ERR_FILE_TYPE",
    `neither file nor directory among the ConsumeQueues: path=${join(directory, other.name)}`,
  );
}

function listFiles(
  storage: Storage,
  queue: Pick<QueueDirectory, "topic" | "queueId" | "path">,
  fileLength: number,
): QueueDirectory {
  const entries = listOwn(storage, queue.path).filter(({ kind }) => kind !== "directory");
  const unallocated = entries.filter(isUnallocated).map(({ name }) => name);
  const files = entries.filter((entry) => !isUnallocated(entry)).map((entry) => firstUnitOf(entry, queue.path, fileLength));
  const modifiedMs = entries.reduce((latest, entry) => Math.max(latest, entry.modifiedMs), 0);
  return { ...queue, files, modifiedMs, unallocated };
}

function isUnallocated({ kind, name, size }: StorageEntry): boolean {
  return kind === "file" && size === 0 && parseSegmentFileName(name) !== undefined;
}

function firstUnitOf(entry: StorageEntry, directory: string, fileLength: number): number {
  const path = join(directory, entry.name);
  const offset = parseSegmentFileName(entry.name);
  if (offset === undefined || !new SegmentDirectory(directory, fileLength).isStart(offset)) {
    throw new MillraceError(
      "ERR_CONSUME_QUEUE_NAME",
      `ConsumeQueue files are named by multiples of mappedFileSizeConsumeQueue: path=${path} mappedFileSizeConsumeQueue=${fileLength}`,
    );
  }
  if (entry.size !== fileLength) {
    throw new MillraceError(
      "ERR_CONSUME_QUEUE_SIZE",
      `ConsumeQueue file of another length than mappedFileSizeConsumeQueue: path=${path} length=${entry.size} ` +
        `mappedFileSizeConsumeQueue=${fileLength}`,
    );
  }
  return offset / CONSUME_QUEUE_UNIT_LENGTH;
}
