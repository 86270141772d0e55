import { closeSync, openSync, readSync, writeSync } from "node:fs";

/** Changes one bit of a file in place. */
export function flipBit(path: string, position: number, bit = 0): void {
  const file = openSync(path, "r+");
  try {
    const byte = new Uint8Array(1);
    readSync(file, byte, 0, 1, position);
    writeSync(file, Uint8Array.of((byte[0] as number) ^ (1 << bit)), 0, 1, position);
  } finally {
    closeSync(file);
  }
}
