import { parseSegmentFileName, type StorePaths } from "@millrace/format";
import { type DiskUsage, LockFile, type Storage } from "@millrace/mapped-file";
import type { ConsumersStats } from "@millrace/stats";
import { findFence } from "../marks/fence-places.js";
import { readFlushedWatermark } from "../marks/flushed-watermark.js";
import type { StoreFence } from "../marks/store-fence.js";

/** What the files of a directory say about its store. Offsets are in bytes of the log, times in milliseconds. */
export interface DirectoryStats {
  /** In the order of their offsets; `bytes` is the whole length, however much of it is written. */
  readonly segments: readonly { readonly fromOffset: number; readonly bytes: number; readonly modifiedMs: number }[];
  /** Everything below it was durable a second ago; undefined in a directory that a broker made. */
  readonly flushedOffset: number | undefined;
  readonly indexFiles: number;
  /** Why the store takes no puts until an operator has looked at the disk; undefined: it is not fenced. */
  readonly fence: StoreFence | undefined;
  /** Whether a process has the store open now, by its lock, which is not taken for it; undefined where the system cannot say. */
  readonly isOpen: boolean | undefined;
  /** There from an opening to the next clean end; `processId` is undefined where the file does not say it. */
  readonly abort: { readonly processId: number | undefined } | undefined;
  readonly disk: DiskUsage;
  /** As the groups' offsets were saved last, and the queues are now; undefined where their file cannot be understood. */
  readonly consumers: ConsumersStats | undefined;
}

/** @throws what the system says; MillraceError `ERR_WATERMARK_CORRUPT` */
export function readDirectoryFiles(storage: Storage, paths: StorePaths): Omit<DirectoryStats, "consumers"> {
  const segments = storage.list(paths.commitLog).flatMap(({ kind, name, size, modifiedMs }) => {
    const fromOffset = kind === "file" ? parseSegmentFileName(name) : undefined;
    return fromOffset === undefined ? [] : [{ fromOffset, bytes: size, modifiedMs }];
  });
  return {
    segments,
    flushedOffset: readFlushedWatermark(storage, paths.watermark)?.flushedOffset,
    indexFiles: storage.list(paths.index).filter(({ kind }) => kind === "file").length,
    fence: findFence(storage, paths),
    isOpen: LockFile.isHeld(storage, paths.lock),
    abort: readAbort(storage, paths.abort),
    disk: storage.diskUsage(paths.root),
  };
}

function readAbort(storage: Storage, path: string): DirectoryStats["abort"] {
  const content = storage.readSmall(path);
  if (content === undefined) return undefined;
  const processId = Number(new TextDecoder().decode(content));
  return { processId: Number.isSafeInteger(processId) && processId > 0 ? processId : undefined };
}
