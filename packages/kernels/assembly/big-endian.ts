export function get16(at: usize): u32 {
  return bswap<u16>(load<u16>(at));
}

export function get32(at: usize): u32 {
  return bswap<u32>(load<u32>(at));
}

export function set16(at: usize, value: u32): void {
  store<u16>(at, bswap<u16>(value as u16));
}

export function set32(at: usize, value: u32): void {
  store<u32>(at, bswap<u32>(value));
}

/** An i64 given as a number: a safe integer. */
export function set64(at: usize, value: f64): void {
  store<u64>(at, bswap<u64>(value as i64 as u64));
}
