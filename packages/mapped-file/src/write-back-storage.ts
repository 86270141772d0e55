import { FaultyStorage } from "./faulty-storage.js";
import type { FileAccess, MapAccess, Mapping, StorageFile, WriteBackSpec } from "./storage.js";
import { WriteBackDisk } from "./write-back-disk.js";

/**
 * A Storage whose forces tell what Linux tells of write-backs that failed: see {@link WriteBackDisk}. All threads that are given one
 * spec share one disk; calls may fail by plan as well.
 */
export class WriteBackStorage extends FaultyStorage {
  readonly disk: WriteBackDisk;

  constructor(spec: WriteBackSpec, inner: ConstructorParameters<typeof FaultyStorage>[0]) {
    super(inner, spec.faults);
    this.disk = new WriteBackDisk(spec);
  }

  override open(path: string, access: FileAccess): StorageFile {
    return this.disk.locked(() => {
      if (access !== "read") this.disk.adopt(path);
      return new WriteBackFile(super.open(path, access), this.disk);
    });
  }

  override async forceInBackground(path: string): Promise<void> {
    await super.forceInBackground(path);
    this.disk.locked(() => {
      const since = this.disk.sample(path);
      this.disk.writeBack(path);
      failWith(this.disk.check(path, since).code, path);
    });
  }

  override remove(path: string): void {
    super.remove(path);
    this.disk.locked(() => this.disk.remove(path));
  }

  override rename(from: string, to: string): void {
    super.rename(from, to);
    this.disk.locked(() => this.disk.rename(from, to));
  }
}

function failWith(code: string | undefined, path: string): void {
  if (code === undefined) return;
  throw Object.assign(new Error(`${code}: a write-back failed, force '${path}'`), { code, syscall: "fdatasync", path });
}

class WriteBackFile implements StorageFile {
  readonly path: string;
  readonly #inner: StorageFile;
  readonly #disk: WriteBackDisk;
  /** Of errors: what this descriptor has been notified of. */
  #since: number;

  constructor(inner: StorageFile, disk: WriteBackDisk) {
    this.path = inner.path;
    this.#inner = inner;
    this.#disk = disk;
    this.#since = disk.sample(inner.path);
  }

  size(): number {
    return this.#inner.size();
  }

  read(target: Uint8Array, position: number): number {
    return this.#inner.read(target, position);
  }

  write(source: Uint8Array, position: number): void {
    this.#disk.locked(() => {
      this.#inner.write(source, position);
      this.#disk.dirty(this.path, source, position);
    });
  }

  allocate(position: number, length: number): boolean {
    return this.#inner.allocate(position, length);
  }

  seekData(position: number): number {
    return this.#inner.seekData(position);
  }

  seekHole(position: number): number {
    return this.#inner.seekHole(position);
  }

  truncate(size: number): void {
    this.#inner.truncate(size);
    this.#disk.locked(() => this.#disk.truncate(this.path, size));
  }

  force(): void {
    this.#inner.force();
    this.#reach();
  }

  /** What a force of [from, to) has reached, and what it says. */
  #reach(from?: number, to?: number): void {
    this.#disk.locked(() => {
      this.#disk.writeBack(this.path, undefined, from, to);
      const { code, since } = this.#disk.check(this.path, this.#since);
      this.#since = since;
      failWith(code, this.path);
    });
  }

  map(access: MapAccess): Mapping {
    const mapping = this.#inner.map(access);
    return new WriteBackMapping(mapping, (position, length) => this.#reach(position, position + length));
  }

  tryLock(position: number, length: number): boolean {
    return this.#inner.tryLock(position, length);
  }

  isLocked(position: number, length: number): boolean | undefined {
    return this.#inner.isLocked(position, length);
  }

  close(): void {
    this.#inner.close();
  }
}

class WriteBackMapping implements Mapping {
  readonly bytes: Buffer;
  readonly #inner: Mapping;
  readonly #reach: (position: number, length: number) => void;

  constructor(inner: Mapping, reach: (position: number, length: number) => void) {
    this.bytes = inner.bytes;
    this.#inner = inner;
    this.#reach = reach;
  }

  lock(position: number, length: number): boolean {
    return this.#inner.lock(position, length);
  }

  unlock(position: number, length: number): void {
    this.#inner.unlock(position, length);
  }

  force(position: number, length: number): void {
    this.#inner.force(position, length);
    this.#reach(position, length);
  }

  release(position: number, length: number): void {
    this.#inner.release(position, length);
  }

  unmap(): void {
    this.#inner.unmap();
  }
}
