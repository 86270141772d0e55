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
 *
 * In the zeros of slot 0 there is room for a fence whose marker went nowhere else: written in place, where nothing has to be allocated.
 *
 * ```text
 *   2048     2052              2060              2068     2072
 *   +--------+-----------------+-----------------+--------+
 *   |  magic |  durable offset |      time       |  crc32 |
 *   +--------+-----------------+-----------------+--------+
 * ```
 */
export const WATERMARK_MAGIC = 0x4d4c5257;
export const WATERMARK_MAGIC_OFFSET = 0;
export const WATERMARK_EPOCH_OFFSET = 4;
export const WATERMARK_FLUSHED_OFFSET_OFFSET = 12;
/** Milliseconds. */
export const WATERMARK_TIME_OFFSET = 20;
export const WATERMARK_CRC_OFFSET = 28;
export const WATERMARK_SLOT_LENGTH = 32;
export const WATERMARK_FENCE_MAGIC = 0x4d4c5246;
/** In the file; those below are from here. */
export const WATERMARK_FENCE_OFFSET = 2048;
export const FENCE_SLOT_MAGIC_OFFSET = 0;
export const FENCE_SLOT_DURABLE_OFFSET = 4;
/** Milliseconds. */
export const FENCE_SLOT_TIME_OFFSET = 12;
export const FENCE_SLOT_CRC_OFFSET = 20;
export const FENCE_SLOT_LENGTH = 24;
/** A slot has a disk's sector, and a page, of its own. */
export const WATERMARK_SLOT_STRIDE = 4096;
export const WATERMARK_SLOTS = 2;
export const WATERMARK_FILE_LENGTH = WATERMARK_SLOTS * WATERMARK_SLOT_STRIDE;
