import { getInt64, setInt64 } from "./big-endian.js";
import {
  INDEX_BEGIN_PHYSICAL_OFFSET_OFFSET,
  INDEX_BEGIN_TIMESTAMP_OFFSET,
  INDEX_COUNT_OFFSET,
  INDEX_END_PHYSICAL_OFFSET_OFFSET,
  INDEX_END_TIMESTAMP_OFFSET,
  INDEX_FIRST_ITEM,
  INDEX_HASH_SLOT_COUNT_OFFSET,
  INDEX_HEADER_LENGTH,
  type IndexFileShape,
} from "./index-file-descriptor.js";

/** Header of an index file; timestamps in milliseconds, offsets absolute in bytes. (RocketMQ: `IndexHeader`.) */
export interface IndexHeader {
  /** Store timestamp of the first item's record. */
  readonly beginTimestamp: number;
  readonly endTimestamp: number;
  readonly beginPhysicalOffset: number;
  /** Where the last item's record begins. */
  readonly endPhysicalOffset: number;
  /** Slots in use. */
  readonly hashSlotCount: number;
  /** Number of the next item, at least 1. */
  readonly indexCount: number;
}

export const EMPTY_INDEX_HEADER: IndexHeader = Object.freeze({
  beginTimestamp: 0,
  endTimestamp: 0,
  beginPhysicalOffset: 0,
  endPhysicalOffset: 0,
  hashSlotCount: 0,
  indexCount: INDEX_FIRST_ITEM,
});

/** Whatever the bytes say; {@link isIndexHeaderSane} tells whether it can be. A count that is not positive is 1, as in RocketMQ. */
export function decodeIndexHeader(bytes: Uint8Array): IndexHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, INDEX_HEADER_LENGTH);
  return {
    beginTimestamp: getInt64(view, INDEX_BEGIN_TIMESTAMP_OFFSET),
    endTimestamp: getInt64(view, INDEX_END_TIMESTAMP_OFFSET),
    beginPhysicalOffset: getInt64(view, INDEX_BEGIN_PHYSICAL_OFFSET_OFFSET),
    endPhysicalOffset: getInt64(view, INDEX_END_PHYSICAL_OFFSET_OFFSET),
    hashSlotCount: view.getInt32(INDEX_HASH_SLOT_COUNT_OFFSET),
    indexCount: Math.max(view.getInt32(INDEX_COUNT_OFFSET), INDEX_FIRST_ITEM),
  };
}

export function encodeIndexHeader(header: IndexHeader): Uint8Array {
  const bytes = new Uint8Array(INDEX_HEADER_LENGTH);
  const view = new DataView(bytes.buffer);
  setInt64(view, INDEX_BEGIN_TIMESTAMP_OFFSET, header.beginTimestamp);
  setInt64(view, INDEX_END_TIMESTAMP_OFFSET, header.endTimestamp);
  setInt64(view, INDEX_BEGIN_PHYSICAL_OFFSET_OFFSET, header.beginPhysicalOffset);
  setInt64(view, INDEX_END_PHYSICAL_OFFSET_OFFSET, header.endPhysicalOffset);
  view.setInt32(INDEX_HASH_SLOT_COUNT_OFFSET, header.hashSlotCount);
  view.setInt32(INDEX_COUNT_OFFSET, header.indexCount === INDEX_FIRST_ITEM ? 0 : header.indexCount);
  return bytes;
}

/** Whether a file of this shape can have this header. Timestamps are not compared: a clock may go back. */
export function isIndexHeaderSane(header: IndexHeader, { maxHashSlotNum, maxIndexNum }: IndexFileShape): boolean {
  const { beginTimestamp, endTimestamp, beginPhysicalOffset, endPhysicalOffset, hashSlotCount, indexCount } = header;
  const numbers = [beginTimestamp, endTimestamp, beginPhysicalOffset, endPhysicalOffset, hashSlotCount];
  return (
    numbers.every((value) => Number.isSafeInteger(value) && value >= 0) &&
    beginPhysicalOffset <= endPhysicalOffset &&
    indexCount <= maxIndexNum &&
    hashSlotCount <= Math.min(maxHashSlotNum, indexCount - INDEX_FIRST_ITEM)
  );
}
