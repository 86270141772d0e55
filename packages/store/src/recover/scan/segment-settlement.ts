import type { Storage } from "@millrace/mapped-file";
import { isZero } from "./segment-window.js";

/** Size of the writes decides the folio size, and with it what each later force writes: 64 KiB is the best of those measured. */
const BLOCK_BYTES = 64 * 1024;
const ZERO_BLOCK = new Uint8Array(BLOCK_BYTES);

export interface Settlement {
  readonly path: string;
  readonly size: number;
  /** Where the log ends in this segment; `size` when it goes on behind it. */
  readonly position: number;
  /** There may be more than zeros behind the position. */
  readonly isCut: boolean;
}

/**
 * Makes a segment what recovery says it is: nothing but zeros behind the end of the log, so that a record lost once cannot come back;
 * all of it durable. Blocks for what comes next are the allocator's business. Returns the bytes zeroed.
 */
export function settleSegment(storage: Storage, { path, size, position, isCut }: Settlement): number {
  return zeroFrom(storage, path, size, isCut ? position : size);
}

/**
 * Zeroes the blocks that are not zero from a position to the end of a file, and makes the file durable. In a sparse file the blocks must be
 * pages: a larger one reaches into holes, which a full disk cannot fill. Returns the bytes zeroed.
 */
export function zeroFrom(storage: Storage, path: string, size: number, position: number, blockBytes = BLOCK_BYTES): number {
  const file = storage.open(path, "write");
  try {
    const block = new Uint8Array(blockBytes);
    let zeroed = 0;
    for (let at = position; at < size; ) {
      const end = Math.min(size, at - (at % blockBytes) + blockBytes);
      const length = end - at;
      if (!isZero(block.subarray(0, file.read(block.subarray(0, length), at)))) {
        file.write(ZERO_BLOCK.subarray(0, length), at);
        zeroed += length;
      }
      at = end;
    }
    file.force();
    return zeroed;
  } finally {
    file.close();
  }
}
