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
 * The appender's side of the put ring. Frames `head … end - 1` may be read; the appender answers each with a result, and gives the whole
 * group back with {@link release}. It writes results only, never bytes or frames: those lines belong to the producer's core.
 */
export class PutRingConsumer {
  readonly bytes: Uint8Array;
  readonly buffers: PutRingBuffers;
  /** One less than the number of frames. */
  readonly frameMask: number;
  readonly #frameWords: Int32Array;
  readonly #frameDoubles: Float64Array;
  readonly #resultWords: Int32Array;
  readonly #resultDoubles: Float64Array;
  readonly #words: PutRingWords<"append">;
  /** Sequence of the next frame to be answered. */
  #answered: number;

  constructor(buffers: PutRingBuffers) {
    this.buffers = buffers;
    const { bytes, frames, results } = buffers;
    this.bytes = bytes;
    this.frameMask = frames.byteLength / FRAME_LENGTH - 1;
    this.#frameWords = new Int32Array(frames.buffer, frames.byteOffset, frames.byteLength / Int32Array.BYTES_PER_ELEMENT);
    this.#frameDoubles = new Float64Array(frames.buffer, frames.byteOffset, frames.byteLength / Float64Array.BYTES_PER_ELEMENT);
    this.#resultWords = new Int32Array(results.buffer, results.byteOffset, results.byteLength / Int32Array.BYTES_PER_ELEMENT);
    this.#resultDoubles = new Float64Array(results.buffer, results.byteOffset, results.byteLength / Float64Array.BYTES_PER_ELEMENT);
    this.#words = putRingWords(buffers, "append");
    this.#answered = this.#words.head.value;
  }

  get head(): number {
    return this.#words.head.value;
  }

  /** End of the frames that the producer has published. */
  get tail(): number {
    return this.#words.tail.get();
  }

  get isBurst(): boolean {
    return this.#words.burst.get() !== 0;
  }

  /** The results are released: their producer may look. */
  wakeProducer(): void {
    this.#words.resultTail.nudge();
  }

  slotOf(sequence: number): number {
    return sequence & this.frameMask;
  }

  position(slot: number): number {
    return this.#frameWords[slot * FRAME_WORDS + FRAME_POSITION_WORD] as number;
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

  bodyOffset(slot: number): number {
    return this.#frameWords[slot * FRAME_WORDS + FRAME_BODY_OFFSET_WORD] as number;
  }

  flags(slot: number): number {
    return this.#frameWords[slot * FRAME_WORDS + FRAME_FLAGS_WORD] as number;
  }

  putTimeUs(slot: number): number {
    return this.#frameDoubles[slot * FRAME_DOUBLES + FRAME_PUT_TIME_DOUBLE] as number;
  }

  /**
   * Writes the answer; the producer sees it after {@link release}. Frames are answered in their order, each once.
   *
   * @throws InvariantError a second answer would acknowledge the record of another frame, perhaps one that is not written
   */
  answer(slot: number, status: number, physicalOffset: number, queueOffset: number, storeTimestamp: number): void {
    if (slot !== (this.#answered & this.frameMask)) throw this.#notInOrder(`slot=${slot}`);
    this.#answered++;
    const double = slot * RESULT_DOUBLES;
    const doubles = this.#resultDoubles;
    doubles[double + RESULT_PHYSICAL_OFFSET_DOUBLE] = physicalOffset;
    doubles[double + RESULT_QUEUE_OFFSET_DOUBLE] = queueOffset;
    doubles[double + RESULT_STORE_TIMESTAMP_DOUBLE] = storeTimestamp;
    this.#resultWords[slot * RESULT_WORDS + RESULT_STATUS_WORD] = status;
  }

  /** The append kernel has written the results of the `count` frames from `first` on. @throws InvariantError as {@link answer} */
  answered(first: number, count: number): void {
    if (first !== this.#answered) throw this.#notInOrder(`first=${first}`);
    this.#answered += count;
  }

  /**
   * Gives all frames below `end` back and shows their results. Wakes nobody.
   *
   * @throws InvariantError unless each of them, and no other, has been answered
   */
  release(end: number): void {
    if (end !== this.#answered) throw this.#notInOrder(`end=${end}`);
    this.#words.head.set(end);
    this.#words.resultTail.set(end);
  }

  #notInOrder(what: string): InvariantError {
    return new InvariantError(`frames are answered in order, each once: ${what} answered=${this.#answered} head=${this.head}`);
  }
}
