import { MillraceError } from "@millrace/format";
import { rewrite, type Storage, type StorageFile, separateFile, zeroData } from "@millrace/mapped-file";

export interface Settlement {
  readonly path: string;
  readonly size: number;
  /** Where the log ends in this segment; `size` when it goes on in the next one. */
  readonly position: number;
  /** There may be more than zeros from the position on. */
  readonly isCut: boolean;
  /** From here on the page cache is not believed; `size` when all of the segment was durable. */
  readonly rewriteFrom: number;
  /** Nor are the zeros after the log: a force of them may have failed. */
  readonly rewriteZeros: boolean;
  /** Where a copy of the segment may be prepared. */
  readonly temporary: string;
}

/** In bytes. */
export interface Settled {
  readonly bytesZeroed: number;
  readonly bytesRewritten: number;
}

/**
 * Makes a segment what recovery says it is: nothing but zeros after the end of the log, so that a record lost once cannot come back;
 * all of it durable. What was not known to be durable is written again first: the kernel calls pages clean whose write-back has
 * failed, and then a force does nothing and succeeds. Blocks for what comes next are the allocator's business.
 *
 * The segment that the log ends in is written to from here on, so it becomes a file of its own, where a snapshot shares it; its name
 * is not durable yet. A full one that a snapshot shares gets no other bytes than it has.
 *
 * @throws MillraceError `ERR_FORCE_FAILED`; I/O errors of other calls as they are
 */
export function settleSegment(storage: Storage, settlement: Settlement): Settled {
  const { path, size, position, isCut, rewriteFrom } = settlement;
  if (position < size) separateFile(storage, path, settlement.temporary);
  const file = storage.open(path, "write");
  try {
    const bytesZeroed = zeroData(file, isCut ? position : size, size);
    const bytesRewritten = rewrite(file, rewriteFrom, position, settlement.rewriteZeros ? size : position);
    forceOrFail(path, file);
    return { bytesZeroed, bytesRewritten };
  } finally {
    file.close();
  }
}

/** A force of the log that fails is final, in recovery too. */
function forceOrFail(path: string, file: StorageFile): void {
  try {
    file.force();
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code;
    throw new MillraceError("ERR_FORCE_FAILED", `recovery cannot force the log: path=${path}, reason=${reason}`, { cause });
  }
}
