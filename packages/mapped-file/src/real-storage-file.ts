import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, readSync, writeSync } from "node:fs";
import { MillraceError } from "@millrace/format";
import { nativeBinding } from "./native-binding.js";
import { mapFile } from "./native-mapping.js";
import { allocateRange, nextData, nextHole } from "./native-range.js";
import type { MapAccess, Mapping, StorageFile } from "./storage.js";

/** One system call moves no more than this; the kernel itself stops just below 2 GiB. */
const MAX_TRANSFER_BYTES = 0x4000_0000;
/** Owns one file descriptor. */
export class RealStorageFile implements StorageFile {
  readonly path: string;
  /** -1 once closed. */
  #fd: number;
  #mappings = 0;

  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  size(): number {
    return fstatSync(this.#fd).size;
  }

  read(target: Uint8Array, position: number): number {
    let done = 0;
    while (done < target.length) {
      const length = Math.min(target.length - done, MAX_TRANSFER_BYTES);
      const count = readSync(this.#fd, target, done, length, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  write(source: Uint8Array, position: number): void {
    let done = 0;
    while (done < source.length) {
      const length = Math.min(source.length - done, MAX_TRANSFER_BYTES);
      const count = writeSync(this.#fd, source, done, length, position + done);
      if (count === 0)
        throw new MillraceError("ERR_WRITE_STALLED", `the system wrote nothing: path=${this.path}, position=${position + done}`);
      done += count;
    }
  }

  allocate(position: number, length: number): boolean {
    return allocateRange(this.#fd, position, length);
  }

  seekData(position: number): number {
    return nextData(this.#fd, position) ?? this.size();
  }

  seekHole(position: number): number {
    return nextHole(this.#fd, position) ?? this.size();
  }

  truncate(size: number): void {
    if (this.#mappings > 0)
      throw new MillraceError("ERR_FILE_MAPPED", `a mapped file keeps its size: path=${this.path}, size=${size}`);
    ftruncateSync(this.#fd, size);
  }

  force(): void {
    fdatasyncSync(this.#fd);
  }

  map(access: MapAccess): Mapping {
    const mapping = mapFile(this.#fd, this.size(), access, {
      force: () => this.force(),
      unmapped: () => {
        this.#mappings--;
      },
    });
    this.#mappings++;
    return mapping;
  }

  tryLock(position: number, length: number): boolean {
    return nativeBinding().tryLock(this.#fd, position, length);
  }

  isLocked(position: number, length: number): boolean | undefined {
    return nativeBinding().isLocked(this.#fd, position, length);
  }

  close(): void {
    if (this.#fd === -1) return;
    const fd = this.#fd;
    this.#fd = -1;
    closeSync(fd);
  }
}
