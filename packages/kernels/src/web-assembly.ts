/**
 * What is used of `WebAssembly`, for which Node's types have no names. A shared memory may be posted to other threads: there it is the same
 * memory.
 */
export interface SharedMemoryObject {
  /** All of it; another object after {@link grow}, the same bytes. */
  readonly buffer: SharedArrayBuffer;
  /** By so many pages of 64 KiB. */
  grow(pages: number): number;
}

interface WebAssemblyFace {
  readonly Memory: new (descriptor: { initial: number; maximum: number; shared: true }) => SharedMemoryObject;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

export const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyFace };
