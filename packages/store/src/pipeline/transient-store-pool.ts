/** Which of the pool's buffers a segment uses. */
export function poolIndex(fromOffset: number, segmentSize: number, poolSize: number): number {
  return Math.floor(fromOffset / segmentSize) % poolSize;
}
