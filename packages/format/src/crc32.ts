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

const POLYNOMIAL = 0xedb88320;

/** Product of two polynomials modulo the CRC's, bits reversed as everywhere in CRC-32. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 0x80000000; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= b;
    b = (b & 1) !== 0 ? (b >>> 1) ^ POLYNOMIAL : b >>> 1;
  }
  return product;
}

/** x^(8·length): multiplying by it appends `length` zero bytes. */
function shiftOperator(length: number): number {
  let result = 0x80000000 | 0; // x^0
  let power = 0x00800000; // x^8
  for (let n = length; n > 0; n = Math.floor(n / 2)) {
    if (n % 2 === 1) result = multiply(result, power);
    power = multiply(power, power);
  }
  return result;
}

const TABLE_ROW = 256;
const TABLE_ROWS = 4;
const CACHED_LENGTHS = 64;

/**
 * crc(A ‖ B) from crc(A), crc(B) and B's length, so that a body is read once although it counts in two CRCs.
 *
 * Each length has a table of 4 × 256 products, kept for a few lengths. {@link shiftTable} builds one only when a length comes twice
 * in a row: for bodies of ever-changing lengths reading twice is cheaper than a table each time.
 */
export class Crc32Combiner {
  readonly #lengths = new Int32Array(CACHED_LENGTHS).fill(-1);
  readonly #tables: Int32Array[] = [];
  #lastMissed = -1;

  constructor() {
    for (let i = 0; i < CACHED_LENGTHS; i++) this.#tables.push(new Int32Array(0));
  }

  /** The table for `length`, or undefined when it does not pay to build one yet. */
  shiftTable(length: number): Int32Array | undefined {
    const slot = (length ^ (length >>> 6)) & (CACHED_LENGTHS - 1);
    if (this.#lengths[slot] === length) return this.#tables[slot];
    if (this.#lastMissed !== length) {
      this.#lastMissed = length;
      return undefined;
    }
    const table = buildShiftTable(length);
    this.#lengths[slot] = length;
    this.#tables[slot] = table;
    return table;
  }

  /** CRC of the concatenation, `table` being the one of the second part's length. */
  combine(first: number, second: number, table: Int32Array): number {
    return (
      (table[first & 0xff] as number) ^
      (table[TABLE_ROW + ((first >>> 8) & 0xff)] as number) ^
      (table[2 * TABLE_ROW + ((first >>> 16) & 0xff)] as number) ^
      (table[3 * TABLE_ROW + (first >>> 24)] as number) ^
      second
    );
  }
}

function buildShiftTable(length: number): Int32Array {
  const operator = shiftOperator(length);
  const table = new Int32Array(TABLE_ROWS * TABLE_ROW);
  for (let row = 0; row < TABLE_ROWS; row++) {
    for (let bit = 0; bit < 8; bit++) table[row * TABLE_ROW + (1 << bit)] = multiply(operator, (1 << bit) << (8 * row));
    for (let value = 1; value < TABLE_ROW; value++) {
      const lowest = value & -value;
      if (lowest === value) continue;
      table[row * TABLE_ROW + value] =
        (table[row * TABLE_ROW + lowest] as number) ^ (table[row * TABLE_ROW + (value ^ lowest)] as number);
    }
  }
  return table;
}
