import { readWholeFile, replaceFile } from "./small-file.js";
import type {
  DiskUsage,
  Fault,
  FaultOperation,
  FileAccess,
  MapAccess,
  Mapping,
  Storage,
  StorageEntry,
  StorageFile,
} from "./storage.js";

/** Wraps a Storage and fails, by plan, at named operations on named paths; everything else goes through. */
export class FaultyStorage implements Storage {
  readonly #inner: Storage;
  readonly #plan: FaultPlan;

  constructor(inner: Storage, faults: readonly Fault[]) {
    this.#inner = inner;
    this.#plan = new FaultPlan(faults);
  }

  open(path: string, access: FileAccess): StorageFile {
    this.#plan.check("open", path);
    this.#plan.check("descriptor", path);
    return new FaultyStorageFile(this.#inner.open(path, access), this.#plan);
  }

  exists(path: string): boolean {
    return this.#inner.exists(path);
  }

  list(directory: string): StorageEntry[] {
    this.#plan.check("read", directory);
    this.#plan.check("descriptor", directory);
    return this.#inner.list(directory);
  }

  realPath(directory: string): string {
    return this.#inner.realPath(directory);
  }

  entry(path: string): StorageEntry | undefined {
    this.#plan.check("read", path);
    return this.#inner.entry(path);
  }

  /** Its name is made durable through a descriptor; where that fails, it is not made. */
  makeDirectory(path: string, durable = true): boolean {
    if (durable && !this.#inner.exists(path)) this.#plan.check("descriptor", path);
    return this.#inner.makeDirectory(path, durable);
  }

  async forceInBackground(path: string): Promise<void> {
    this.#plan.check("force", path);
    this.#plan.check("descriptor", path);
    await this.#inner.forceInBackground(path);
  }

  remove(path: string): void {
    this.#plan.check("remove", path);
    this.#inner.remove(path);
  }

  removeDirectory(path: string): void {
    this.#plan.check("removeDirectory", path);
    this.#inner.removeDirectory(path);
  }

  rename(from: string, to: string): void {
    this.#plan.check("rename", to);
    this.#inner.rename(from, to);
  }

  share(from: string, to: string): boolean {
    const fault = this.#plan.due("share", to);
    if (fault?.code === "EXDEV") return false;
    if (fault !== undefined) throw faultError(fault, "share", to);
    this.#plan.check("descriptor", to); // of a reflink; a hard link needs none
    return this.#inner.share(from, to);
  }

  syncDirectory(path: string): void {
    this.#plan.check("syncDirectory", path);
    this.#plan.check("descriptor", path);
    this.#inner.syncDirectory(path);
  }

  readSmall(path: string): Uint8Array | undefined {
    return readWholeFile(this, path);
  }

  writeSmall(path: string, content: Uint8Array): void {
    replaceFile(this, path, content);
  }

  diskUsage(path: string): DiskUsage {
    const fault = this.#plan.due("diskUsage", path);
    if (fault === undefined) return this.#inner.diskUsage(path);
    if (fault.usedPercent === undefined) throw faultError(fault, "diskUsage", path);
    return {
      totalBytes: PLANNED_DISK_BYTES,
      usedBytes: fault.usedPercent * PERCENT,
      freeBytes: (100 - fault.usedPercent) * PERCENT,
    };
  }
}

/** Of a planned {@link DiskUsage}. */
const PERCENT = 1024 * 1024 * 1024;
const PLANNED_DISK_BYTES = 100 * PERCENT;

/** Slept on by calls that are slow. */
const NEVER = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** Counts matching calls per fault. */
class FaultPlan {
  readonly #faults: readonly Fault[];
  readonly #calls: number[];

  constructor(faults: readonly Fault[]) {
    this.#faults = faults;
    this.#calls = faults.map(() => 0);
  }

  /** The fault that this call must fail by. Every matching fault counts the call. */
  due(operation: FaultOperation, path: string): Fault | undefined {
    let due: Fault | undefined;
    for (const [index, fault] of this.#faults.entries()) {
      if (fault.operation !== operation || !path.includes(fault.path)) continue;
      const call = this.#calls[index] as number;
      this.#calls[index] = call + 1;
      if (call < fault.after || call >= fault.after + (fault.times ?? Number.POSITIVE_INFINITY)) continue;
      if (fault.delayMs !== undefined) Atomics.wait(NEVER, 0, 0, fault.delayMs);
      if (fault.code !== undefined || fault.usedPercent !== undefined) due ??= fault;
    }
    return due;
  }

  check(operation: FaultOperation, path: string): void {
    const fault = this.due(operation, path);
    if (fault !== undefined) throw faultError(fault, operation, path);
  }
}

/** Shaped as Node's own: `code`, `syscall`, `path`. */
function faultError(fault: Fault, operation: FaultOperation, path: string): NodeJS.ErrnoException {
  const error = new Error(`${fault.code}: planned fault, ${operation} '${path}'`);
  return Object.assign(error, { code: fault.code, syscall: operation, path });
}

class FaultyStorageFile implements StorageFile {
  readonly path: string;
  readonly #inner: StorageFile;
  readonly #plan: FaultPlan;

  constructor(inner: StorageFile, plan: FaultPlan) {
    this.path = inner.path;
    this.#inner = inner;
    this.#plan = plan;
  }

  size(): number {
    return this.#inner.size();
  }

  read(target: Uint8Array, position: number): number {
    const fault = this.#plan.due("read", this.path);
    if (fault === undefined) return this.#inner.read(target, position);
    if (fault.partialBytes !== undefined) this.#inner.read(target.subarray(0, fault.partialBytes), position);
    throw faultError(fault, "read", this.path);
  }

  write(source: Uint8Array, position: number): void {
    const fault = this.#plan.due("write", this.path);
    if (fault === undefined) return this.#inner.write(source, position);
    if (fault.partialBytes !== undefined) this.#inner.write(source.subarray(0, fault.partialBytes), position);
    throw faultError(fault, "write", this.path);
  }

  allocate(position: number, length: number): boolean {
    const fault = this.#plan.due("allocate", this.path);
    if (fault?.code === "EOPNOTSUPP") return false;
    if (fault !== undefined) throw faultError(fault, "allocate", this.path);
    return this.#inner.allocate(position, length);
  }

  seekData(position: number): number {
    this.#plan.check("read", this.path);
    return this.#inner.seekData(position);
  }

  seekHole(position: number): number {
    this.#plan.check("read", this.path);
    return this.#inner.seekHole(position);
  }

  truncate(size: number): void {
    this.#plan.check("truncate", this.path);
    this.#inner.truncate(size);
  }

  force(): void {
    this.#plan.check("force", this.path);
    this.#inner.force();
  }

  map(access: MapAccess): Mapping {
    this.#plan.check("map", this.path);
    return new FaultyMapping(this.#inner.map(access), this.path, this.#plan);
  }

  tryLock(position: number, length: number): boolean {
    this.#plan.check("lock", this.path);
    return this.#inner.tryLock(position, length);
  }

  isLocked(position: number, length: number): boolean | undefined {
    this.#plan.check("lock", this.path);
    return this.#inner.isLocked(position, length);
  }

  close(): void {
    this.#inner.close();
  }
}

class FaultyMapping implements Mapping {
  readonly bytes: Buffer;
  readonly #inner: Mapping;
  readonly #path: string;
  readonly #plan: FaultPlan;

  constructor(inner: Mapping, path: string, plan: FaultPlan) {
    this.bytes = inner.bytes;
    this.#inner = inner;
    this.#path = path;
    this.#plan = plan;
  }

  lock(position: number, length: number): boolean {
    return this.#plan.due("lock", this.#path) === undefined && this.#inner.lock(position, length);
  }

  force(position: number, length: number): void {
    this.#plan.check("force", this.#path);
    this.#inner.force(position, length);
  }

  unlock(position: number, length: number): void {
    this.#inner.unlock(position, length);
  }

  release(position: number, length: number): void {
    this.#inner.release(position, length);
  }

  unmap(): void {
    this.#inner.unmap();
  }
}
