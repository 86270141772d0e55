import { dirname } from "node:path";
import {
  bigEndianWord,
  decodeIndexHeader,
  EMPTY_INDEX_HEADER,
  encodeIndexHeader,
  INDEX_BEGIN_PHYSICAL_OFFSET_OFFSET,
  INDEX_BEGIN_TIMESTAMP_OFFSET,
  INDEX_COUNT_OFFSET,
  INDEX_END_PHYSICAL_OFFSET_OFFSET,
  INDEX_END_TIMESTAMP_OFFSET,
  INDEX_FIRST_ITEM,
  INDEX_HASH_SLOT_COUNT_OFFSET,
  INDEX_HEADER_LENGTH,
  INDEX_ITEM_KEY_HASH_OFFSET,
  INDEX_ITEM_LENGTH,
  INDEX_ITEM_PHYSICAL_OFFSET_OFFSET,
  INDEX_ITEM_PREVIOUS_OFFSET,
  INDEX_ITEM_TIME_DIFF_OFFSET,
  type IndexFileShape,
  type IndexHeader,
  indexFileLength,
  indexItemPosition,
  indexSlotPosition,
  isIndexHeaderSane,
  MillraceError,
  preparedPath,
  setInt64OfWords,
} from "@millrace/format";
import {
  createFile,
  fillHoles,
  type Mapping,
  SMALL_ZERO_BLOCK,
  type Storage,
  type StorageFile,
  writeZeros,
} from "@millrace/mapped-file";

const WORD_BYTES = Int32Array.BYTES_PER_ELEMENT;
const INT_MAX = 0x7fffffff;
const MS_PER_SECOND = 1000;
/** Items are allocated so far ahead of use, and let go by this mapping so far behind it. */
const STEP_BYTES = 1024 * 1024;

/**
 * The writer of one index file (RocketMQ: `IndexFile`). Keys are stored through a mapping, so that readers in other threads see
 * them at once; every byte is allocated by a write before: a full disk is an error there, through a mapping it would be SIGBUS.
 *
 * Whatever a reader finds in a slot is complete: an item is stored before the slot that leads to it, the slot before indexCount.
 */
export class IndexFile {
  readonly path: string;
  readonly #shape: IndexFileShape;
  readonly #file: StorageFile;
  readonly #mapping: Mapping;
  /** The mapping; each word big-endian. */
  readonly #words: Int32Array;
  /** What the file's header says. */
  #beginTimestamp: number;
  #endTimestamp: number;
  #beginPhysicalOffset: number;
  #endPhysicalOffset: number;
  #hashSlotCount: number;
  #indexCount: number;
  /** Items up to this position may be stored. */
  #allocatedPosition: number;
  /** Items up to this position are complete, and the mapping has let their pages go. */
  #releasedPosition: number;
  #isDirty = true;
  #isClosed = false;

  private constructor(file: StorageFile, shape: IndexFileShape, header: IndexHeader, allocatedPosition: number) {
    this.path = file.path;
    this.#shape = shape;
    this.#file = file;
    this.#mapping = file.map("write");
    const { bytes } = this.#mapping;
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / WORD_BYTES);
    this.#beginTimestamp = header.beginTimestamp;
    this.#endTimestamp = header.endTimestamp;
    this.#beginPhysicalOffset = header.beginPhysicalOffset;
    this.#endPhysicalOffset = header.endPhysicalOffset;
    this.#hashSlotCount = header.hashSlotCount;
    this.#indexCount = header.indexCount;
    this.#allocatedPosition = allocatedPosition;
    this.#releasedPosition = alignUp(indexItemPosition(shape.maxHashSlotNum, header.indexCount), STEP_BYTES);
  }

  /**
   * A new file at its full length, its header and slots allocated; its name is not durable yet. After a failure there is no file.
   *
   * @param previous header of the file before it: RocketMQ begins the new one with its end, against which the first key's time is reckoned
   */
  static create(storage: Storage, path: string, shape: IndexFileShape, previous: IndexHeader = EMPTY_INDEX_HEADER): IndexFile {
    const { endPhysicalOffset, endTimestamp } = previous;
    const header = {
      ...EMPTY_INDEX_HEADER,
      beginTimestamp: endTimestamp,
      endTimestamp,
      beginPhysicalOffset: endPhysicalOffset,
      endPhysicalOffset,
    };
    createFile(storage, path, indexFileLength(shape), preparedPath(dirname(path)));
    let file: StorageFile | undefined;
    try {
      file = storage.open(path, "write");
      const itemsPosition = indexItemPosition(shape.maxHashSlotNum, 0);
      writeZeros(file, 0, itemsPosition, SMALL_ZERO_BLOCK);
      file.write(encodeIndexHeader(header), 0);
      return new IndexFile(file, shape, header, itemsPosition);
    } catch (error) {
      file?.close();
      storage.remove(path);
      throw error;
    }
  }

  /**
   * Goes on with a file that is there, whoever made it: holes in front of the items that follow are filled.
   *
   * @throws MillraceError `ERR_INDEX_FILE_SIZE`, `ERR_INDEX_FILE_CORRUPT`
   */
  static open(storage: Storage, path: string, shape: IndexFileShape): IndexFile {
    const file = storage.open(path, "write");
    try {
      const header = readIndexHeader(file, shape);
      fillHoles(file, indexItemPosition(shape.maxHashSlotNum, 0), SMALL_ZERO_BLOCK);
      return new IndexFile(file, shape, header, indexItemPosition(shape.maxHashSlotNum, header.indexCount));
    } catch (error) {
      file.close();
      throw error;
    }
  }

  get header(): IndexHeader {
    return {
      beginTimestamp: this.#beginTimestamp,
      endTimestamp: this.#endTimestamp,
      beginPhysicalOffset: this.#beginPhysicalOffset,
      endPhysicalOffset: this.#endPhysicalOffset,
      hashSlotCount: this.#hashSlotCount,
      indexCount: this.#indexCount,
    };
  }

  /** Something was stored since the last {@link force}. */
  get isDirty(): boolean {
    return this.#isDirty;
  }

  get isFull(): boolean {
    return this.#indexCount >= this.#shape.maxIndexNum;
  }

  /**
   * Adds one key. False, and nothing happens, when the file is full. (RocketMQ: `IndexFile.putKey`.)
   *
   * @param keyHash of `topic#key`, not negative (see `indexKeyHash`)
   * @param storeTimestamp of the record, in milliseconds
   * @throws I/O errors as they are when no space can be allocated; nothing has happened then
   */
  putKey(keyHash: number, physicalOffset: number, storeTimestamp: number): boolean {
    const item = this.#indexCount;
    if (item >= this.#shape.maxIndexNum) return false;
    const { maxHashSlotNum } = this.#shape;
    const itemPosition = indexItemPosition(maxHashSlotNum, item);
    if (itemPosition + INDEX_ITEM_LENGTH > this.#allocatedPosition) this.#allocate(itemPosition + INDEX_ITEM_LENGTH);
    this.#isDirty = true;
    const words = this.#words;
    const slotWord = indexSlotPosition(keyHash % maxHashSlotNum) / WORD_BYTES;
    const slotValue = bigEndianWord(words[slotWord] as number);
    const previous = slotValue <= 0 || slotValue > item ? 0 : slotValue;
    words[(itemPosition + INDEX_ITEM_KEY_HASH_OFFSET) / WORD_BYTES] = bigEndianWord(keyHash);
    setLong(words, itemPosition + INDEX_ITEM_PHYSICAL_OFFSET_OFFSET, physicalOffset);
    words[(itemPosition + INDEX_ITEM_TIME_DIFF_OFFSET) / WORD_BYTES] = bigEndianWord(this.#timeDiff(storeTimestamp));
    words[(itemPosition + INDEX_ITEM_PREVIOUS_OFFSET) / WORD_BYTES] = bigEndianWord(previous);
    Atomics.store(words, slotWord, bigEndianWord(item));
    this.#advance(item, previous === 0, physicalOffset, storeTimestamp);
    return true;
  }

  /** Durable on return. */
  force(): void {
    if (!this.#isDirty) return;
    this.#file.force();
    this.#isDirty = false;
  }

  /** Unmaps, forces nothing. May be called again. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#mapping.unmap();
    this.#file.close();
  }

  /** The header, its count last. */
  #advance(item: number, isNewChain: boolean, physicalOffset: number, storeTimestamp: number): void {
    const words = this.#words;
    if (item <= INDEX_FIRST_ITEM) {
      this.#beginPhysicalOffset = physicalOffset;
      this.#beginTimestamp = storeTimestamp;
      setLong(words, INDEX_BEGIN_PHYSICAL_OFFSET_OFFSET, physicalOffset);
      setLong(words, INDEX_BEGIN_TIMESTAMP_OFFSET, storeTimestamp);
    }
    if (isNewChain) words[INDEX_HASH_SLOT_COUNT_OFFSET / WORD_BYTES] = bigEndianWord(++this.#hashSlotCount);
    this.#endPhysicalOffset = physicalOffset;
    this.#endTimestamp = storeTimestamp;
    setLong(words, INDEX_END_PHYSICAL_OFFSET_OFFSET, physicalOffset);
    setLong(words, INDEX_END_TIMESTAMP_OFFSET, storeTimestamp);
    this.#indexCount = item + 1;
    Atomics.store(words, INDEX_COUNT_OFFSET / WORD_BYTES, bigEndianWord(item + 1));
  }

  /** Seconds; of a rolled file's first key since the end of the file before, as in RocketMQ. */
  #timeDiff(storeTimestamp: number): number {
    if (this.#beginTimestamp <= 0) return 0;
    const seconds = Math.trunc((storeTimestamp - this.#beginTimestamp) / MS_PER_SECOND);
    return Math.min(Math.max(seconds, 0), INT_MAX);
  }

  /** Up to the next step behind `position`; what an older process left behind the last item becomes zero. */
  #allocate(position: number): void {
    const end = Math.min(alignUp(position, STEP_BYTES), indexFileLength(this.#shape));
    while (this.#allocatedPosition < end) {
      const next = Math.min(alignUp(this.#allocatedPosition + 1, SMALL_ZERO_BLOCK), end);
      writeZeros(this.#file, this.#allocatedPosition, next, SMALL_ZERO_BLOCK);
      this.#allocatedPosition = next;
    }
    this.#isDirty = true;
    const complete = position - INDEX_ITEM_LENGTH;
    const releasable = complete - (complete % STEP_BYTES);
    if (releasable <= this.#releasedPosition) return;
    this.#mapping.release(this.#releasedPosition, releasable - this.#releasedPosition);
    this.#releasedPosition = releasable;
  }
}

/** @throws MillraceError `ERR_INDEX_FILE_SIZE`, `ERR_INDEX_FILE_CORRUPT` */
export function readIndexHeader(file: StorageFile, shape: IndexFileShape): IndexHeader {
  const length = file.size();
  const expected = indexFileLength(shape);
  if (length !== expected) {
    throw new MillraceError(
      "ERR_INDEX_FILE_SIZE",
      `index file of another length than maxHashSlotNum and maxIndexNum give: path=${file.path} length=${length} expected=${expected}`,
    );
  }
  const bytes = new Uint8Array(INDEX_HEADER_LENGTH);
  file.read(bytes, 0);
  const header = decodeIndexHeader(bytes);
  if (isIndexHeaderSane(header, shape)) return header;
  throw new MillraceError("ERR_INDEX_FILE_CORRUPT", `not the header of an index file: path=${file.path}`);
}

/** The position is a multiple of the word. */
function setLong(words: Int32Array, position: number, value: number): void {
  setInt64OfWords(words, position / WORD_BYTES, value);
}

function alignUp(position: number, unit: number): number {
  return Math.ceil(position / unit) * unit;
}
