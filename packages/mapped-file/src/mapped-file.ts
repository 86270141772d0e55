import { join } from "node:path";
import { MillraceError, segmentFileName } from "@millrace/format";
import { isOutOfDescriptors } from "./out-of-descriptors.js";
import type { Mapping, Storage, StorageFile } from "./storage.js";

/**
 * One segment: its file, opened at the first use, and this thread's mapping of it. Each thread has its own object; how far the segment is
 * written, committed and flushed is not kept here but in shared memory, where each word has one owner.
 * (RocketMQ: `DefaultMappedFile` without its positions.)
 */
export class MappedFile {
  readonly path: string;
  /** Absolute offset of the first byte. */
  readonly fromOffset: number;
  /** Bytes, of every segment of the queue. */
  readonly size: number;
  readonly #storage: Storage;
  readonly #access: "read" | "write";
  #file: StorageFile | undefined;
  #mapping: Mapping | undefined;

  constructor(storage: Storage, directory: string, fromOffset: number, size: number, access: "read" | "write") {
    this.path = join(directory, segmentFileName(fromOffset));
    this.fromOffset = fromOffset;
    this.size = size;
    this.#storage = storage;
    this.#access = access;
  }

  /** One past the absolute offset of the last byte. */
  get endOffset(): number {
    return this.fromOffset + this.size;
  }

  /** The channel. */
  get file(): StorageFile {
    this.#file ??= this.#storage.open(this.path, this.#access);
    return this.#file;
  }

  /**
   * Opens the file, unless it is open: of what cannot be written back from now on its {@link force} hears. False while there is no
   * descriptor to be had.
   */
  tryOpen(): boolean {
    try {
      this.#file ??= this.#storage.open(this.path, this.#access);
      return true;
    } catch (error) {
      if (isOutOfDescriptors(error)) return false;
      throw error;
    }
  }

  /** {@link tryOpen}, and maps it, unless it is mapped. False while there is no memory to map it into, either. */
  tryMap(): boolean {
    if (this.#mapping !== undefined) return true;
    if (!this.tryOpen()) return false;
    try {
      this.#mapping = this.#map();
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOMEM") return false;
      throw error;
    }
  }

  /** The whole segment as memory of this thread; its blocks must be allocated before anything is stored through it. */
  get bytes(): Buffer {
    this.#mapping ??= this.#map();
    return this.#mapping.bytes;
  }

  /** Through the channel. @throws MillraceError `ERR_SEGMENT_RANGE` */
  write(source: Uint8Array, position: number): void {
    this.#checkRange(position, source.length);
    this.file.write(source, position);
  }

  /** Written and mapped bytes, of all threads. */
  force(): void {
    this.file.force();
  }

  /**
   * Bytes [position, position + length), of all threads: those that the allocator has just made ready further on in the file are not
   * waited for. The whole file where it cannot be mapped.
   */
  forceRange(position: number, length: number): void {
    this.#checkRange(position, length);
    const mapping = this.#mappingIfPossible();
    if (mapping === undefined) this.force();
    else mapping.force(position, length);
  }

  #mappingIfPossible(): Mapping | undefined {
    try {
      this.#mapping ??= this.#map();
      return this.#mapping;
    } catch {
      return undefined; // no address space, for one; the next force looks again
    }
  }

  /** Keeps a slice of the mapping in memory. False: refused by the system. */
  lock(position: number, length: number): boolean {
    this.#checkRange(position, length);
    this.#mapping ??= this.#map();
    return this.#mapping.lock(position, length);
  }

  unlock(position: number, length: number): void {
    this.#checkRange(position, length);
    this.#mapping?.unlock(position, length);
  }

  /** Lets go of whole pages of the mapping that will not be touched again; see {@link Mapping.release}. */
  release(position: number, length: number): void {
    this.#checkRange(position, length);
    this.#mapping?.release(position, length);
  }

  /** Unmaps and closes; views of the mapping become empty. May be called again; the next use opens it again. */
  close(): void {
    const [file, mapping] = [this.#file, this.#mapping];
    this.#file = undefined;
    this.#mapping = undefined;
    mapping?.unmap();
    file?.close();
  }

  /** Closes and deletes; durable when the caller has synced the directory. */
  destroy(): void {
    this.close();
    this.#storage.remove(this.path);
  }

  /** A segment shorter than its nominal size would end in pages that kill the process. */
  #map(): Mapping {
    const length = this.file.size();
    if (length !== this.size) {
      throw new MillraceError(
        "ERR_SEGMENT_SIZE",
        `segment changed its length: path=${this.path}, length=${length}, expected=${this.size}`,
      );
    }
    return this.file.map(this.#access);
  }

  #checkRange(position: number, length: number): void {
    if (position >= 0 && length >= 0 && position + length <= this.size) return;
    throw new MillraceError(
      "ERR_SEGMENT_RANGE",
      `outside the segment: path=${this.path}, size=${this.size}, position=${position}, length=${length}`,
    );
  }
}
