/**
 * Layout of `millrace.watermark`: two slots, written in turn, so that a torn write costs one of them. Big-endian.
 *
 * ```text
 *   0        4                 12                20       28       32              4096
 *   +--------+-----------------+-----------------+--------+--------+------ … ------+---- slot 1 …
 *   |  magic |      epoch      |  flushedOffset  |  time  |  crc32 |     zeros     |
 *   +--------+-----------------+-----------------+--------+--------+------ … ------+
 * ```
 *
 * The epoch counts the writes; its lowest bit is the slot. The CRC is over the 28 bytes before it.
 */
export const WATERMARK_MAGIC = 0x4d4c5257;
export const WATERMARK_MAGIC_OFFSET = 0;
export const WATERMARK_EPOCH_OFFSET = 4;
export const WATERMARK_FLUSHED_OFFSET_OFFSET = 12;
/** Milliseconds. */
export const WATERMARK_TIME_OFFSET = 20;
export const WATERMARK_CRC_OFFSET = 28;
export const WATERMARK_SLOT_LENGTH = 32;
/** A slot has a disk's sector, and a page, of its own. */
export const WATERMARK_SLOT_STRIDE = 4096;
export const WATERMARK_SLOTS = 2;
export const WATERMARK_FILE_LENGTH = WATERMARK_SLOTS * WATERMARK_SLOT_STRIDE;
