import { crc32 as zlibCrc32 } from "node:zlib";
import CRC32 from "crc-32";

/**
 * CRC-32 (IEEE) of record parts. `crc-32` is faster on short inputs, zlib's on long ones (its call costs about 170 ns);
 * measured on Node 20: 128 B 151 against 172 ns, 256 B 191 against 231 ns, 1 KiB 675 against 383 ns.
 */
const ZLIB_FROM_LENGTH = 384;

/** CRC of `bytes`, continuing from `seed`; signed 32-bit. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  return bytes.length < ZLIB_FROM_LENGTH ? CRC32.buf(bytes, seed) : zlibCrc32(bytes, seed >>> 0) | 0;
}
