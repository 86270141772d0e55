import type { MappedFile } from "@millrace/mapped-file";
import type { ReadableCounter } from "@millrace/shared-memory";
import { poolIndex } from "../pipeline/transient-store-pool.js";
import type { SegmentWriter } from "./segment-writer.js";

/**
 * RocketMQ's TransientStorePool: bytes go into memory, and the flush worker's PoolCommitter writes them to the file. Segment k uses
 * buffer k mod size, so nobody keeps a list of free buffers: it is free when segment k - size has been committed.
 */
export class PoolSegmentWriter implements SegmentWriter {
  readonly #buffers: readonly Uint8Array[];
  readonly #committedOffset: ReadableCounter;
  #current: Uint8Array | undefined;
  /** One past the last write, in #current. */
  #end = 0;

  constructor(buffers: readonly SharedArrayBuffer[], committedOffset: ReadableCounter) {
    this.#buffers = buffers.map((buffer) => new Uint8Array(buffer));
    this.#committedOffset = committedOffset;
  }

  /** What the buffer's last use left after the blank record must not reach the file. */
  enter(segment: MappedFile): void {
    this.#current?.fill(0, this.#end);
    this.#current = this.#buffers[poolIndex(segment.fromOffset, segment.size, this.#buffers.length)];
  }

  isReady(segment: MappedFile): boolean {
    return this.#committedOffset.get() >= segment.endOffset - this.#buffers.length * segment.size;
  }

  write(bytes: Uint8Array, position: number): void {
    (this.#current as Uint8Array).set(bytes, position);
    this.#end = position + bytes.length;
  }

  close(): void {
    this.#current = undefined;
  }
}
