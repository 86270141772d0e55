const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
const BYTE = 0xff;

/**
 * A 32-bit word of an `Int32Array` over big-endian bytes, as a number, and the other way round. One load or store moves all four bytes, so
 * that another thread never sees half a word.
 */
export function bigEndianWord(word: number): number {
  if (!IS_LITTLE_ENDIAN) return word | 0;
  return (word << 24) | (((word >>> 8) & BYTE) << 16) | (((word >>> 16) & BYTE) << 8) | (word >>> 24);
}
