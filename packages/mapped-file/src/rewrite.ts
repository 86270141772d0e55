import { isNoSpace } from "./no-space.js";
import { PAGE_LENGTH } from "./page.js";
import type { StorageFile } from "./storage.js";
import { isZero } from "./zero-fill.js";

const BLOCK_LENGTH = 1024 * 1024;

/**
 * Reads the pages that hold [position, end) and writes them again as they are, so that the next force brings them to the disk even
 * if the kernel has called them clean after a write-back that failed. From `dataEnd` on there are zeros, and a page may be a hole: it
 * is zeros on the disk already, and a full disk cannot fill it. Returns the bytes written.
 */
export function rewrite(file: StorageFile, position: number, dataEnd: number, end: number): number {
  if (position >= end) return 0;
  const block = new Uint8Array(Math.min(BLOCK_LENGTH, pageEnd(end - position) + PAGE_LENGTH));
  let written = 0;
  for (let at = position - (position % PAGE_LENGTH); at < end; ) {
    const next = at < dataEnd ? Math.min(at + block.length, pageEnd(dataEnd)) : at + PAGE_LENGTH;
    const bytes = block.subarray(0, file.read(block.subarray(0, next - at), at));
    try {
      file.write(bytes, at);
      written += bytes.length;
    } catch (error) {
      if (at < dataEnd || !isZero(bytes) || !isNoSpace(error)) throw error;
    }
    at = next;
  }
  return written;
}

function pageEnd(position: number): number {
  return position + ((PAGE_LENGTH - (position % PAGE_LENGTH)) % PAGE_LENGTH);
}
