import {
  APPENDED_BYTES_ADDRESS,
  APPENDED_FLAGS_ALL_ADDRESS,
  APPENDED_FLAGS_ANY_ADDRESS,
  APPENDED_MESSAGES_ADDRESS,
  type Kernels,
  loadKernels,
} from "@millrace/kernels";
import type { PutRingConsumer, QueueTableBuffers } from "@millrace/shared-memory";
import type { PipelineData } from "../pipeline/pipeline-data.js";

/**
 * The append kernel over a ring, the queue offsets and the staging area: sealed records side by side, from where they go to the segment
 * in one write. Its fields say what the last {@link append} has done.
 */
export class GroupKernel {
  bytes = 0;
  messages = 0;
  /** Frame flags that any of the frames has, and that all of them have. */
  flagsAny = 0;
  flagsAll = 0;
  readonly #kernels: Kernels;
  readonly #staging: Uint8Array;
  readonly #sealsProperties: boolean;
  readonly #queues: QueueTableBuffers;
  readonly #words: Int32Array;
  /** Bytes of the staging area that are in use. */
  #staged = 0;

  constructor(data: PipelineData) {
    this.#kernels = loadKernels(data.kernelMemory);
    this.#staging = data.staging;
    this.#sealsProperties = data.config.enabledAppendPropCRC;
    this.#queues = data.queues;
    this.#words = new Int32Array(data.kernelMemory.buffer);
  }

  get staged(): number {
    return this.#staged;
  }

  /** The staged records, for the segment; the next ones begin again at the front, where the cache is warm. */
  take(): Uint8Array {
    const records = this.#staging.subarray(0, this.#staged);
    this.#staged = 0;
    return records;
  }

  /**
   * Stages, seals and answers frames from `first` on, in order: at most `count`, until `groupBytes` are reached, before the first that does
   * not fit `room` with a blank record after it, or the staging area. Returns how many.
   */
  append(
    ring: PutRingConsumer,
    first: number,
    count: number,
    room: number,
    groupBytes: number,
    offset: number,
    storeTimestamp: number,
  ): number {
    const { bytes, frames, results } = ring.buffers;
    const { nextQueueOffsets, putMessages, putBytes } = this.#queues;
    const taken = this.#kernels.append(
      frames.byteOffset,
      results.byteOffset,
      ring.frameMask,
      ring.slotOf(first),
      count,
      bytes.byteOffset,
      nextQueueOffsets.byteOffset,
      putMessages.byteOffset,
      putBytes.byteOffset,
      this.#staging.byteOffset + this.#staged,
      this.#staging.length - this.#staged,
      room,
      groupBytes,
      offset,
      storeTimestamp,
      this.#sealsProperties,
    );
    const words = this.#words;
    this.bytes = words[APPENDED_BYTES_ADDRESS >>> 2] as number;
    this.messages = words[APPENDED_MESSAGES_ADDRESS >>> 2] as number;
    this.flagsAny = words[APPENDED_FLAGS_ANY_ADDRESS >>> 2] as number;
    this.flagsAll = words[APPENDED_FLAGS_ALL_ADDRESS >>> 2] as number;
    ring.answered(first, taken);
    this.#staged += this.bytes;
    return taken;
  }
}
