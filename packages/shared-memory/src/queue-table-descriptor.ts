import type { Role } from "./control-block-descriptor.js";
import type { Regions } from "./put-ring-buffers.js";

/**
 * The queues of a store, known to all its threads by a slot number. Two parts:
 *
 * ```text
 *   names (main appends, published by the word `queueSlots`), one entry after another, in the order of the slots:
 *     +0 u16 topic length    +2 i32 queueId    +6 topic …
 *
 *   columns, one f64 per slot: QUEUE_COLUMNS
 * ```
 *
 * An f64 is stored and loaded in one piece on every machine that Node runs on. A reader of a column loads `reputFromOffset` first, and the
 * dispatcher stores that word last: what it then sees in the ConsumeQueue is complete.
 */
export const NAME_LENGTH_OFFSET = 0;
export const NAME_QUEUE_ID_OFFSET = 2;
export const NAME_TOPIC_OFFSET = 6;

/** Column → owner. Main gives a queue that recovery has found its first values before there are threads. */
export const QUEUE_COLUMNS = {
  /** The queue offset that the next record gets. */
  nextQueueOffsets: "append",
  /** Messages and bytes that were put since the store was opened. */
  putMessages: "append",
  putBytes: "append",
  /** End of the ConsumeQueue: what can be read by queue offset. */
  maxQueueOffsets: "dispatch",
  /** First queue offset whose record is still on disk. */
  minQueueOffsets: "dispatch",
} as const satisfies Record<string, Role>;

export type QueueColumnName = keyof typeof QUEUE_COLUMNS;

/** Queues that one store can have. */
export const MAX_QUEUES = 1 << 20;
const LONGEST_ENTRY = NAME_TOPIC_OFFSET + 255;
const NAMES_INITIAL_LENGTH = 64 * 1024;

export interface QueueTableBuffers extends Readonly<Record<QueueColumnName, Float64Array<SharedArrayBuffer>>> {
  /** Grows in place; never copied. */
  readonly names: SharedArrayBuffer;
}

/**
 * Pages of it are only taken when they are first touched.
 *
 * @param regions where the append kernel works: it takes the queue offsets
 */
export function allocateQueueTable(regions: Regions): QueueTableBuffers {
  const column = (): Float64Array<SharedArrayBuffer> => {
    const region = regions.take(MAX_QUEUES * Float64Array.BYTES_PER_ELEMENT);
    return new Float64Array(region.buffer, region.byteOffset, MAX_QUEUES);
  };
  return {
    names: new SharedArrayBuffer(NAMES_INITIAL_LENGTH, { maxByteLength: MAX_QUEUES * LONGEST_ENTRY }),
    nextQueueOffsets: column(),
    putMessages: column(),
    putBytes: column(),
    maxQueueOffsets: column(),
    minQueueOffsets: column(),
  };
}
