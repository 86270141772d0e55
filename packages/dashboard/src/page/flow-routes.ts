import type { StageName } from "../sample/limit.js";

/** A stage's place in the picture, in pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** What flows from where to where. */
export const FLOWS: readonly (readonly [from: StageName, to: StageName])[] = [
  ["producers", "ring"],
  ["ring", "append"],
  ["append", "force"],
  ["append", "dispatch"],
  ["allocate", "append"],
];

/** Boxes one above the other with no other between them are so close. */
const ADJACENT = 48;
/** Of a line that goes past boxes on their left; each has a lane of its own. */
const LANE = 7;
/** Where a line leaves a box whose middle is another line's. */
const SECOND_EXIT = 0.72;

/**
 * The path of a line between two boxes, in SVG's words: straight to the right, stepped to the right and down, up or down between rows, or
 * past what lies between along the left edge.
 */
export function routeBetween(from: Box, to: Box, lane: number): string {
  const isSameRow = Math.abs(from.top - to.top) < 1;
  if (to.left >= from.right) {
    const startY = isSameRow ? middle(from.top, from.bottom) : from.top + SECOND_EXIT * (from.bottom - from.top);
    const endY = isSameRow ? startY : middle(to.top, to.bottom);
    const turnX = middle(from.right, to.left);
    return isSameRow ? `M${from.right} ${startY}H${to.left}` : `M${from.right} ${startY}H${turnX}V${endY}H${to.left}`;
  }
  const isDown = to.top >= from.bottom;
  const [startY, endY] = isDown ? [from.bottom, to.top] : [from.top, to.bottom];
  if (Math.abs(endY - startY) <= ADJACENT) {
    const [startX, endX] = [middle(from.left, from.right), middle(to.left, to.right)];
    return startX === endX ? `M${startX} ${startY}V${endY}` : `M${startX} ${startY}V${middle(startY, endY)}H${endX}V${endY}`;
  }
  const x = Math.min(from.left, to.left) - LANE * (lane + 1);
  return `M${from.left} ${middle(from.top, from.bottom)}H${x}V${middle(to.top, to.bottom) + LANE * lane}H${to.left}`;
}

function middle(a: number, b: number): number {
  return (a + b) / 2;
}
