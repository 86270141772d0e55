/**
 * The ring of hints from the appender to the dispatcher: what the ConsumeQueues and the index need to know of a record, found while the
 * record was in the appender's cache, so that a dispatcher who follows closely need not read and decode it:
 *
 * ```text
 *   48 bytes each, hint n at (n mod hints):
 *   +0 physicalOffset (f64)  +8 queueOffset (f64)  +16 storeTimestamp (f64)  +24 size  +28 queueSlot
 *   +32 tagsCode  +36 keys: how many, or HINT_READ_RECORD  +40 hash of the first key  +44 of the second
 * ```
 *
 * The word `hintsLeft` counts what the appender has left, `hintsTaken` what the dispatcher needs no more. While the ring is full the
 * appender leaves none: hints are in the order of the log, with gaps.
 */
export const HINT_LENGTH = 48;
export const HINT_WORDS = HINT_LENGTH / Int32Array.BYTES_PER_ELEMENT;
export const HINT_DOUBLES = HINT_LENGTH / Float64Array.BYTES_PER_ELEMENT;
export const HINT_PHYSICAL_OFFSET_DOUBLE = 0;
export const HINT_QUEUE_OFFSET_DOUBLE = 1;
export const HINT_STORE_TIMESTAMP_DOUBLE = 2;
export const HINT_SIZE_WORD = 6;
export const HINT_QUEUE_SLOT_WORD = 7;
export const HINT_TAGS_CODE_WORD = 8;
export const HINT_KEYS_WORD = 9;
export const HINT_KEY_HASH_WORD = 10;
/** A unique key and one of the user's. */
export const HINT_KEYS_MAX = 2;

/** Instead of a count of keys: the record says more than a hint can. */
export const HINT_READ_RECORD = -1;

/** A power of two: as many as are appended in the milliseconds in which a dispatcher waits for its core; 768 KiB stay in a cache. */
export const HINTS = 16 * 1024;
