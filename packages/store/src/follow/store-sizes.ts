import { join } from "node:path";
import { type IndexFileShape, isIndexFileName, parseSegmentFileName, type StorePaths } from "@millrace/format";
import { openIfThere, type Storage, type StorageEntry, type StorageFile } from "@millrace/mapped-file";
import { indexShapeOf } from "./index-shape.js";

/** What a directory was made with, as its files say; what no file tells yet is not there. {@link MessageStore.open} takes them. */
export interface StoreSizes {
  readonly mappedFileSizeCommitLog?: number;
  readonly mappedFileSizeConsumeQueue?: number;
  readonly maxHashSlotNum?: number;
  readonly maxIndexNum?: number;
}

/** @throws what the system says */
export function readStoreSizes(storage: Storage, paths: StorePaths): StoreSizes {
  const mappedFileSizeCommitLog = segmentLengthIn(storage, paths.commitLog);
  const mappedFileSizeConsumeQueue = consumeQueueFileLength(storage, paths);
  return {
    ...(mappedFileSizeCommitLog === undefined ? {} : { mappedFileSizeCommitLog }),
    ...(mappedFileSizeConsumeQueue === undefined ? {} : { mappedFileSizeConsumeQueue }),
    ...readIndexShape(storage, paths.index),
  };
}

/** Of the first queue that has a file. */
export function consumeQueueFileLength(storage: Storage, { consumeQueue }: StorePaths): number | undefined {
  for (const topic of directoriesIn(storage, consumeQueue)) {
    for (const queue of directoriesIn(storage, topic)) {
      const length = segmentLengthIn(storage, queue);
      if (length !== undefined) return length;
    }
  }
  return undefined;
}

/** Undefined while no index file has an item. */
export function readIndexShape(storage: Storage, directory: string): IndexFileShape | undefined {
  for (const entry of storage.list(directory)) {
    if (entry.kind !== "file" || entry.size === 0 || !isIndexFileName(entry.name)) continue;
    const file = openIfThere(storage, join(directory, entry.name));
    if (file === undefined) continue;
    const shape = indexShapeIn(file);
    if (shape !== undefined) return shape;
  }
  return undefined;
}

/** Closes the file. */
function indexShapeIn(file: StorageFile): IndexFileShape | undefined {
  try {
    const mapping = file.map("read");
    try {
      return indexShapeOf(mapping.bytes);
    } finally {
      mapping.unmap();
    }
  } finally {
    file.close();
  }
}

/** Length of a directory's files that are named as segments are; the one that most of them have. */
function segmentLengthIn(storage: Storage, directory: string): number | undefined {
  const counts = new Map<number, number>();
  for (const entry of storage.list(directory)) if (isSegment(entry)) counts.set(entry.size, (counts.get(entry.size) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

function isSegment({ kind, name, size }: StorageEntry): boolean {
  return kind === "file" && size > 0 && parseSegmentFileName(name) !== undefined;
}

function directoriesIn(storage: Storage, directory: string): string[] {
  return storage.list(directory).flatMap(({ kind, name }) => (kind === "directory" ? [join(directory, name)] : []));
}
