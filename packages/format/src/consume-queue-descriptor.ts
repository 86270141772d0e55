/**
 * One unit of a ConsumeQueue: where a message of the queue lies in the log. The unit at `queueOffset · 20` belongs to that queue offset.
 * (RocketMQ: `ConsumeQueue`, CQ_STORE_UNIT_SIZE.)
 *
 * ```text
 *   0                 8         12                20
 *   +-----------------+---------+-----------------+
 *   | physicalOffset  |  size   |    tagsCode     |    big-endian; size 0: nothing here yet
 *   +-----------------+---------+-----------------+
 * ```
 *
 * tagsCode is the Java hash of the tags, sign-extended; in SCHEDULE_TOPIC_XXXX the time of delivery in milliseconds. The first file
 * of a queue that does not start at 0 is filled up to its first message with units (0, 0x7fffffff, 0).
 */
export const CONSUME_QUEUE_UNIT_LENGTH = 20;
/** One past the last queue offset: the file of its unit has a name, and an end, that are safe integers. */
export const QUEUE_OFFSET_LIMIT = Math.floor((Number.MAX_SAFE_INTEGER - 0x7fffffff) / CONSUME_QUEUE_UNIT_LENGTH);
/** Beyond it no queue takes a put: so far from the limit that no life of a store gets there. */
export const QUEUE_OFFSET_PUT_LIMIT = QUEUE_OFFSET_LIMIT - 2 ** 40;
export const CONSUME_QUEUE_PHYSICAL_OFFSET_OFFSET = 0;
export const CONSUME_QUEUE_SIZE_OFFSET = 8;
export const CONSUME_QUEUE_TAGS_CODE_OFFSET = 12;
/**
 * The dispatcher fills a hole of at most so many units; a larger one is closed up, as RocketMQ closes every hole, and the queue offsets
 * of the records behind it are larger than those of their units by more than this.
 */
export const CONSUME_QUEUE_FILL_MAX = 1 << 20;
/** Size in a unit that only fills the space before a queue's first message. */
export const CONSUME_QUEUE_FILL_SIZE = 0x7fffffff;
