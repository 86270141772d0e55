import { closeSync, futimesSync, openSync, readSync, writeSync } from "node:fs";

/**
 * Changes one bit of a file in place. The file's time is another one then: a file system counts in ticks, and one that is flipped within
 * the tick of the mark before would be believed by an opening.
 */
export function flipBit(path: string, position: number, bit = 0): void {
  const file = openSync(path, "r+");
  try {
    const byte = new Uint8Array(1);
    readSync(file, byte, 0, 1, position);
    writeSync(file, Uint8Array.of((byte[0] as number) ^ (1 << bit)), 0, 1, position);
    const later = new Date(Date.now() + 1000);
    futimesSync(file, later, later);
  } finally {
    closeSync(file);
  }
}
