import type { Mapping } from "@millrace/mapped-file";
import { InvariantError } from "@millrace/shared-memory";

/**
 * A file as memory of the main thread, shared by all who hold it. The first lease is the reader's own; {@link shutdown} ends that
 * one, and the last to go unmaps. `bytes` of the log are handed out: what somebody stores there costs this mapping the page.
 * (RocketMQ: `ReferenceResource`, as `MappedFile` is one.)
 */
export class ReadSegment {
  /** Absolute offset of the first byte, and the one past the last. */
  readonly fromOffset: number;
  readonly endOffset: number;
  /** The whole file; empty once it is unmapped, as is every view of it. */
  readonly bytes: Buffer;
  /** When it was last used, on the clock of its {@link ReadSegmentTable}. */
  usedAt = 0;
  readonly #mapping: Mapping;
  #view: DataView | undefined;
  #holders = 0;
  #isAvailable = true;

  constructor(mapping: Mapping, fromOffset: number) {
    this.#mapping = mapping;
    this.bytes = mapping.bytes;
    this.fromOffset = fromOffset;
    this.endOffset = fromOffset + mapping.bytes.length;
  }

  /** The same memory as `bytes`; only while it is mapped. */
  get view(): DataView {
    this.#view ??= new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    return this.#view;
  }

  get isMapped(): boolean {
    return this.bytes.length > 0;
  }

  /** Leases that have not been given back. */
  get holders(): number {
    return this.#holders;
  }

  /** Takes a lease; false when the segment is on its way out. */
  hold(): boolean {
    if (!this.#isAvailable) return false;
    this.#holders++;
    return true;
  }

  /**
   * Gives one lease back.
   *
   * @throws InvariantError when there is none: another's lease would end, and its views become empty under it
   */
  release(): void {
    if (this.#holders === 0) throw new InvariantError(`a lease was released twice: fromOffset=${this.fromOffset}`);
    this.#holders--;
    if (this.#holders === 0 && !this.#isAvailable) this.#mapping.unmap();
  }

  /** No more leases; unmapped now if nobody holds it, otherwise with the last release. */
  shutdown(): void {
    this.#isAvailable = false;
    if (this.#holders === 0) this.#mapping.unmap();
  }

  /** Unmaps, whoever holds it: their views become empty. */
  releaseByForce(): void {
    this.#isAvailable = false;
    this.#mapping.unmap();
  }
}
