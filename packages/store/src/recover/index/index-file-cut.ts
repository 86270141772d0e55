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

/** What is good at the front of a file: items 1 to `itemCount`. */
interface Kept {
  itemCount: number;
  endPhysicalOffset: number;
  readonly slots: Int32Array;
  slotCount: number;
  isDamaged: boolean;
}

/**
 * Takes the records from an offset on out of an index file, and builds its slots again from the items that stay: after a crash
 * nothing says which of the slots reached the disk. An item that cannot be (its offset before the one before it, a chain that leads
 * elsewhere) ends what is good, and the record before it goes too: it may have had more keys. Durable on return; a crash in between
 * leaves what can be cut again.
 */
export function cutIndexFile(cut: IndexFileCut): IndexFileCutResult {
  const { storage, path, shape, header } = cut;
  const file = storage.open(path, "write");
  try {
    let kept = scanItems(file, cut, cut.offset);
    let completeTo: number | undefined = cut.offset;
    if (kept.isDamaged) {
      completeTo = kept.itemCount === 0 ? undefined : kept.endPhysicalOffset;
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
function scanItems(file: StorageFile, { shape, header }: IndexFileCut, offset: number): Kept {
  const { maxHashSlotNum } = shape;
  const slots = new Int32Array(maxHashSlotNum);
  const kept: Kept = { itemCount: 0, endPhysicalOffset: header.beginPhysicalOffset, slots, slotCount: 0, isDamaged: false };
  const window = new Uint8Array(WINDOW_ITEMS * INDEX_ITEM_LENGTH);
  const view = new DataView(window.buffer);
  for (let first = INDEX_FIRST_ITEM; first < header.indexCount; first += WINDOW_ITEMS) {
    const length = Math.min(WINDOW_ITEMS, header.indexCount - first) * INDEX_ITEM_LENGTH;
    file.read(window.subarray(0, length), indexItemPosition(maxHashSlotNum, first));
    if (!keepItems(kept, view, length, offset)) return kept;
  }
  return kept;
}

/** False when one of these items was the last. Millions of them are looked at: what is kept is only written down at the end. */
function keepItems(kept: Kept, view: DataView, length: number, offset: number): boolean {
  const { slots } = kept;
  let { itemCount, endPhysicalOffset, slotCount } = kept;
  let goesOn = true;
  for (let at = 0; at < length; at += INDEX_ITEM_LENGTH) {
    const physicalOffset = getInt64(view, at + INDEX_ITEM_PHYSICAL_OFFSET_OFFSET);
    goesOn = physicalOffset < offset || !Number.isSafeInteger(physicalOffset);
    if (!goesOn) break;
    const keyHash = view.getInt32(at + INDEX_ITEM_KEY_HASH_OFFSET);
    const isInOrder = itemCount === 0 ? physicalOffset === endPhysicalOffset : physicalOffset >= endPhysicalOffset;
    const slot = keyHash % slots.length;
    const previous = slots[slot] ?? -1;
    goesOn = keyHash >= 0 && view.getInt32(at + INDEX_ITEM_TIME_DIFF_OFFSET) >= 0 && isInOrder;
    goesOn &&= view.getInt32(at + INDEX_ITEM_PREVIOUS_OFFSET) === previous;
    kept.isDamaged = !goesOn;
    if (!goesOn) break;
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
