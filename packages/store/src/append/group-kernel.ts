import {
  APPENDED_BYTES_ADDRESS,
  APPENDED_FLAGS_ALL_ADDRESS,
  APPENDED_FLAGS_ANY_ADDRESS,
  APPENDED_HINTS_ADDRESS,
  APPENDED_MESSAGES_ADDRESS,
  type Kernels,
  loadKernels,
} from "@millrace/kernels";
import { HINTS, type PutRingConsumer, type QueueTableBuffers } from "@millrace/shared-memory";
import type { PipelineData } from "../pipeline/pipeline-data.js";

const NO_HINTS = 0;

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
  readonly #hints: number;
  /** Hints that have been left so far, and how far they may go. */
  #hinted = 0;
  #hintEnd = 0;
  /** Bytes of the staging area that are in use. */
  #staged = 0;

  constructor(data: PipelineData) {
    this.#kernels = loadKernels(data.kernelMemory);
    this.#staging = data.staging;
    this.#sealsProperties = data.config.enabledAppendPropCRC;
    this.#queues = data.queues;
    this.#words = new Int32Array(data.kernelMemory.buffer);
    this.#hints = data.hints?.byteOffset ?? NO_HINTS;
  }

  /** The value that the word `hintsLeft` gets with what has been appended. */
  get hinted(): number {
    return this.#hinted;
  }

  /** @param hintsTaken what the dispatcher says: there is room for others now */
  setHintsTaken(hintsTaken: number): void {
    if (this.#hints !== NO_HINTS) this.#hintEnd = hintsTaken + HINTS;
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
      this.#hints,
      HINTS - 1,
      this.#hinted & (HINTS - 1),
      this.#hintEnd - this.#hinted,
    );
    const words = this.#words;
    this.bytes = words[APPENDED_BYTES_ADDRESS >>> 2] as number;
    this.messages = words[APPENDED_MESSAGES_ADDRESS >>> 2] as number;
    this.flagsAny = words[APPENDED_FLAGS_ANY_ADDRESS >>> 2] as number;
    this.flagsAll = words[APPENDED_FLAGS_ALL_ADDRESS >>> 2] as number;
    this.#hinted += words[APPENDED_HINTS_ADDRESS >>> 2] as number;
    ring.answered(first, taken);
    this.#staged += this.bytes;
    return taken;
  }
}
