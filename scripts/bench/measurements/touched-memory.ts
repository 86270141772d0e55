import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { freemem } from "node:os";
import { join } from "node:path";

const BYTES_PER_SECOND = 640 * 1024 * 1024;
const LEAST_BYTES = 512 * 1024 * 1024;
/** Of the memory that is free. */
const MOST_OF_FREE = 0.25;
const BLOCK = new Uint8Array(1024 * 1024);

/**
 * A virtual machine gets its memory from the host page by page, at the first touch: 0.2 s a GiB of page cache when the host has
 * given it before, up to 2.5 s when not. So that every contestant finds the same, a file is written and deleted before each
 * measurement.
 *
 * @param seconds for which will be written after it
 */
export function touchMemory(directory: string, seconds: number): void {
  const bytes = Math.min(Math.max(LEAST_BYTES, seconds * BYTES_PER_SECOND), MOST_OF_FREE * freemem());
  const path = join(directory, "touched");
  const file = openSync(path, "w");
  for (let position = 0; position < bytes; position += BLOCK.length) writeSync(file, BLOCK, 0, BLOCK.length, position);
  closeSync(file);
  rmSync(path);
}
