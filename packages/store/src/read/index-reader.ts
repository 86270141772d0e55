import { join } from "node:path";
import {
  bigEndianWord,
  INDEX_BEGIN_TIMESTAMP_OFFSET,
  INDEX_COUNT_OFFSET,
  INDEX_END_PHYSICAL_OFFSET_OFFSET,
  INDEX_END_TIMESTAMP_OFFSET,
  INDEX_FIRST_ITEM,
  INDEX_HEADER_LENGTH,
  INDEX_ITEM_KEY_HASH_OFFSET,
  INDEX_ITEM_PHYSICAL_OFFSET_OFFSET,
  INDEX_ITEM_PREVIOUS_OFFSET,
  INDEX_ITEM_TIME_DIFF_OFFSET,
  INDEX_TOPIC_SEPARATOR,
  type IndexFileShape,
  indexFileLength,
  indexItemPosition,
  indexKeyHash,
  indexSlotPosition,
  int64OfWords,
  isIndexFileName,
} from "@millrace/format";
import type { Mapping, Storage } from "@millrace/mapped-file";
import { openIfThere } from "@millrace/mapped-file";
import type { MessageStoreConfig } from "../config/message-store-config.js";

const WORD_BYTES = Int32Array.BYTES_PER_ELEMENT;
const MS_PER_SECOND = 1000;
/** Of a file without items. */
const EMPTY_HEADER = new Int32Array(INDEX_HEADER_LENGTH / WORD_BYTES);

export interface QueryOffsetResult {
  /** Physical offsets of records, newest first; a record that has the key twice is there twice. */
  readonly offsets: number[];
  /** Of the last record in the index; undefined when there is none. */
  readonly lastUpdateTimestamp: number | undefined;
  readonly lastUpdatePhysicalOffset: number | undefined;
}

export interface IndexItem {
  readonly path: string;
  readonly keyHash: number;
  readonly physicalOffset: number;
}

/** One file as a query sees it: times in milliseconds, both inclusive. */
interface KeySearch {
  readonly keyHash: number;
  readonly maxNum: number;
  readonly begin: number;
  readonly end: number;
  readonly accept: (physicalOffset: number) => boolean;
  readonly offsets: number[];
}

/**
 * Finds records by the hash of their keys, in index files that the dispatch thread goes on writing. (RocketMQ: `IndexService.queryOffset`.)
 * Files are mapped at their first use. What is in them is not believed: no bytes make a query fail, or go on for ever.
 */
export class IndexReader {
  readonly #storage: Storage;
  readonly #directory: string;
  #shape: IndexFileShape;
  readonly #maxMsgsNumBatch: number;
  /** In order of their names. */
  #files: IndexFileView[] = [];
  #isClosed = false;

  constructor(
    storage: Storage,
    directory: string,
    config: Pick<MessageStoreConfig, "maxHashSlotNum" | "maxIndexNum" | "maxMsgsNumBatch">,
  ) {
    this.#storage = storage;
    this.#directory = directory;
    this.#shape = config;
    this.#maxMsgsNumBatch = config.maxMsgsNumBatch;
  }

  /** Who only reads learns it from the first file that there is: until then none is found. */
  useShape(shape: IndexFileShape): void {
    this.#shape = shape;
  }

  /** Finds files that have been made, forgets those that have been deleted. New ones are found without it; call it after a deletion. */
  refresh(): void {
    if (this.#isClosed) return;
    const length = indexFileLength(this.#shape);
    const known = new Map(this.#files.map((file) => [file.name, file]));
    this.#files = this.#storage
      .list(this.#directory)
      // A file that is just being made has no length yet.
      .filter(({ name, kind, size }) => kind === "file" && size === length && isIndexFileName(name))
      .map(({ name, inode }) => {
        const file = known.get(name);
        if (file?.inode === inode) return file;
        return new IndexFileView(this.#storage, join(this.#directory, name), name, inode, this.#shape);
      });
    const kept = new Set(this.#files);
    for (const file of known.values()) if (!kept.has(file)) file.close();
  }

  /**
   * The newest records of a topic that have a key of this hash. The index keeps times in seconds: one that begins before `begin` or
   * ends behind `end` counts as inside, and so does every item that is not later than its file's first; who needs it exactly looks at
   * the record. (RocketMQ leaves out the second that `begin` is
   * in.)
   *
   * @param maxNum at most `maxMsgsNumBatch`
   * @param begin first store timestamp, in milliseconds
   * @param end last one, inclusive
   * @param accept asked of each offset found, newest first; only those that it takes count
   */
  queryOffset(
    topic: string,
    key: string,
    maxNum: number,
    begin: number,
    end: number,
    accept: (physicalOffset: number) => boolean = () => true,
  ): QueryOffsetResult {
    if (this.#files.at(-1)?.isFull ?? true) this.refresh();
    const search: KeySearch = {
      keyHash: indexKeyHash(topic + INDEX_TOPIC_SEPARATOR + key),
      maxNum: Math.min(maxNum, this.#maxMsgsNumBatch),
      begin,
      end,
      accept,
      offsets: [],
    };
    for (let i = this.#files.length - 1; i >= 0; i--) {
      const file = this.#files[i] as IndexFileView;
      if (file.overlaps(begin, end)) file.search(search);
      if (search.offsets.length >= search.maxNum) break;
    }
    const last = this.#files.at(-1);
    const lastWithItems = last?.hasItems === true ? last : undefined;
    return {
      offsets: search.offsets,
      lastUpdateTimestamp: lastWithItems?.endTimestamp,
      lastUpdatePhysicalOffset: lastWithItems?.endPhysicalOffset,
    };
  }

  /** Every item of every file, oldest first. */
  *items(): Generator<IndexItem> {
    this.refresh();
    for (const file of this.#files) yield* file.items();
  }

  /** May be called again; queries find nothing from then on. */
  close(): void {
    this.#isClosed = true;
    for (const file of this.#files) file.close();
    this.#files = [];
  }
}

/** One file, read through a mapping of this thread. */
class IndexFileView {
  readonly name: string;
  readonly inode: number;
  readonly #storage: Storage;
  readonly #path: string;
  readonly #shape: IndexFileShape;
  #mapping: Mapping | undefined;
  #mappedWords: Int32Array | undefined;

  constructor(storage: Storage, path: string, name: string, inode: number, shape: IndexFileShape) {
    this.name = name;
    this.inode = inode;
    this.#storage = storage;
    this.#path = path;
    this.#shape = shape;
  }

  get beginTimestamp(): number {
    return this.#long(INDEX_BEGIN_TIMESTAMP_OFFSET);
  }

  get endTimestamp(): number {
    return this.#long(INDEX_END_TIMESTAMP_OFFSET);
  }

  get endPhysicalOffset(): number {
    return this.#long(INDEX_END_PHYSICAL_OFFSET_OFFSET);
  }

  get isFull(): boolean {
    return this.#indexCount() >= this.#shape.maxIndexNum;
  }

  /** A file without items has borrowed its times from the one before. */
  get hasItems(): boolean {
    return this.#indexCount() > INDEX_FIRST_ITEM;
  }

  /** The header has the times of the first and the last item; when they run backwards, the wall clock was set back in between. */
  overlaps(begin: number, end: number): boolean {
    if (!this.hasItems || begin > Math.max(this.beginTimestamp, this.endTimestamp)) return false;
    return end >= this.beginTimestamp || this.beginTimestamp > this.endTimestamp;
  }

  /**
   * Along the chain, from the newest item to older ones. A chain only ever leads to lower numbers; one that does not is damage, and
   * ends there. The slot is read before the count: the writer stores them the other way round, so that a chain is never taken for
   * damage while it grows.
   */
  search({ keyHash, maxNum, begin, end, accept, offsets }: KeySearch): void {
    const { maxHashSlotNum, maxIndexNum } = this.#shape;
    let item = bigEndianWord(Atomics.load(this.#words(), indexSlotPosition(keyHash % maxHashSlotNum) / WORD_BYTES));
    if (item > this.#indexCount() || item >= maxIndexNum) return;
    const { beginTimestamp } = this;
    while (item >= INDEX_FIRST_ITEM && offsets.length < maxNum) {
      const position = indexItemPosition(maxHashSlotNum, item);
      const timeDiff = this.#int(position + INDEX_ITEM_TIME_DIFF_OFFSET);
      if (timeDiff < 0) return;
      // The first item of a file begins its time, whatever RocketMQ has reckoned it against.
      const time = item === INDEX_FIRST_ITEM ? beginTimestamp : beginTimestamp + timeDiff * MS_PER_SECOND;
      if (time + MS_PER_SECOND <= begin) return;
      // No distance: stored in the second of the file's first item, or before it, after the wall clock was set back.
      if ((time <= end || timeDiff === 0) && this.#int(position + INDEX_ITEM_KEY_HASH_OFFSET) === keyHash) {
        const physicalOffset = this.#long(position + INDEX_ITEM_PHYSICAL_OFFSET_OFFSET);
        if (accept(physicalOffset)) offsets.push(physicalOffset);
      }
      const previous = this.#int(position + INDEX_ITEM_PREVIOUS_OFFSET);
      if (previous >= item) return;
      item = previous;
    }
  }

  *items(): Generator<IndexItem> {
    const { maxHashSlotNum, maxIndexNum } = this.#shape;
    for (let item = INDEX_FIRST_ITEM; item < Math.min(this.#indexCount(), maxIndexNum); item++) {
      const position = indexItemPosition(maxHashSlotNum, item);
      const keyHash = this.#int(position + INDEX_ITEM_KEY_HASH_OFFSET);
      yield { path: this.#path, keyHash, physicalOffset: this.#long(position + INDEX_ITEM_PHYSICAL_OFFSET_OFFSET) };
    }
  }

  close(): void {
    this.#mapping?.unmap();
    this.#mapping = undefined;
    this.#mappedWords = EMPTY_HEADER;
  }

  #indexCount(): number {
    return bigEndianWord(Atomics.load(this.#words(), INDEX_COUNT_OFFSET / WORD_BYTES));
  }

  #int(position: number): number {
    return bigEndianWord(this.#words()[position / WORD_BYTES] as number);
  }

  #long(position: number): number {
    return int64OfWords(this.#words(), position / WORD_BYTES);
  }

  #words(): Int32Array {
    this.#mappedWords ??= this.#map();
    return this.#mappedWords;
  }

  /**
   * Files have their whole length from the start, and keep it as long as they are there. One that has been deleted by now holds
   * nothing.
   */
  #map(): Int32Array {
    const file = openIfThere(this.#storage, this.#path);
    if (file === undefined) return EMPTY_HEADER;
    try {
      this.#mapping = file.map("read");
      const { bytes } = this.#mapping;
      return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / WORD_BYTES);
    } finally {
      file.close();
    }
  }
}
