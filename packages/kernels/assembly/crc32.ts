/**
 * CRC-32 (IEEE) by slicing: sixteen tables, sixteen bytes a step. The tables lie where {@link CRC_TABLES_ADDRESS} says, the same bytes for
 * every instance.
 *
 * ```text
 *   table t (t = 0 … 15), 256 × u32: what a byte does to the CRC when t zero bytes follow it
 * ```
 */
import {
  CRC_POWERS_ADDRESS,
  CRC_SHIFT_LENGTH,
  CRC_SHIFT_ROW_LENGTH,
  CRC_SHIFTS,
  CRC_SHIFTS_ADDRESS,
  CRC_TABLE_LENGTH,
  CRC_TABLES,
  CRC_TABLES_ADDRESS,
} from "../src/kernel-memory-descriptor";

const POLYNOMIAL: u32 = 0xedb88320;
const WORD = 4;
const TWICE_BELOW: u32 = 384;

export function buildTables(): void {
  for (let n: u32 = 0; n < 256; n++) {
    let crc = n;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    store<u32>(CRC_TABLES_ADDRESS + (n << 2), crc);
  }
  for (let t: u32 = 1; t < (CRC_TABLES as u32); t++) {
    for (let n: u32 = 0; n < 256; n++) {
      const before = load<u32>(CRC_TABLES_ADDRESS + (t - 1) * CRC_TABLE_LENGTH + (n << 2));
      store<u32>(CRC_TABLES_ADDRESS + t * CRC_TABLE_LENGTH + (n << 2), entry(0, before & 0xff) ^ (before >>> 8));
    }
  }
  buildPowers();
}

function entry(t: u32, byte: u32): u32 {
  return load<u32>(CRC_TABLES_ADDRESS + t * CRC_TABLE_LENGTH + (byte << 2));
}

/** What the four bytes of `word` do, the lowest first, when `t` bytes follow the last of them. */
function four(t: u32, word: u32): u32 {
  return entry(t + 3, word & 0xff) ^ entry(t + 2, (word >>> 8) & 0xff) ^ entry(t + 1, (word >>> 16) & 0xff) ^ entry(t, word >>> 24);
}

/** CRC of `length` bytes, continuing from `seed`. */
export function crc32(at: usize, length: u32, seed: u32): u32 {
  let crc = ~seed;
  const end = at + length;
  for (; at + 16 <= end; at += 16) {
    crc = four(12, load<u32>(at) ^ crc) ^ four(8, load<u32>(at, 4)) ^ four(4, load<u32>(at, 8)) ^ four(0, load<u32>(at, 12));
  }
  if (at + 8 <= end) {
    crc = four(4, load<u32>(at) ^ crc) ^ four(0, load<u32>(at, 4));
    at += 8;
  }
  if (at + 4 <= end) {
    crc = four(0, load<u32>(at) ^ crc);
    at += 4;
  }
  for (; at < end; at++) crc = entry(0, (crc ^ load<u8>(at)) & 0xff) ^ (crc >>> 8);
  return ~crc;
}

/** Product of two polynomials modulo the CRC's, bits reversed as everywhere in CRC-32. */
function multiply(a: u32, b: u32): u32 {
  let product: u32 = 0;
  for (let bit = 31; bit >= 0; bit--) {
    product ^= b & (0 - ((a >>> bit) & 1));
    b = (b >>> 1) ^ (POLYNOMIAL & (0 - (b & 1)));
  }
  return product;
}

/** x^(8·length): multiplying by it appends `length` zero bytes. */
function shiftOperator(length: u32): u32 {
  let operator: u32 = 0x80000000; // x^0
  for (let power = CRC_POWERS_ADDRESS; length !== 0; length >>>= 1, power += WORD) {
    if ((length & 1) !== 0) operator = multiply(load<u32>(power), operator);
  }
  return operator;
}

/** x^(8·2^k) for every k. */
function buildPowers(): void {
  let power: u32 = 0x00800000; // x^8
  for (let k: u32 = 0; k < 32; k++, power = multiply(power, power)) store<u32>(CRC_POWERS_ADDRESS + (k << 2), power);
}

let missed: u32 = 0;

/**
 * crc(A ‖ B) from crc(A), and from B's CRC and place, so that a body is read once although it counts in two CRCs. A table is kept of each
 * length that comes twice in a row; one of ever-changing lengths is read again while that is cheaper.
 */
export function combine(first: u32, second: u32, at: usize, length: u32): u32 {
  if (length === 0) return first;
  const shift = CRC_SHIFTS_ADDRESS + ((length ^ (length >>> 6)) & (CRC_SHIFTS - 1)) * CRC_SHIFT_LENGTH;
  if (load<u32>(shift) !== length) {
    if (missed !== length) {
      missed = length;
      return length < TWICE_BELOW ? crc32(at, length, first) : multiply(shiftOperator(length), first) ^ second;
    }
    buildShift(shift, length);
  }
  let crc = second;
  for (let row = shift + WORD; row < shift + CRC_SHIFT_LENGTH; row += CRC_SHIFT_ROW_LENGTH, first >>>= 4)
    crc ^= load<u32>(row + ((first & 15) << 2));
  return crc;
}

/**
 * ```text
 *   +0 length   +4 eight rows, one for each four bits of a CRC, the lowest first: 16 × u32, what they become over `length` zero bytes
 * ```
 */
function buildShift(shift: u32, length: u32): void {
  store<u32>(shift, length);
  let bit = shiftOperator(length); // what the highest bit becomes
  for (let row = shift + CRC_SHIFT_LENGTH - CRC_SHIFT_ROW_LENGTH; row > shift; row -= CRC_SHIFT_ROW_LENGTH) {
    store<u32>(row, 0);
    for (let n: u32 = 8; n !== 0; n >>>= 1) {
      store<u32>(row + (n << 2), bit);
      bit = (bit >>> 1) ^ (POLYNOMIAL & (0 - (bit & 1)));
    }
    for (let n: u32 = 3; n < 16; n++) {
      const lowest = n & (0 - n);
      if (lowest !== n) store<u32>(row + (n << 2), load<u32>(row + (lowest << 2)) ^ load<u32>(row + ((n ^ lowest) << 2)));
    }
  }
}
