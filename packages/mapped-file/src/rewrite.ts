import { PAGE_LENGTH } from "./page.js";
import type { StorageFile } from "./storage.js";
import { isZero } from "./zero-fill.js";

const BLOCK_LENGTH = 1024 * 1024;
/** A page that holds nothing but zeros may be a hole, which a full disk cannot fill: on the disk it is zeros already. */
const NO_SPACE = new Set(["ENOSPC", "EDQUOT"]);

/**
 * Reads whole pages that hold [position, end) and writes them again as they are, so that the next force writes them to the disk even
 * if the kernel has called them clean after a write-back that failed. Returns the bytes written.
 */
export function rewrite(file: StorageFile, position: number, end: number): number {
  const block = new Uint8Array(Math.min(BLOCK_LENGTH, Math.max(0, end - pageStart(position)) + PAGE_LENGTH));
  let written = 0;
  for (let at = pageStart(position); at < end; at += BLOCK_LENGTH) {
    const length = file.read(block.subarray(0, Math.min(BLOCK_LENGTH, pageEnd(end) - at)), at);
    file.write(block.subarray(0, length), at);
    written += length;
  }
  return written;
}

/** {@link rewrite} of bytes that are zeros, and may have no blocks on the disk. */
export function rewriteZeros(file: StorageFile, position: number, end: number): number {
  const page = new Uint8Array(PAGE_LENGTH);
  let written = 0;
  for (let at = pageEnd(position); at < end; at += PAGE_LENGTH) {
    const length = file.read(page.subarray(0, Math.min(PAGE_LENGTH, end - at)), at);
    try {
      file.write(page.subarray(0, length), at);
      written += length;
    } catch (error) {
      if (!NO_SPACE.has((error as NodeJS.ErrnoException).code ?? "") || !isZero(page)) throw error;
    }
  }
  return written;
}

function pageStart(position: number): number {
  return position - (position % PAGE_LENGTH);
}

function pageEnd(position: number): number {
  return pageStart(position + PAGE_LENGTH - 1);
}
