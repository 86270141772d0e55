import { MillraceError } from "@millrace/format";
import { nativeBinding } from "./native-binding.js";
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
  const { PROT_READ, PROT_WRITE, MAP_SHARED } = nativeBinding();
  return mapBytes(fd, size, access === "write" ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED);
}

/** Memory that may be written counts as if it were: a system that promises no more than it has, or has less, may refuse it. */
function mapView(fd: number, size: number): Buffer {
  const { PROT_READ, PROT_WRITE, MAP_PRIVATE } = nativeBinding();
  try {
    return mapBytes(fd, size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOMEM") throw error;
    return mapShared(fd, size, "read");
  }
}

function mapBytes(fd: number, size: number, protection: number, flags: number): Buffer {
  try {
    return nativeBinding().map(size, protection, flags, fd);
  } catch (error) {
    throw refusal(error);
  }
}

/**
 * Runtimes with a memory cage, such as Electron, know no buffers but their own.
 *
 * @forTests
 */
export function refusal(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== "ERR_NO_EXTERNAL_BUFFERS") return error;
  const { electron, node } = process.versions;
  const runtime = electron === undefined ? `node ${node}` : `electron ${electron}`;
  const message = `this runtime allows no buffers of mapped files: run the store in a process of Node.js. runtime=${runtime}`;
  return new MillraceError("ERR_PLATFORM", message, { cause: error });
}

class NativeMapping implements Mapping {
  readonly bytes: Buffer;
  readonly #file: MappedBy;

  constructor(bytes: Buffer, file: MappedBy) {
    this.bytes = bytes;
    this.#file = file;
  }

  force(position: number, length: number): void {
    if (IS_MSYNC_A_FORCE) nativeBinding().sync(this.bytes, position, length, true);
    else this.#file.force();
  }

  lock(position: number, length: number): boolean {
    try {
      nativeBinding().lock(this.bytes, position, length);
      return true;
    } catch (error) {
      if (LOCK_REFUSALS.has((error as NodeJS.ErrnoException).code ?? "")) return false;
      throw error;
    }
  }

  unlock(position: number, length: number): void {
    nativeBinding().unlock(this.bytes, position, length);
  }

  release(position: number, length: number): void {
    nativeBinding().advise(this.bytes, position, length, nativeBinding().MADV_DONTNEED);
  }

  unmap(): void {
    if (nativeBinding().unmap(this.bytes)) this.#file.unmapped();
  }
}
