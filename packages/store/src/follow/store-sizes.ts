import { join } from "node:path";
import { parseSegmentFileName, type StorePaths } from "@millrace/format";
import type { Storage, StorageEntry } from "@millrace/mapped-file";

/** So many ConsumeQueue files of one length say what length they have: the queues behind them are not looked at. */
const ENOUGH_FILES = 8;

/** What a directory was made with, as its files say; what no file tells yet is not there. {@link MessageStore.open} takes them. */
export interface StoreSizes {
  readonly mappedFileSizeCommitLog?: number;
  readonly mappedFileSizeConsumeQueue?: number;
  readonly maxHashSlotNum?: number;
  readonly maxIndexNum?: number;
}

/** Without those of the index, which an {@link IndexShapeSearch} finds. @throws what the system says */
export function readStoreSizes(storage: Storage, paths: StorePaths): StoreSizes {
  const mappedFileSizeCommitLog = segmentLengthIn(storage, paths.commitLog);
  const mappedFileSizeConsumeQueue = consumeQueueFileLength(storage, paths);
  return {
    ...(mappedFileSizeCommitLog === undefined ? {} : { mappedFileSizeCommitLog }),
    ...(mappedFileSizeConsumeQueue === undefined ? {} : { mappedFileSizeConsumeQueue }),
  };
}

/** The one that most files have, of the queues that are looked at: a file of an odd length is not taken for the others. */
export function consumeQueueFileLength(storage: Storage, { consumeQueue }: StorePaths): number | undefined {
  const counts = new Map<number, number>();
  for (const topic of directoriesIn(storage, consumeQueue)) {
    for (const queue of directoriesIn(storage, topic)) {
      countLengths(storage, queue, counts);
      if (Math.max(...counts.values()) >= ENOUGH_FILES) return mostFrequent(counts);
    }
  }
  return mostFrequent(counts);
}

/** Of a directory's files that are named as segments are. */
function segmentLengthIn(storage: Storage, directory: string): number | undefined {
  const counts = new Map<number, number>();
  countLengths(storage, directory, counts);
  return mostFrequent(counts);
}

function countLengths(storage: Storage, directory: string, counts: Map<number, number>): void {
  for (const entry of storage.list(directory)) if (isSegment(entry)) counts.set(entry.size, (counts.get(entry.size) ?? 0) + 1);
}

function mostFrequent(counts: ReadonlyMap<number, number>): number | undefined {
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

function isSegment({ kind, name, size }: StorageEntry): boolean {
  return kind === "file" && size > 0 && parseSegmentFileName(name) !== undefined;
}

function directoriesIn(storage: Storage, directory: string): string[] {
  return storage.list(directory).flatMap(({ kind, name }) => (kind === "directory" ? [join(directory, name)] : []));
}
