import { InvariantError } from "./invariant-error.js";
import type { PutRingBuffers } from "./put-ring-buffers.js";
import {
  FRAME_BODY_OFFSET_WORD,
  FRAME_DOUBLES,
  FRAME_FLAGS_WORD,
  FRAME_LENGTH,
  FRAME_MESSAGES_WORD,
  FRAME_POSITION_WORD,
  FRAME_PUT_TIME_DOUBLE,
  FRAME_QUEUE_SLOT_WORD,
  FRAME_RECORD_LENGTH_WORD,
  FRAME_WORDS,
  RESULT_DOUBLES,
  RESULT_PHYSICAL_OFFSET_DOUBLE,
  RESULT_QUEUE_OFFSET_DOUBLE,
  RESULT_STATUS_WORD,
  RESULT_STORE_TIMESTAMP_DOUBLE,
  RESULT_WORDS,
} from "./put-ring-descriptor.js";
import { type PutRingWords, putRingWords } from "./put-ring-words.js";

/**
 * The producer's side of the put ring; one thread only.
 *
 * claim → write the record into `bytes` at the claimed position → commit → (more of them) → publish, once per group.
 * `taken ≤ published ≤ committed` count frames; results are taken in the order of the frames.
 */
export class PutRingProducer {
  readonly bytes: Uint8Array;
  readonly frameCapacity: number;
  readonly #frameMask: number;
  readonly #frameWords: Int32Array;
  readonly #frameDoubles: Float64Array;
  readonly #resultWords: Int32Array;
  readonly #resultDoubles: Float64Array;
  readonly #words: PutRingWords<"producer">;
  #committed: number;
  #taken: number;
  /** Last head seen; every frame below it is free for bytes. */
  #headSeen: number;
  /** Ring position after the newest record. */
  #position = 0;
  /** Bytes committed and not yet published. */
  #unpublishedBytes = 0;

  constructor(buffers: PutRingBuffers) {
    const { bytes, frames, results } = buffers;
    this.bytes = bytes;
    this.frameCapacity = frames.byteLength / FRAME_LENGTH;
    this.#frameMask = this.frameCapacity - 1;
    this.#frameWords = new Int32Array(frames.buffer, frames.byteOffset, frames.byteLength / Int32Array.BYTES_PER_ELEMENT);
    this.#frameDoubles = new Float64Array(frames.buffer, frames.byteOffset, frames.byteLength / Float64Array.BYTES_PER_ELEMENT);
    this.#resultWords = new Int32Array(results.buffer, results.byteOffset, results.byteLength / Int32Array.BYTES_PER_ELEMENT);
    this.#resultDoubles = new Float64Array(results.buffer, results.byteOffset, results.byteLength / Float64Array.BYTES_PER_ELEMENT);
    this.#words = putRingWords(buffers, "producer");
    const { value } = this.#words.tail;
    this.#committed = value;
    this.#taken = value;
    this.#headSeen = value;
  }

  /** Frames committed and not yet answered. */
  get inFlight(): number {
    return this.#committed - this.#taken;
  }

  get unpublishedBytes(): number {
    return this.#unpublishedBytes;
  }

  /** Sequence of the next frame to be answered. */
  get taken(): number {
    return this.#taken;
  }

  get committed(): number {
    return this.#committed;
  }

  slotOf(sequence: number): number {
    return sequence & this.#frameMask;
  }

  /** Position for a record of `length` bytes, or -1 while the ring is full. Claims nothing until {@link commit}. */
  claim(length: number): number {
    if (this.#committed - this.#taken === this.frameCapacity) return -1;
    if (this.#headSeen < this.#taken) this.#headSeen = this.#taken; // an answered frame is consumed, and its slot may be reused
    const position = this.#free(length);
    if (position >= 0) return position;
    const head = this.#words.head.get();
    if (head <= this.#headSeen) return -1; // what was taken is consumed too
    this.#headSeen = head;
    return this.#free(length);
  }

  /** Ring position where a record of `length` bytes fits given {@link #headSeen}, or -1. One byte stays free: full is not empty. */
  #free(length: number): number {
    if (this.#headSeen === this.#committed) {
      this.#position = 0; // everything is consumed: start over where the cache is warm
      return length <= this.bytes.length ? 0 : -1;
    }
    const oldest = this.#frameWords[(this.#headSeen & this.#frameMask) * FRAME_WORDS + FRAME_POSITION_WORD] as number;
    const position = this.#position;
    if (position > oldest) {
      if (position + length <= this.bytes.length) return position;
      return length < oldest ? 0 : -1;
    }
    return position + length < oldest ? position : -1;
  }

  /** Frames the record that was written at `position`. It is seen by nobody before {@link publish}. */
  commit(
    position: number,
    length: number,
    messages: number,
    queueSlot: number,
    bodyOffset: number,
    flags: number,
    putTimeUs: number,
  ): void {
    const slot = this.#committed & this.#frameMask;
    const word = slot * FRAME_WORDS;
    const words = this.#frameWords;
    words[word + FRAME_POSITION_WORD] = position;
    words[word + FRAME_RECORD_LENGTH_WORD] = length;
    words[word + FRAME_MESSAGES_WORD] = messages;
    words[word + FRAME_QUEUE_SLOT_WORD] = queueSlot;
    words[word + FRAME_BODY_OFFSET_WORD] = bodyOffset;
    words[word + FRAME_FLAGS_WORD] = flags;
    this.#frameDoubles[slot * FRAME_DOUBLES + FRAME_PUT_TIME_DOUBLE] = putTimeUs;
    this.#position = position + length;
    this.#unpublishedBytes += length;
    this.#committed++;
  }

  /** Shows the committed frames to the appender; false when it has seen them all. Wakes nobody: {@link PutBell}. */
  publish(): boolean {
    if (this.#words.tail.value === this.#committed) return false;
    this.#unpublishedBytes = 0;
    this.#words.tail.set(this.#committed);
    return true;
  }

  /** Whether more comes within microseconds. */
  set burst(isOn: boolean) {
    this.#words.burst.set(isOn ? 1 : 0);
  }

  /** Resolves when the appender says that there are results; undefined when there are some already that {@link resultEnd} has not shown. */
  resultsLater(): Promise<unknown> | undefined {
    const { resultTail } = this.#words;
    return resultTail.waitAsync(resultTail.get());
  }

  /** Wakes this thread's own sleeper, who would keep the memory for the life of the process. */
  nudge(): void {
    this.#words.resultTail.nudge();
  }

  /** How many results may be read now: sequences `taken … resultEnd() - 1`. */
  resultEnd(): number {
    return this.#words.resultTail.get();
  }

  /**
   * Gives back frame and result of the oldest unanswered sequence.
   *
   * @throws InvariantError when there is none: its put would be settled twice
   */
  take(): void {
    if (this.#taken === this.#committed) throw new InvariantError(`no frame is in flight: taken=${this.#taken}`);
    this.#taken++;
  }

  recordLength(slot: number): number {
    return this.#frameWords[slot * FRAME_WORDS + FRAME_RECORD_LENGTH_WORD] as number;
  }

  messages(slot: number): number {
    return this.#frameWords[slot * FRAME_WORDS + FRAME_MESSAGES_WORD] as number;
  }

  queueSlot(slot: number): number {
    return this.#frameWords[slot * FRAME_WORDS + FRAME_QUEUE_SLOT_WORD] as number;
  }

  flags(slot: number): number {
    return this.#frameWords[slot * FRAME_WORDS + FRAME_FLAGS_WORD] as number;
  }

  putTimeUs(slot: number): number {
    return this.#frameDoubles[slot * FRAME_DOUBLES + FRAME_PUT_TIME_DOUBLE] as number;
  }

  resultStatus(slot: number): number {
    return this.#resultWords[slot * RESULT_WORDS + RESULT_STATUS_WORD] as number;
  }

  resultPhysicalOffset(slot: number): number {
    return this.#resultDoubles[slot * RESULT_DOUBLES + RESULT_PHYSICAL_OFFSET_DOUBLE] as number;
  }

  resultQueueOffset(slot: number): number {
    return this.#resultDoubles[slot * RESULT_DOUBLES + RESULT_QUEUE_OFFSET_DOUBLE] as number;
  }

  resultStoreTimestamp(slot: number): number {
    return this.#resultDoubles[slot * RESULT_DOUBLES + RESULT_STORE_TIMESTAMP_DOUBLE] as number;
  }

  /** Bytes between the oldest unconsumed record and the newest, for stats. */
  usedBytes(): number {
    const head = this.#words.head.get();
    if (head === this.#committed) return 0;
    const oldest = this.#frameWords[(head & this.#frameMask) * FRAME_WORDS + FRAME_POSITION_WORD] as number;
    const used = this.#position - oldest;
    return used > 0 ? used : used + this.bytes.length;
  }

  usedFrames(): number {
    return this.#committed - this.#words.head.get();
  }
}
