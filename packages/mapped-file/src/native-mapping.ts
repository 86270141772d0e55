import mmap from "mmap-io";
import type { MapAccess, Mapping } from "./storage.js";

/** The kernel's answers to mlock beyond RLIMIT_MEMLOCK or without the right to it. */
const LOCK_REFUSALS = new Set(["EAGAIN", "ENOMEM", "EPERM"]);

/** On Linux msync is a force of the range, to the disk. Elsewhere it may end in the disk's cache. */
const IS_MSYNC_A_FORCE = process.platform === "linux";

/** What a mapping asks of its file. */
interface MappedBy {
  force(): void;
  /** Called once. */
  unmapped(): void;
}

/** Maps `size` bytes of an open file. */
export function mapFile(fd: number, size: number, access: MapAccess, file: MappedBy): Mapping {
  return new NativeMapping(access === "view" ? mapView(fd, size) : mapShared(fd, size, access), file);
}

function mapShared(fd: number, size: number, access: "read" | "write"): Buffer {
  const protection = access === "write" ? mmap.PROT_READ | mmap.PROT_WRITE : mmap.PROT_READ;
  return mmap.map(size, protection, mmap.MAP_SHARED, fd);
}

/** Memory that may be written counts as if it were: a system that promises no more than it has, or has less, may refuse it. */
function mapView(fd: number, size: number): Buffer {
  try {
    return mmap.map(size, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE, fd);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOMEM") throw error;
    return mapShared(fd, size, "read");
  }
}

class NativeMapping implements Mapping {
  readonly bytes: Buffer;
  readonly #file: MappedBy;

  constructor(bytes: Buffer, file: MappedBy) {
    this.bytes = bytes;
    this.#file = file;
  }

  force(position: number, length: number): void {
    if (IS_MSYNC_A_FORCE) mmap.sync(this.bytes, position, length, true);
    else this.#file.force();
  }

  lock(position: number, length: number): boolean {
    try {
      mmap.lock(this.bytes, position, length);
      return true;
    } catch (error) {
      if (LOCK_REFUSALS.has((error as NodeJS.ErrnoException).code ?? "")) return false;
      throw error;
    }
  }

  unlock(position: number, length: number): void {
    mmap.unlock(this.bytes, position, length);
  }

  release(position: number, length: number): void {
    mmap.advise(this.bytes, position, length, mmap.MADV_DONTNEED);
  }

  unmap(): void {
    if (mmap.unmap(this.bytes)) this.#file.unmapped();
  }
}
