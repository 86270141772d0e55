/** Where a dump asks `getMessage` of a queue: at both ends, and around them. */
export function getOffsets(minOffset: number, maxOffset: number): number[] {
  const offsets = [-1, minOffset - 1, minOffset, maxOffset - 1, maxOffset, maxOffset + 1, maxOffset + 100];
  return [...new Set(offsets)].sort((a, b) => a - b);
}
