import { KERNEL_REGIONS_ADDRESS } from "./kernel-memory-descriptor.js";
import { type SharedMemoryObject, WebAssembly } from "./web-assembly.js";

const PAGE = 64 * 1024;
/** 4 GiB; pages of it are only taken when they are first touched. */
const MAX_PAGES = 65_536;
/** Two cache lines: neighbours may have different writers. */
const ALIGNMENT = 128;

/** Memory that the kernels see, handed out in regions. Main thread; other threads are given the regions. */
export class KernelMemory {
  readonly shared: SharedMemoryObject;
  #end: number;

  /** @param shared a memory that is in use: regions begin at its end */
  constructor(shared = newMemory()) {
    this.shared = shared;
    this.#end = shared.buffer.byteLength;
  }

  /** `length` bytes, all zero. A region's `byteOffset` is its address. Never given back. */
  take(length: number): Uint8Array<SharedArrayBuffer> {
    const start = Math.ceil(this.#end / ALIGNMENT) * ALIGNMENT;
    this.#end = start + length;
    const missing = this.#end - this.shared.buffer.byteLength;
    if (missing > 0) this.shared.grow(Math.ceil(missing / PAGE));
    return new Uint8Array(this.shared.buffer, start, length);
  }
}

function newMemory(): SharedMemoryObject {
  return new WebAssembly.Memory({ initial: KERNEL_REGIONS_ADDRESS / PAGE, maximum: MAX_PAGES, shared: true });
}
