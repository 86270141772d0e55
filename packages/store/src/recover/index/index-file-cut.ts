import {
  encodeIndexHeader,
  getInt64,
  INDEX_FIRST_ITEM,
  INDEX_HEADER_LENGTH,
  INDEX_ITEM_KEY_HASH_OFFSET,
  INDEX_ITEM_LENGTH,
  INDEX_ITEM_PHYSICAL_OFFSET_OFFSET,
  INDEX_ITEM_PREVIOUS_OFFSET,
  INDEX_ITEM_TIME_DIFF_OFFSET,
  INDEX_SLOT_LENGTH,
  type IndexFileShape,
  type IndexHeader,
  indexFileLength,
  indexItemPosition,
} from "@millrace/format";
import { SMALL_ZERO_BLOCK, type Storage, type StorageFile, zeroData } from "@millrace/mapped-file";

const WINDOW_ITEMS = 32_768;

export interface IndexFileCut {
  readonly storage: Storage;
  readonly path: string;
  readonly shape: IndexFileShape;
  /** As it is on disk, and sane. */
  readonly header: IndexHeader;
  /** Items of records from here on go. */
  readonly offset: number;
  /** Undefined for a record that is no longer on disk. */
  readonly storeTimestampAt: (physicalOffset: number) => number | undefined;
}

export interface IndexFileCutResult {
  /** Items that stay. With 0 the file is untouched, and of no use. */
  readonly itemCount: number;
  /** Of the last item that stays. */
  readonly endPhysicalOffset: number;
  /** All keys of records before it are in this file or an older one; undefined when not even the first item can be believed. */
  readonly completeTo: number | undefined;
}

/** What is good at the front of a file: items 1 to `itemCount`, as far as they say themselves. */
interface Kept {
  itemCount: number;
  endPhysicalOffset: number;
  readonly slots: Int32Array;
  slotCount: number;
  /** One that is wrong may only be seen by what follows it: after damage so many are beyond suspicion. Undefined without damage. */
  believed: number | undefined;
}

/**
 * Takes the records from an offset on out of an index file, and builds its slots again from the items that stay: after a crash
 * nothing says which of the slots reached the disk. An item that cannot be (its offset before the one before it or behind the header's
 * last, a chain that leads elsewhere) ends what is good, and so does the end of the items before the header's last. All that may be at
 * fault goes, and the record before it too: it may have had more keys. Durable on return; a crash in between leaves what can be cut
 * again.
 */
export function cutIndexFile(cut: IndexFileCut): IndexFileCutResult {
  const { storage, path, shape, header } = cut;
  const file = storage.open(path, "write");
  try {
    let kept = scanItems(file, cut, cut.offset);
    let completeTo: number | undefined = cut.offset;
    if (kept.believed !== undefined) {
      completeTo = kept.believed === 0 ? undefined : physicalOffsetOf(file, shape, kept.believed);
      kept = scanItems(file, cut, completeTo ?? 0);
    }
    const { itemCount, endPhysicalOffset } = kept;
    if (itemCount > 0) {
      writeSlots(file, shape, kept.slots);
      // Whatever the items behind the last one were, and whether the header knew of them or not.
      zeroData(file, indexItemPosition(shape.maxHashSlotNum, itemCount + 1), indexFileLength(shape));
      file.force();
      const endTimestamp = cut.storeTimestampAt(endPhysicalOffset) ?? header.endTimestamp;
      const next = { ...header, indexCount: itemCount + 1, hashSlotCount: kept.slotCount, endPhysicalOffset, endTimestamp };
      file.write(encodeIndexHeader(next), 0);
      file.force();
    }
    return { itemCount, endPhysicalOffset, completeTo };
  } finally {
    file.close();
  }
}

/** Items in order, up to the first one at or behind `offset`, or the first that cannot be. */
function scanItems(file: StorageFile, cut: IndexFileCut, offset: number): Kept {
  const { shape, header } = cut;
  const { maxHashSlotNum } = shape;
  const slots = new Int32Array(maxHashSlotNum);
  const kept: Kept = { itemCount: 0, endPhysicalOffset: header.beginPhysicalOffset, slots, slotCount: 0, believed: undefined };
  const window = new Uint8Array(WINDOW_ITEMS * INDEX_ITEM_LENGTH);
  const view = new DataView(window.buffer);
  for (let first = INDEX_FIRST_ITEM; first < header.indexCount; first += WINDOW_ITEMS) {
    const length = Math.min(WINDOW_ITEMS, header.indexCount - first) * INDEX_ITEM_LENGTH;
    file.read(window.subarray(0, length), indexItemPosition(maxHashSlotNum, first));
    if (!keepItems(kept, view, length, offset, header.endPhysicalOffset)) break;
  }
  if (kept.believed === undefined && !isEnd(file, cut, kept, offset)) kept.believed = kept.itemCount;
  return kept;
}

/** Whether the items that are kept may be all before `offset`: none that follows says otherwise, and the header does not. */
function isEnd(
  file: StorageFile,
  { shape, header }: IndexFileCut,
  { itemCount, endPhysicalOffset }: Kept,
  offset: number,
): boolean {
  if (INDEX_FIRST_ITEM + itemCount >= header.indexCount) return endPhysicalOffset === header.endPhysicalOffset;
  const next = INDEX_FIRST_ITEM + itemCount + 1;
  return next >= header.indexCount || physicalOffsetOf(file, shape, next) >= offset;
}

function physicalOffsetOf(file: StorageFile, { maxHashSlotNum }: IndexFileShape, item: number): number {
  const bytes = new Uint8Array(INDEX_ITEM_LENGTH);
  file.read(bytes, indexItemPosition(maxHashSlotNum, item));
  return getInt64(new DataView(bytes.buffer), INDEX_ITEM_PHYSICAL_OFFSET_OFFSET);
}

/** False when one of these items was the last. Millions of them are looked at: what is kept is only written down at the end. */
function keepItems(kept: Kept, view: DataView, length: number, offset: number, lastOffset: number): boolean {
  const { slots } = kept;
  let { itemCount, endPhysicalOffset, slotCount } = kept;
  let goesOn = true;
  for (let at = 0; at < length; at += INDEX_ITEM_LENGTH) {
    const physicalOffset = getInt64(view, at + INDEX_ITEM_PHYSICAL_OFFSET_OFFSET);
    const isKnown = physicalOffset <= lastOffset;
    goesOn = physicalOffset < offset || !isKnown;
    if (!goesOn) break;
    const keyHash = view.getInt32(at + INDEX_ITEM_KEY_HASH_OFFSET);
    const isInOrder = itemCount === 0 ? physicalOffset === endPhysicalOffset : physicalOffset >= endPhysicalOffset;
    const slot = keyHash % slots.length;
    const previous = slots[slot] ?? -1;
    const saidPrevious = view.getInt32(at + INDEX_ITEM_PREVIOUS_OFFSET);
    goesOn = keyHash >= 0 && view.getInt32(at + INDEX_ITEM_TIME_DIFF_OFFSET) >= 0 && isKnown && isInOrder;
    goesOn &&= saidPrevious === previous;
    if (!goesOn) {
      // One of zeros has never reached the disk, and says nothing of others.
      const isBlank = keyHash === 0 && physicalOffset === 0 && saidPrevious === 0;
      kept.believed = isBlank ? itemCount : believedBefore(itemCount + 1, isInOrder, previous, saidPrevious);
      break;
    }
    itemCount++;
    endPhysicalOffset = physicalOffset;
    slots[slot] = itemCount;
    if (previous === 0) slotCount++;
  }
  kept.itemCount = itemCount;
  kept.endPhysicalOffset = endPhysicalOffset;
  kept.slotCount = slotCount;
  return goesOn;
}

/**
 * How many items are beyond suspicion when this one cannot be. It may be wrong itself. Out of order, the one before it may have an offset
 * that is too high; in another chain than it says, the one that should be or the one that is before it there may have another's hash.
 */
function believedBefore(item: number, isInOrder: boolean, previous: number, saidPrevious: number): number {
  const chained = previous === saidPrevious ? [] : [previous, saidPrevious].filter((suspect) => suspect > 0);
  const first = Math.min(isInOrder ? item : item - 1, ...chained);
  return Math.max(first, INDEX_FIRST_ITEM) - INDEX_FIRST_ITEM;
}

/** All of them, whatever is there: what the disk has of them is not known. */
function writeSlots(file: StorageFile, { maxHashSlotNum }: IndexFileShape, slots: Int32Array): void {
  const length = maxHashSlotNum * INDEX_SLOT_LENGTH;
  const block = new Uint8Array(Math.min(SMALL_ZERO_BLOCK, length));
  const view = new DataView(block.buffer);
  for (let at = 0; at < length; at += block.length) {
    const end = Math.min(block.length, length - at);
    const first = at / INDEX_SLOT_LENGTH;
    for (let slot = 0; slot < end / INDEX_SLOT_LENGTH; slot++)
      view.setInt32(slot * INDEX_SLOT_LENGTH, slots[first + slot] as number);
    file.write(block.subarray(0, end), INDEX_HEADER_LENGTH + at);
  }
}
