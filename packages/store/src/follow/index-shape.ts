import {
  INDEX_COUNT_OFFSET,
  INDEX_FIRST_ITEM,
  INDEX_HEADER_LENGTH,
  INDEX_ITEM_KEY_HASH_OFFSET,
  INDEX_ITEM_LENGTH,
  INDEX_SLOT_LENGTH,
  type IndexFileShape,
  indexFileLength,
  indexItemPosition,
  indexSlotPosition,
  int32At,
} from "@millrace/format";
import { isZero } from "@millrace/mapped-file";

/** RocketMQ's own numbers: by far the most files have them, or others of the same proportion. */
const DEFAULT_SHAPE: IndexFileShape = { maxHashSlotNum: 5_000_000, maxIndexNum: 20_000_000 };
const ITEMS_PER_SLOT = DEFAULT_SHAPE.maxIndexNum / DEFAULT_SHAPE.maxHashSlotNum;
/** Slots are shorter than items: from one shape of a length to the next one it takes so many more of them. */
const SLOTS_PER_ITEM = INDEX_ITEM_LENGTH / INDEX_SLOT_LENGTH;
/** Items that have to be where a shape says: each is wrong by chance in nearly all shapes. */
const WITNESSES = 16;
/** What a writer may have added between two looks. */
const MEANWHILE = 1_000_000;

/**
 * How many slots and items an index file has; undefined while it has no item to tell by. Nothing in the file says it: a length fits many
 * shapes, but in the right one every slot leads to the newest item with its hash.
 */
export function indexShapeOf(bytes: Uint8Array): IndexFileShape | undefined {
  return firstThatFits(bytes, shapesOf(bytes.length));
}

/** {@link indexShapeOf} by the proportion that most have: at once, where all shapes of a large file take seconds. */
export function likelyIndexShapeOf(bytes: Uint8Array): IndexFileShape | undefined {
  return firstThatFits(bytes, likelyShapesOf(bytes.length));
}

/** As its header says; 0 in a file that has no header. */
export function indexItemsIn(bytes: Uint8Array): number {
  return bytes.length < INDEX_HEADER_LENGTH ? 0 : Math.max(0, int32At(bytes, INDEX_COUNT_OFFSET) - INDEX_FIRST_ITEM);
}

function firstThatFits(bytes: Uint8Array, shapes: Iterable<IndexFileShape>): IndexFileShape | undefined {
  const count = INDEX_FIRST_ITEM + indexItemsIn(bytes);
  if (count === INDEX_FIRST_ITEM) return undefined;
  for (const shape of shapes) if (count <= shape.maxIndexNum && fits(bytes, shape, count)) return shape;
  return undefined;
}

function* likelyShapesOf(length: number): Generator<IndexFileShape> {
  if (length === indexFileLength(DEFAULT_SHAPE)) yield DEFAULT_SHAPE;
  const likely = Math.floor((length - INDEX_HEADER_LENGTH) / (INDEX_SLOT_LENGTH + ITEMS_PER_SLOT * INDEX_ITEM_LENGTH));
  const proportional = { maxHashSlotNum: likely, maxIndexNum: ITEMS_PER_SLOT * likely };
  if (likely > 0 && length === indexFileLength(proportional)) yield proportional;
}

/** All that have this length. */
function* shapesOf(length: number): Generator<IndexFileShape> {
  const words = (length - INDEX_HEADER_LENGTH) / INDEX_SLOT_LENGTH;
  if (!Number.isInteger(words)) return;
  for (let slots = words % SLOTS_PER_ITEM || SLOTS_PER_ITEM; slots < words; slots += SLOTS_PER_ITEM)
    yield { maxHashSlotNum: slots, maxIndexNum: (words - slots) / SLOTS_PER_ITEM };
}

/** The newest items: the slot of each leads to it, or to a newer one. */
function fits(bytes: Uint8Array, { maxHashSlotNum }: IndexFileShape, count: number): boolean {
  for (let item = count - 1; item >= Math.max(INDEX_FIRST_ITEM, count - WITNESSES); item--) {
    const position = indexItemPosition(maxHashSlotNum, item);
    if (position + INDEX_ITEM_LENGTH > bytes.length) return false;
    const keyHash = int32At(bytes, position + INDEX_ITEM_KEY_HASH_OFFSET);
    if (keyHash < 0) return false;
    const newest = int32At(bytes, indexSlotPosition(keyHash % maxHashSlotNum));
    if (newest < item || newest >= count + MEANWHILE) return false;
    // Where no item is, zeros are. They have a hash whose slot is the first one, and that one may lead to the newest item.
    if (keyHash === 0 && isZero(bytes.subarray(position, position + INDEX_ITEM_LENGTH))) return false;
  }
  return true;
}
