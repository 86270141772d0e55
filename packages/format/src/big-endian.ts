/**
 * Big-endian integers out of bytes, a byte at a time: for paths where a DataView per buffer or Buffer.readInt32BE costs too much.
 * Bytes that are not there (past the end, or of a mapping that is gone) count as zero; nothing throws.
 */
const TWO_TO_32 = 0x1_0000_0000;

export function int16At(bytes: Uint8Array, position: number): number {
  return (((bytes[position] as number) << 24) >> 16) | (bytes[position + 1] as number);
}

export function int32At(bytes: Uint8Array, position: number): number {
  return (
    ((bytes[position] as number) << 24) |
    ((bytes[position + 1] as number) << 16) |
    ((bytes[position + 2] as number) << 8) |
    (bytes[position + 3] as number)
  );
}

/** Exact while it is a safe integer; other bytes give some other number. */
export function int64At(bytes: Uint8Array, position: number): number {
  return int32At(bytes, position) * TWO_TO_32 + (int32At(bytes, position + 4) >>> 0);
}
