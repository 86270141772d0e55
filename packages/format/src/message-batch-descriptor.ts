/**
 * Layout of one message in the body of a batch put, as clients send it (RocketMQ: `MessageDecoder.encodeMessage`). Big-endian;
 * magic and body CRC are zero and nobody reads them. The messages follow each other without a gap.
 *
 * ```text
 *   0        4        8         12       16        20
 *   +--------+--------+---------+--------+---------+--------+-----------+--------------+
 *   | total  | magic  | bodyCRC |  flag  | bodyLen | body … | propLen 2 | properties … |
 *   +--------+--------+---------+--------+---------+--------+-----------+--------------+
 * ```
 */
export const BATCH_TOTAL_SIZE_OFFSET = 0;
export const BATCH_FLAG_OFFSET = 12;
export const BATCH_BODY_LENGTH_OFFSET = 16;
export const BATCH_BODY_OFFSET = 20;
/** Between body and properties. */
export const BATCH_PROPERTIES_LENGTH_BYTES = 2;
/** With empty body and properties. */
export const BATCH_BASE_LENGTH = 22;
