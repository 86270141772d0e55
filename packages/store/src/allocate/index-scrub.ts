import { join } from "node:path";
import { crc32, type StorePaths } from "@millrace/format";
import { isOutOfDescriptors, type Storage } from "@millrace/mapped-file";
import type { ReadableCounter } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { type IndexFileSeal, readIndexSeals, sealedLength } from "../marks/index-seals.js";
import type { IndexScrub, IndexScrubControl, IndexScrubCursor } from "../pipeline/controls.js";

const SLICE_LENGTH = 1024 * 1024;

/**
 * Compares index files with their seals, a slice at a time: the finished ones, and after a clean end the last one, until the log grows and
 * its keys go there. Allocate thread; the files are the dispatch thread's.
 */
export class IndexFileScrub implements IndexScrubControl {
  readonly #storage: Storage;
  readonly #paths: StorePaths;
  readonly #config: MessageStoreConfig;
  readonly #chunk = new Uint8Array(SLICE_LENGTH);
  readonly #wroteOffset: ReadableCounter;
  /** End of the log when the store was opened, if the index had all of it. */
  readonly #indexedEnd: number | undefined;

  /** @param indexFromOffset records below it are in the index: what recovery says */
  constructor(
    storage: Storage,
    paths: StorePaths,
    config: MessageStoreConfig,
    wroteOffset: ReadableCounter,
    indexFromOffset: number,
  ) {
    this.#storage = storage;
    this.#paths = paths;
    this.#config = config;
    this.#wroteOffset = wroteOffset;
    const end = wroteOffset.get();
    this.#indexedEnd = indexFromOffset >= end ? end : undefined;
  }

  scrubIndex(cursor: IndexScrubCursor): IndexScrub {
    try {
      return this.#scrubNext(cursor);
    } catch (error) {
      if (isOutOfDescriptors(error)) return { cursor, bytes: 0, damaged: undefined, isRefused: true };
      throw error;
    }
  }

  #scrubNext({ name, position, crc, sealCrc, isLastOnly }: IndexScrubCursor): IndexScrub {
    const { files = [], distrusted = [] } = readIndexSeals(this.#storage, this.#paths.indexSeals, this.#config) ?? {};
    const seal = files.find((one) => {
      if (isLastOnly === true && this.#isFinished(one)) return false;
      if (!this.#isAsSealed(one) && !distrusted.includes(one.name)) return false;
      return position === 0 ? one.name > name : one.name >= name;
    });
    if (seal === undefined) return { cursor: undefined, bytes: 0, damaged: undefined };
    const path = join(this.#paths.index, seal.name);
    if (distrusted.includes(seal.name)) return { cursor: { name: seal.name, position: 0, crc: 0 }, bytes: 0, damaged: path };
    try {
      // What was read before the file was sealed again may have changed since: it is begun again.
      const isSameSeal = seal.name === name && seal.crc === sealCrc;
      return isSameSeal ? this.#scrub(path, seal, position, crc) : this.#scrub(path, seal, 0, 0);
    } catch (error) {
      if (isOutOfDescriptors(error)) throw error;
      // What retention has taken is not damaged.
      const damaged = this.#storage.entry(path) === undefined ? undefined : path;
      return { cursor: { name: seal.name, position: 0, crc: 0 }, bytes: 0, damaged };
    }
  }

  /** No key has been added since it was sealed. */
  #isAsSealed(seal: IndexFileSeal): boolean {
    return this.#isFinished(seal) || this.#wroteOffset.get() === this.#indexedEnd;
  }

  #isFinished({ indexCount }: IndexFileSeal): boolean {
    return indexCount >= this.#config.maxIndexNum;
  }

  #scrub(path: string, seal: IndexFileSeal, position: number, crcBefore: number): IndexScrub {
    const file = this.#storage.open(path, "read");
    try {
      const end = sealedLength(this.#config, seal);
      const part = this.#chunk.subarray(0, Math.min(SLICE_LENGTH, end - position));
      const bytes = file.read(part, position);
      const crc = crc32(part.subarray(0, bytes), crcBefore);
      const isWhole = position + bytes === end;
      if (!isWhole && bytes === part.length)
        return { cursor: { name: seal.name, position: position + bytes, crc, sealCrc: seal.crc }, bytes, damaged: undefined };
      // Looked at after the reading: what has come meanwhile may be in the file already.
      const isGood = (isWhole && crc === seal.crc) || !this.#isAsSealed(seal);
      return { cursor: { name: seal.name, position: 0, crc: 0 }, bytes, damaged: isGood ? undefined : path };
    } finally {
      file.close();
    }
  }
}
