import { SMALL_ZERO_BLOCK, type Storage, zeroData } from "@millrace/mapped-file";

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
  return zeroFrom(storage, path, size, isCut ? position : size, SMALL_ZERO_BLOCK);
}

/**
 * Zeroes what is not zero from a position to the end of a file ({@link zeroData}), and makes the file durable. Returns the bytes
 * zeroed.
 */
export function zeroFrom(storage: Storage, path: string, size: number, position: number, blockLength: number): number {
  const file = storage.open(path, "write");
  try {
    const zeroed = zeroData(file, position, size, blockLength);
    file.force();
    return zeroed;
  } finally {
    file.close();
  }
}
