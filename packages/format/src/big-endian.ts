/**
 * Big-endian integers, read and written; an i64 is a number, exact while it is a safe integer: other bytes give some other number,
 * never an error.
 *
 * Three ways to the same bytes: `get` and `set` through a DataView, the fastest where one is at hand, throwing outside of it; `…At`
 * a byte at a time, for paths where a DataView per buffer costs too much; `…Word` through an Int32Array, where another thread must
 * never see half a word.
 */
const TWO_TO_32 = 0x1_0000_0000;
const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
const BYTE = 0xff;

/** The upper half of an i64. */
export function highWord(value: number): number {
  return Math.floor(value / TWO_TO_32);
}

export function getInt64(view: DataView, position: number): number {
  return view.getInt32(position) * TWO_TO_32 + view.getUint32(position + 4);
}

/** @param value a safe integer */
export function setInt64(view: DataView, position: number, value: number): void {
  view.setInt32(position, Math.floor(value / TWO_TO_32));
  view.setInt32(position + 4, value | 0);
}

/** Bytes that are not there (past the end, or of a mapping that is gone) count as zero; nothing throws. */
export function int16At(bytes: Uint8Array, position: number): number {
  return (((bytes[position] as number) << 24) >> 16) | (bytes[position + 1] as number);
}

/** Missing bytes as in {@link int16At}. */
export function int32At(bytes: Uint8Array, position: number): number {
  return (
    ((bytes[position] as number) << 24) |
    ((bytes[position + 1] as number) << 16) |
    ((bytes[position + 2] as number) << 8) |
    (bytes[position + 3] as number)
  );
}

/** Missing bytes as in {@link int16At}. */
export function int64At(bytes: Uint8Array, position: number): number {
  return int32At(bytes, position) * TWO_TO_32 + (int32At(bytes, position + 4) >>> 0);
}

export function setInt32At(bytes: Uint8Array, position: number, value: number): void {
  bytes[position] = value >>> 24;
  bytes[position + 1] = value >>> 16;
  bytes[position + 2] = value >>> 8;
  bytes[position + 3] = value;
}

/** @param value a safe integer */
export function setInt64At(bytes: Uint8Array, position: number, value: number): void {
  setInt32At(bytes, position, Math.floor(value / TWO_TO_32));
  setInt32At(bytes, position + 4, value | 0);
}

/** A word of an `Int32Array` over big-endian bytes, as a number, and the other way round. One load or store moves all four bytes. */
export function bigEndianWord(word: number): number {
  if (!IS_LITTLE_ENDIAN) return word | 0;
  return (word << 24) | (((word >>> 8) & BYTE) << 16) | (((word >>> 16) & BYTE) << 8) | (word >>> 24);
}

/** The i64 of two words from `index` on; each word is whole, both together need not be. */
export function int64OfWords(words: Int32Array, index: number): number {
  return bigEndianWord(words[index] as number) * TWO_TO_32 + (bigEndianWord(words[index + 1] as number) >>> 0);
}

/** @param value a safe integer */
export function setInt64OfWords(words: Int32Array, index: number, value: number): void {
  words[index] = bigEndianWord(Math.floor(value / TWO_TO_32));
  words[index + 1] = bigEndianWord(value | 0);
}
