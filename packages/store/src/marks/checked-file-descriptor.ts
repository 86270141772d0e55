/**
 * Head of a file of Millrace's own that is replaced whole. Big-endian.
 *
 * ```text
 *   0        4         8        12       16
 *   +--------+---------+--------+--------+------ … ------+
 *   | magic  | version | length | crc32  |    payload    |
 *   +--------+---------+--------+--------+------ … ------+
 * ```
 *
 * The magic says which file it is, the length how long the payload is. The CRC is over the 12 bytes before it and the payload.
 */
export const CHECKED_MAGIC_OFFSET = 0;
export const CHECKED_VERSION_OFFSET = 4;
export const CHECKED_LENGTH_OFFSET = 8;
export const CHECKED_CRC_OFFSET = 12;
export const CHECKED_PAYLOAD_OFFSET = 16;

/** "MRQS": checksums of the ConsumeQueues' files. */
export const CONSUME_QUEUE_CHECKSUMS_MAGIC = 0x4d525153;
/** "MRCC": the copy of a file of RocketMQ's `config` directory. */
export const CONFIG_COPY_MAGIC = 0x4d524343;
/** "MRDM": how far ConsumeQueues and index are durable. */
export const DISPATCHED_MARK_MAGIC = 0x4d52444d;
/** "MRDT": topics that were deleted. */
export const DELETED_TOPICS_MAGIC = 0x4d524454;
/** "MRFE": a force failed. */
export const FENCE_MAGIC = 0x4d524645;
/** "MRLS": where the log begins. */
export const LOG_START_MAGIC = 0x4d524c53;
/** "MRIX": what finished index files held. */
export const INDEX_SEALS_MAGIC = 0x4d524958;

/** "MRSC": CRCs of finished segments. */
export const SEGMENT_CRCS_MAGIC = 0x4d525343;
/** "MRSN": what the records of a segment were. */
export const SEGMENT_NOTE_MAGIC = 0x4d52534e;
/** "MRDA": when delayed messages were first seen. */
export const DELAY_ARRIVALS_MAGIC = 0x4d524441;
