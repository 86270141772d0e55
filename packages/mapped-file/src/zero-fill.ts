import { PAGE_LENGTH } from "./page.js";
import type { StorageFile } from "./storage.js";

/** The largest block. */
const MAX_BLOCK_LENGTH = 1024 * 1024;
const ZEROS = Buffer.alloc(MAX_BLOCK_LENGTH);

/**
 * The size of the writes that allocate. Since Linux 6.16 it becomes the folio size, and a byte dirtied through a mapping dirties
 * its whole folio: 64 KiB is the best of those measured where single records are forced, a MiB where folios only cost page faults.
 */
export const SMALL_ZERO_BLOCK = 64 * 1024;
export const LARGE_ZERO_BLOCK = MAX_BLOCK_LENGTH;

/** Writes zeros to [position, end): no write crosses a multiple of `blockLength`, which is at most {@link LARGE_ZERO_BLOCK}. */
export function writeZeros(file: StorageFile, position: number, end: number, blockLength: number): void {
  for (let at = position; at < end; ) {
    const next = blockEnd(at, end, blockLength);
    file.write(ZEROS.subarray(0, next - at), at);
    at = next;
  }
}

/**
 * Writes zeros over those pages of [position, end) that hold anything else: no others, which may be holes, and a full disk cannot
 * fill those. Holes are not read. Returns the bytes written.
 */
export function zeroData(file: StorageFile, position: number, end: number): number {
  const block = new Uint8Array(Math.min(SMALL_ZERO_BLOCK, Math.max(0, end - position)));
  let zeroed = 0;
  for (let at = position; at < end; ) {
    const bytes = block.subarray(0, file.read(block.subarray(0, blockEnd(at, end, SMALL_ZERO_BLOCK) - at), at));
    const next = blockEnd(at, end, SMALL_ZERO_BLOCK);
    if (isZero(bytes)) {
      at = Math.max(next, file.seekData(next));
      continue;
    }
    for (let page = at; page < at + bytes.length; page = blockEnd(page, end, PAGE_LENGTH)) {
      const pageEnd = blockEnd(page, at + bytes.length, PAGE_LENGTH);
      if (isZero(bytes.subarray(page - at, pageEnd - at))) continue;
      file.write(ZEROS.subarray(0, pageEnd - page), page);
      zeroed += pageEnd - page;
    }
    at = next;
  }
  return zeroed;
}

/**
 * Writes zeros over the pages of [0, end) that hold nothing else, and may be holes: no block of a file system that maps files is
 * larger.
 */
export function fillHoles(file: StorageFile, end: number, blockLength: number): void {
  const block = new Uint8Array(blockLength);
  for (let at = 0; at < end; at += blockLength) {
    const length = file.read(block.subarray(0, Math.min(blockLength, end - at)), at);
    let hole = 0;
    for (let page = 0; page < length; page += PAGE_LENGTH) {
      const pageEnd = Math.min(page + PAGE_LENGTH, length);
      if (isZero(block.subarray(page, pageEnd))) continue;
      writeZeros(file, at + hole, at + page, blockLength);
      hole = pageEnd;
    }
    writeZeros(file, at + hole, at + length, blockLength);
  }
}

export function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += SMALL_ZERO_BLOCK) {
    const length = Math.min(SMALL_ZERO_BLOCK, bytes.length - at);
    if (ZEROS.compare(bytes, at, at + length, 0, length) !== 0) return false;
  }
  return true;
}

function blockEnd(at: number, end: number, blockLength: number): number {
  return Math.min(at - (at % blockLength) + blockLength, end);
}
