/**
 * The ring between a producer (main, or a thread of the user's) and the appender. Bytes and framing are apart, so that the appender reads
 * what it needs to know of many records from few cache lines:
 *
 * ```text
 *   bytes:   | record n | record n+1 |  record n+2   | (unused) |     a record never wraps: it restarts at 0
 *   frames:  32 bytes each, frame of sequence s at (s mod frames)
 *            +0 position  +4 length  +8 messages  +12 queueSlot  +16 bodyOffset  +20 flags  +24 putTimeUs (f64)
 *   results: 32 bytes each, result of sequence s at (s mod frames)
 *            +0 physicalOffset (f64)  +8 queueOffset (f64)  +16 storeTimestamp (f64)  +24 status  +28 –
 * ```
 *
 * The words `tail` and `head` count frames, `resultTail` results; result s answers frame s. The producer claims a frame only when
 * the result that lay in its slot before has been taken, so the result ring cannot overflow, and a frame stays readable for the
 * producer until its result has been taken.
 */
export const FRAME_LENGTH = 32;
export const FRAME_WORDS = FRAME_LENGTH / Int32Array.BYTES_PER_ELEMENT;
export const FRAME_DOUBLES = FRAME_LENGTH / Float64Array.BYTES_PER_ELEMENT;
export const FRAME_POSITION_WORD = 0;
export const FRAME_RECORD_LENGTH_WORD = 1;
export const FRAME_MESSAGES_WORD = 2;
export const FRAME_QUEUE_SLOT_WORD = 3;
export const FRAME_BODY_OFFSET_WORD = 4;
export const FRAME_FLAGS_WORD = 5;
export const FRAME_PUT_TIME_DOUBLE = 3;

/** The put is acknowledged only after a force (SYNC_FLUSH and waitStoreMsgOK). */
export const FRAME_FLAG_WAIT_FLUSH = 1;
/** Transaction types prepared and rollback: queue offset 0, not advanced. */
export const FRAME_FLAG_NO_QUEUE_OFFSET = 2;
/** The producer has left the whole CRC of each body, all 32 bits, in the place of the body CRC. */
export const FRAME_FLAG_BODY_CRC = 4;
/** The put is acknowledged only when enough slaves have it (SYNC_MASTER and waitStoreMsgOK). */
export const FRAME_FLAG_WAIT_SLAVE = 8;

export const RESULT_LENGTH = 32;
export const RESULT_WORDS = RESULT_LENGTH / Int32Array.BYTES_PER_ELEMENT;
export const RESULT_DOUBLES = RESULT_LENGTH / Float64Array.BYTES_PER_ELEMENT;
export const RESULT_PHYSICAL_OFFSET_DOUBLE = 0;
export const RESULT_QUEUE_OFFSET_DOUBLE = 1;
export const RESULT_STORE_TIMESTAMP_DOUBLE = 2;
export const RESULT_STATUS_WORD = 6;

/** A word of the ring has a line of its own, as in the control block; in i32. */
export const PUT_RING_WORD_LINE = 32;

/** What a producer keeps for itself. */
export const PUT_RING_SCRATCH_LENGTH = 512 * 1024;
