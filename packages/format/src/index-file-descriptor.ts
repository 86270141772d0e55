/**
 * Layout of an index file (RocketMQ: `IndexFile`, `IndexHeader`): a hash table whose chains lead from the newest key to older ones.
 * Big-endian.
 *
 * ```text
 *   0        40                              40 + 4·maxHashSlotNum                       40 + 4·maxHashSlotNum + 20·maxIndexNum
 *   +--------+-------------------------------+--------+--------+------------------ … ----+
 *   | header | slots: newest item of a chain | item 0 | item 1 |    (item 0 is unused)   |
 *   +--------+-------------------------------+--------+--------+------------------ … ----+
 *
 *   header   0                 8               16                    24                  32              36           40
 *            +-----------------+---------------+---------------------+-------------------+---------------+------------+
 *            | beginTimestamp  | endTimestamp  | beginPhysicalOffset | endPhysicalOffset | hashSlotCount | indexCount |
 *            +-----------------+---------------+---------------------+-------------------+---------------+------------+
 *
 *   item     0         4                 12         16             20
 *            +---------+-----------------+----------+--------------+
 *            | keyHash | physicalOffset  | timeDiff | previousItem |    timeDiff: seconds since beginTimestamp
 *            +---------+-----------------+----------+--------------+    previousItem: 0 ends the chain
 * ```
 *
 * endPhysicalOffset is where the last indexed record begins; indexCount is the number of the next item, 0 in a file that has none.
 * Every field is at a multiple of four bytes.
 */
export const INDEX_HEADER_LENGTH = 40;
export const INDEX_BEGIN_TIMESTAMP_OFFSET = 0;
export const INDEX_END_TIMESTAMP_OFFSET = 8;
export const INDEX_BEGIN_PHYSICAL_OFFSET_OFFSET = 16;
export const INDEX_END_PHYSICAL_OFFSET_OFFSET = 24;
export const INDEX_HASH_SLOT_COUNT_OFFSET = 32;
export const INDEX_COUNT_OFFSET = 36;

export const INDEX_SLOT_LENGTH = 4;

export const INDEX_ITEM_LENGTH = 20;
export const INDEX_ITEM_KEY_HASH_OFFSET = 0;
export const INDEX_ITEM_PHYSICAL_OFFSET_OFFSET = 4;
export const INDEX_ITEM_TIME_DIFF_OFFSET = 12;
export const INDEX_ITEM_PREVIOUS_OFFSET = 16;

/** Of the first item that is used. */
export const INDEX_FIRST_ITEM = 1;

/** Stands between topic and key in what is hashed. */
export const INDEX_TOPIC_SEPARATOR = "#";

/** Slots and items of every index file of a store. */
export interface IndexFileShape {
  readonly maxHashSlotNum: number;
  /** With item 0, so one less can be used. */
  readonly maxIndexNum: number;
}

export function indexFileLength({ maxHashSlotNum, maxIndexNum }: IndexFileShape): number {
  return indexItemPosition(maxHashSlotNum, maxIndexNum);
}

export function indexSlotPosition(slot: number): number {
  return INDEX_HEADER_LENGTH + slot * INDEX_SLOT_LENGTH;
}

export function indexItemPosition(maxHashSlotNum: number, item: number): number {
  return INDEX_HEADER_LENGTH + maxHashSlotNum * INDEX_SLOT_LENGTH + item * INDEX_ITEM_LENGTH;
}
