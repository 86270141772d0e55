import { join } from "node:path";
import {
  type DispatchRequest,
  EMPTY_INDEX_HEADER,
  hashOf,
  INDEX_TOPIC_SEPARATOR,
  type IndexHeader,
  indexFileName,
  isIndexFileName,
  KEY_SEPARATOR,
  type StorePaths,
  SYS_FLAG_ROLLBACK,
} from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import { type DispatchHints, wallClockMs } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { type IndexFileSeal, readIndexSeals, sealIndexFile, writeIndexSeals } from "../marks/index-seals.js";
import type { HintedDispatcher } from "./hinted-dispatcher.js";
import { IndexFile, readIndexHeader } from "./index-file.js";

const TOPIC_SEPARATOR = INDEX_TOPIC_SEPARATOR.charCodeAt(0);
const SPACE = KEY_SEPARATOR.charCodeAt(0);
const HASH_FACTOR = 31;
const INT_MIN = -0x80000000;

interface KnownFile {
  readonly name: string;
  readonly header: IndexHeader;
}

interface OpenFile {
  readonly name: string;
  readonly file: IndexFile;
}

export interface LastIndexFile {
  readonly name: string;
  /** Where the last indexed record begins. */
  readonly endPhysicalOffset: number;
}

/**
 * Builds the index from the log: the unique key, then the keys, of every record but rollbacks. (RocketMQ: `IndexService`,
 * `CommitLogDispatcherBuildIndex`.) A file is made when the first key for it comes, not with the first record.
 */
export class IndexDispatcher implements HintedDispatcher {
  readonly name = "index";
  readonly #storage: Storage;
  readonly #directory: string;
  readonly #config: MessageStoreConfig;
  readonly #onRoll: (endTimestampMs: number) => void;
  readonly #sealsPath: string;
  /** As on disk, where they could be written. */
  #seals: readonly IndexFileSeal[];
  /** Files that are not written now, in order; their headers as they are on disk. */
  readonly #files: KnownFile[];
  /** The last file, from its first key in this process on. */
  #current: OpenFile | undefined;
  /** Of the first force that failed; from then on nothing is known to be durable, but keys are still indexed. */
  #forceFailure: unknown;
  /** Names of files that hold something else than was written to them. */
  readonly #distrusted: Set<string>;
  /** On disk are as many names of them. */
  #distrustedOnDisk = 0;
  /** Records below it are in the index. */
  #indexedOffset: number;
  /** The record that failed in the middle, and the keys of it that are in the index. */
  #partOffset = -1;
  #partKeys = 0;
  /** Of the record in work: keys looked at, and those of them that are in the index since an earlier try. */
  #keys = 0;
  #keysBefore = 0;

  /**
   * Opens for writing only when the first key comes.
   *
   * @param fromOffset records below it are in the index: what recovery says
   * @param onRoll a file is full and durable; notified of its last store timestamp, which is the checkpoint's indexMsgTimestamp
   * @throws MillraceError `ERR_INDEX_FILE_SIZE`, `ERR_INDEX_FILE_CORRUPT`
   */
  constructor(
    storage: Storage,
    paths: StorePaths,
    config: MessageStoreConfig,
    fromOffset: number,
    onRoll: (endTimestampMs: number) => void = () => {},
  ) {
    this.#storage = storage;
    this.#directory = paths.index;
    this.#config = config;
    this.#indexedOffset = fromOffset;
    this.#onRoll = onRoll;
    this.#sealsPath = paths.indexSeals;
    const { files = [], distrusted = [] } = readIndexSeals(storage, paths.indexSeals, config) ?? {};
    this.#seals = files;
    this.#files = storage
      .list(this.#directory)
      .filter(({ name, kind }) => kind === "file" && isIndexFileName(name))
      .map(({ name }) => ({ name, header: this.#readHeader(name) }));
    this.#distrusted = new Set(distrusted.filter((name) => this.#files.some((file) => file.name === name)));
    this.#distrustedOnDisk = distrusted.length;
  }

  /** Records below it are in the index, durably after a {@link force}. Nothing is known of blank records: they do not move it. */
  get indexedOffset(): number {
    return this.#indexedOffset;
  }

  get lastFile(): LastIndexFile | undefined {
    const last = this.#lastKnown();
    return last === undefined ? undefined : { name: last.name, endPhysicalOffset: last.header.endPhysicalOffset };
  }

  handledOffset(): number {
    return this.#indexedOffset;
  }

  /** @throws I/O errors as they are; the same record again then goes on where this call ended */
  dispatch(request: DispatchRequest): void {
    const { commitLogOffset } = request;
    if (commitLogOffset < this.#indexedOffset) return;
    if (request.transactionType !== SYS_FLAG_ROLLBACK && (request.uniqKeyLength > 0 || request.keysLength > 0)) {
      this.#begin(commitLogOffset);
      try {
        this.#putKeys(request);
      } catch (error) {
        this.#breakOff(commitLogOffset);
        throw error;
      }
    }
    this.#indexedOffset = commitLogOffset + request.msgSize;
  }

  /** @throws as {@link dispatch} */
  dispatchHint(hint: DispatchHints): boolean {
    const { physicalOffset, keys } = hint;
    if (physicalOffset < this.#indexedOffset) return true;
    if (keys > 0) {
      this.#begin(physicalOffset);
      try {
        for (let key = 0; key < keys; key++) this.#putHash(physicalOffset, hint.storeTimestamp, hint.keyHash(key));
      } catch (error) {
        this.#breakOff(physicalOffset);
        throw error;
      }
    }
    this.#indexedOffset = physicalOffset + hint.size;
    return true;
  }

  unforcedPaths(): string[] {
    return this.#current?.file.isDirty === true ? [this.#current.file.path] : [];
  }

  /** @throws I/O errors as they are; after one failure always that one: what the kernel has dropped is not written by a second try */
  force(): void {
    this.#noteDistrusted();
    if (this.#current !== undefined) this.#forceForGood(this.#current.file);
    if (this.#forceFailure !== undefined) throw this.#forceFailure;
  }

  /** What the file holds is not what was written to it: that is known from now on, durably where the disk takes it. */
  distrust(name: string): void {
    this.#distrusted.add(name);
    this.#noteDistrusted();
  }

  /** What the disk has not taken, or for what there was no descriptor, is tried again with each force. */
  #noteDistrusted(): void {
    if (this.#distrusted.size === this.#distrustedOnDisk) return;
    try {
      this.#writeSeals();
    } catch {}
  }

  #writeSeals(): void {
    writeIndexSeals(this.#storage, this.#sealsPath, this.#config, this.#seals, [...this.#distrusted]);
    this.#distrustedOnDisk = this.#distrusted.size;
  }

  /** Full files whose records are all gone; the last file stays. (RocketMQ: `IndexService.deleteExpiredFile`.) */
  deleteExpired(minPhysicalOffset: number): void {
    let removed = 0;
    try {
      for (const { name, header } of this.#files) {
        const isLast = this.#current === undefined && removed === this.#files.length - 1;
        if (isLast || header.endPhysicalOffset >= minPhysicalOffset) break;
        this.#storage.remove(join(this.#directory, name));
        removed++;
      }
    } finally {
      const gone = new Set(this.#files.splice(0, removed).map(({ name }) => name));
      this.#seals = this.#seals.filter(({ name }) => !gone.has(name));
      for (const name of gone) this.#distrusted.delete(name);
    }
    if (removed > 0) this.#storage.syncDirectory(this.#directory);
  }

  /** After a clean end the last file is sealed like the others, until something is added to it. */
  close(): void {
    const last = this.#current;
    this.#retire();
    if (last === undefined) return;
    last.file.close();
    this.#seal(last);
  }

  /** What the file holds now is what it has to hold from now on. Without a seal, on a full disk, nothing is known of it: that is all. */
  #seal({ name, file }: OpenFile): void {
    if (this.#forceFailure !== undefined) return;
    const { indexCount, endPhysicalOffset } = file.header;
    try {
      const seal = sealIndexFile(this.#storage, this.#directory, this.#config, { name, indexCount, endPhysicalOffset });
      this.#seals = [...this.#seals.filter((one) => one.name !== name), seal];
      this.#writeSeals();
    } catch {}
  }

  /** A record that failed goes on where it ended. */
  #begin(commitLogOffset: number): void {
    this.#keys = 0;
    this.#keysBefore = commitLogOffset === this.#partOffset ? this.#partKeys : 0;
  }

  #breakOff(commitLogOffset: number): void {
    this.#partOffset = commitLogOffset;
    this.#partKeys = Math.max(this.#keys, this.#keysBefore);
  }

  #putKeys(request: DispatchRequest): void {
    const { bytes, uniqKeyLength, keysLength, keysPosition, commitLogOffset, storeTimestamp } = request;
    const topicHash = hashOf(0, bytes, request.topicPosition, request.topicLength);
    const prefixHash = (Math.imul(topicHash, HASH_FACTOR) + TOPIC_SEPARATOR) | 0;
    if (uniqKeyLength > 0)
      this.#putKey(commitLogOffset, storeTimestamp, hashOf(prefixHash, bytes, request.uniqKeyPosition, uniqKeyLength));
    const end = keysPosition + keysLength;
    for (let at = keysPosition; at < end; ) {
      const key = at;
      while (at < end && bytes[at] !== SPACE) at++;
      if (at > key) this.#putKey(commitLogOffset, storeTimestamp, hashOf(prefixHash, bytes, key, at - key));
      at++;
    }
  }

  #putKey(commitLogOffset: number, storeTimestamp: number, hash: number): void {
    this.#putHash(commitLogOffset, storeTimestamp, hash === INT_MIN ? 0 : Math.abs(hash));
  }

  #putHash(commitLogOffset: number, storeTimestamp: number, keyHash: number): void {
    if (this.#keys >= this.#keysBefore) {
      let current = this.#current ?? this.#openLast();
      while (!current.file.putKey(keyHash, commitLogOffset, storeTimestamp)) current = this.#roll(current);
    }
    this.#keys++;
  }

  /** The last file if it has room, or a new one. */
  #openLast(): OpenFile {
    const last = this.#files.at(-1);
    if (last === undefined || last.header.indexCount >= this.#config.maxIndexNum) {
      this.#current = this.#create(last);
    } else {
      this.#current = { name: last.name, file: IndexFile.open(this.#storage, join(this.#directory, last.name), this.#config) };
      this.#files.pop();
    }
    return this.#current;
  }

  #roll(full: OpenFile): OpenFile {
    this.#forceForGood(full.file);
    const { header } = full.file;
    const next = this.#create({ name: full.name, header });
    this.#retire();
    this.#seal(full);
    full.file.close();
    this.#current = next;
    if (this.#forceFailure === undefined) this.#onRoll(header.endTimestamp);
    return next;
  }

  /** The kernel tells of a failure once and takes the pages for clean then: a second force that succeeds says nothing. */
  #forceForGood(file: IndexFile): void {
    try {
      file.force();
    } catch (error) {
      this.#forceFailure ??= error;
    }
  }

  #create(last: KnownFile | undefined): OpenFile {
    this.#storage.makeDirectory(this.#directory);
    const name = indexFileName(new Date(wallClockMs()), last?.name);
    const path = join(this.#directory, name);
    const file = IndexFile.create(this.#storage, path, this.#config, last?.header ?? EMPTY_INDEX_HEADER);
    try {
      this.#storage.syncDirectory(this.#directory);
    } catch (error) {
      file.close();
      this.#storage.remove(path);
      throw error;
    }
    return { name, file };
  }

  #lastKnown(): KnownFile | undefined {
    return this.#current === undefined ? this.#files.at(-1) : { name: this.#current.name, header: this.#current.file.header };
  }

  #retire(): void {
    const last = this.#lastKnown();
    if (this.#current !== undefined && last !== undefined) this.#files.push(last);
    this.#current = undefined;
  }

  #readHeader(name: string): IndexHeader {
    const file = this.#storage.open(join(this.#directory, name), "read");
    try {
      return readIndexHeader(file, this.#config);
    } finally {
      file.close();
    }
  }
}
