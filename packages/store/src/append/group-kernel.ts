import { HA_TRANSFER_HEADER_LENGTH } from "@millrace/format";
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
import { type PipelineData, STAGING_HEAD_LENGTH } from "../pipeline/pipeline-data.js";

const NO_HINTS = 0;

/**
 * The append kernel over a ring, the queue offsets and the staging area: the sealed records of a group side by side, from where they go to
 * the segment, in one write if they can. Its fields say what the last {@link append} has done.
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
  /** Of the group: bytes that lie in the staging area, and how many of them have been taken. */
  #end = 0;
  #taken = 0;

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

  /** The next records begin at the front again, where the cache is warm. */
  begin(): void {
    this.#end = 0;
    this.#taken = 0;
  }

  /** For a record of so many bytes, after all before it have been taken. Those are kept if they can be. */
  makeRoom(length: number): void {
    if (this.#staging.length - STAGING_HEAD_LENGTH - this.#end < length) this.begin();
  }

  /** Bytes that have not been taken. */
  get staged(): number {
    return this.#end - this.#taken;
  }

  /** The staged records, for the segment. */
  take(): Uint8Array {
    const records = this.#staging.subarray(STAGING_HEAD_LENGTH + this.#taken, STAGING_HEAD_LENGTH + this.#end);
    this.#taken = this.#end;
    return records;
  }

  /** Bytes that have been taken and are still there. */
  get taken(): number {
    return this.#taken;
  }

  /** Those, with room for a transfer's header before them. */
  get transfer(): Uint8Array {
    return this.#staging.subarray(STAGING_HEAD_LENGTH - HA_TRANSFER_HEADER_LENGTH, STAGING_HEAD_LENGTH + this.#taken);
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
      this.#staging.byteOffset + STAGING_HEAD_LENGTH + this.#end,
      this.#staging.length - STAGING_HEAD_LENGTH - this.#end,
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
    this.#end += this.bytes;
    return taken;
  }
}
