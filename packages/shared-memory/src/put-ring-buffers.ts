import type { CounterKind } from "./control-block-descriptor.js";
import { LATENCY_HISTOGRAM_LENGTH } from "./latency-histogram.js";
import { FRAME_LENGTH, PUT_RING_SCRATCH_LENGTH, PUT_RING_WORD_LINE, RESULT_LENGTH } from "./put-ring-descriptor.js";

export type PutRingSide = "producer" | "append";

/** Word → owner and kind; the order is the layout: a line of 128 bytes each, as in the control block. */
export const PUT_RING_WORDS = {
  /** End of the frames published to the appender, which looks at it when the put bell has rung. */
  tail: { owner: "producer", kind: "position" },
  /** SYNC_FLUSH: 1 while the producer is in the middle of a burst: more frames come within microseconds. */
  burst: { owner: "producer", kind: "gauge" },
  /** End of the frames that the appender has consumed. */
  head: { owner: "append", kind: "position" },
  /** End of the results published. The producer sleeps on it (notified for acks that need no force, and for failures). */
  resultTail: { owner: "append", kind: "position" },
} as const satisfies Record<string, { owner: PutRingSide; kind: CounterKind }>;

export type PutRingWordName = keyof typeof PUT_RING_WORDS;

const WORD_NAMES = Object.keys(PUT_RING_WORDS) as PutRingWordName[];

/** Index of a word's first i32. */
export function putRingWord(name: PutRingWordName): number {
  return WORD_NAMES.indexOf(name) * PUT_RING_WORD_LINE;
}

/** What a producer has counted, f64 each; then its histogram of put to ack. */
export const PutRingTotal = { messages: 0, bytes: 1, failed: 2, stalls: 3 } as const;
const TOTALS = Object.keys(PutRingTotal).length;

/** What travels to the appender: regions of one memory, in which the kernels work too. */
export interface PutRingBuffers {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly frames: Uint8Array<SharedArrayBuffer>;
  readonly results: Uint8Array<SharedArrayBuffer>;
  /** The producer's own; nobody else looks at it. */
  readonly scratch: Uint8Array<SharedArrayBuffer>;
  /** The producer's: {@link PutRingTotal}, for the stats. */
  readonly totals: Float64Array<SharedArrayBuffer>;
  readonly putToAckUs: Float64Array<SharedArrayBuffer>;
}

/** Hands out regions of a memory, all zero, each on cache lines of its own. */
export interface Regions {
  take(length: number): Uint8Array<SharedArrayBuffer>;
}

/** The largest region first: where that does not fit, nothing has been taken. */
export function allocatePutRing(regions: Regions, byteCapacity: number, frameCapacity: number): PutRingBuffers {
  const bytes = regions.take(byteCapacity);
  const words = regions.take(WORD_NAMES.length * PUT_RING_WORD_LINE * Int32Array.BYTES_PER_ELEMENT);
  const totals = regions.take(TOTALS * Float64Array.BYTES_PER_ELEMENT);
  const histogram = regions.take(LATENCY_HISTOGRAM_LENGTH);
  return {
    words: new Int32Array(words.buffer, words.byteOffset, WORD_NAMES.length * PUT_RING_WORD_LINE),
    totals: new Float64Array(totals.buffer, totals.byteOffset, TOTALS),
    putToAckUs: new Float64Array(histogram.buffer, histogram.byteOffset, LATENCY_HISTOGRAM_LENGTH / Float64Array.BYTES_PER_ELEMENT),
    bytes,
    frames: regions.take(frameCapacity * FRAME_LENGTH),
    results: regions.take(frameCapacity * RESULT_LENGTH),
    scratch: regions.take(PUT_RING_SCRATCH_LENGTH),
  };
}
