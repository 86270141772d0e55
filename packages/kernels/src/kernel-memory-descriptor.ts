/**
 * The memory that threads share with the kernels, one WebAssembly.Memory. What does not grow lies at fixed addresses:
 *
 * ```text
 *   0         nothing: no address is 0
 *   1024      what `append` has done: bytes, messages, flags that any frame has, that all frames have, hints (u32 each); the appender's
 *   2048      CRC-32: x^(8·2^k), 32 × u32; the same for everybody
 *   4096      CRC-32: sixteen tables of 1 KiB; the same for everybody
 *   20480     CRC-32: what CRCs become over bodies of some lengths, 64 × 516 bytes; the appender's
 *   65536     the queue offsets, then the ring, then the appender's staging
 * ```
 */
export const APPENDED_BYTES_ADDRESS = 1024;
export const APPENDED_MESSAGES_ADDRESS = 1028;
export const APPENDED_FLAGS_ANY_ADDRESS = 1032;
export const APPENDED_FLAGS_ALL_ADDRESS = 1036;
export const APPENDED_HINTS_ADDRESS = 1040;
export const CRC_POWERS_ADDRESS = 2048;
export const CRC_TABLES_ADDRESS = 4096;
export const CRC_SHIFTS_ADDRESS = 20480;
export const CRC_TABLES = 16;
export const CRC_TABLE_LENGTH = 1024;
/** A length, then eight rows. */
export const CRC_SHIFTS = 64;
export const CRC_SHIFT_LENGTH = 516;
export const CRC_SHIFT_ROW_LENGTH = 64;
export const KERNEL_REGIONS_ADDRESS = 65536;

/** From so many bytes on a body's CRC is the host's: 1 KiB takes 339 ns in zlib, 449 with tables; 128 B 157 against 54. */
export const LONG_BODY = 768;
