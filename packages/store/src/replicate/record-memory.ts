import { crc32 } from "@millrace/format";
import { KernelMemory, type Kernels, LONG_BODY, loadKernels } from "@millrace/kernels";

const INITIAL_LENGTH = 256 * 1024;

/**
 * Where a slave keeps what comes until it is appended: memory that the kernels see, because most of a record's cost is its CRC (measured:
 * 250 B, 630 ns without them, 100 with them). Of a client, for all its connections; grows and never shrinks.
 */
export class RecordMemory {
  readonly #memory = new KernelMemory();
  readonly #kernels: Kernels;
  #bytes: Uint8Array;
  #view: DataView;

  constructor() {
    this.#bytes = this.#memory.take(INITIAL_LENGTH);
    this.#view = viewOf(this.#bytes);
    this.#kernels = loadKernels(this.#memory.shared);
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Over {@link bytes}. */
  get view(): DataView {
    return this.#view;
  }

  /** To at least `length` bytes, where it is: nobody else takes of this memory. */
  grow(length: number): void {
    const { byteOffset, length: before } = this.#bytes;
    const larger = INITIAL_LENGTH * Math.ceil(Math.max(length, 2 * before) / INITIAL_LENGTH);
    const { buffer } = this.#memory.take(larger - before);
    this.#bytes = new Uint8Array(buffer, byteOffset, larger);
    this.#view = viewOf(this.#bytes);
  }

  /** Signed 32 bits, of {@link bytes} from `start` to `end`. */
  readonly crc = (bytes: Uint8Array, start: number, end: number): number => {
    if (end - start >= LONG_BODY) return crc32(bytes.subarray(start, end));
    return this.#kernels.crc32(bytes.byteOffset + start, end - start, 0);
  };
}

function viewOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length);
}
