import type { Frame } from "../sample/frame.js";

/** What the bytes of a place in the log are. */
type SegmentPart = "retained" | "durable" | "written" | "ready";

/** One cell of the strip: a segment, or many that are alike. */
export interface SegmentCell {
  readonly kind: "deleted" | "segment" | "more";
  /** So many segments. */
  readonly count: number;
  /** Of the log, in bytes: where the first one begins. */
  readonly fromOffset: number;
  /** From left to right, as shares of the cell; what is left has not been made ready. */
  readonly parts: readonly { readonly part: SegmentPart; readonly share: number }[];
}

/** Of the finished segments, when not all can be shown. */
const OLDEST_SHOWN = 2;

/**
 * The log from left to right, in at most `most` cells (at least 6): what was deleted, finished segments, the one that is being written,
 * those that are ready. What does not fit is one cell.
 */
export function segmentCells({ min, durable, wrote, ready }: Frame["offsets"], size: number, most: number): SegmentCell[] {
  const first = Math.floor(min / size);
  const end = Math.max(first + 1, Math.ceil(Math.max(wrote, ready) / size));
  const cells: SegmentCell[] = [];
  if (first > 0) cells.push({ kind: "deleted", count: first, fromOffset: 0, parts: [] });
  const segment = (index: number): SegmentCell => ({
    kind: "segment",
    count: 1,
    fromOffset: index * size,
    parts: partsOf(index * size, size, durable ?? wrote, wrote, ready),
  });
  const room = most - cells.length;
  if (end - first <= room) {
    for (let index = first; index < end; index++) cells.push(segment(index));
    return cells;
  }
  const newest = end - (room - OLDEST_SHOWN - 1);
  for (let index = first; index < first + OLDEST_SHOWN; index++) cells.push(segment(index));
  const hidden = newest - first - OLDEST_SHOWN;
  cells.push({ kind: "more", count: hidden, fromOffset: (first + OLDEST_SHOWN) * size, parts: [{ part: "retained", share: 1 }] });
  for (let index = newest; index < end; index++) cells.push(segment(index));
  return cells;
}

function partsOf(from: number, size: number, durable: number, wrote: number, ready: number): SegmentCell["parts"] {
  if (from + size <= Math.min(durable, wrote)) return [{ part: "retained", share: 1 }];
  const ends: readonly (readonly [SegmentPart, number])[] = [
    ["durable", Math.min(durable, wrote)],
    ["written", wrote],
    ["ready", ready],
  ];
  let at = from;
  return ends.flatMap(([part, partEnd]) => {
    const share = (Math.min(partEnd, from + size) - at) / size;
    if (share <= 0) return [];
    at += share * size;
    return [{ part, share }];
  });
}
