const CHUNK_UNITS = 65_536;

/** Told of every acknowledged unit, when its acknowledgement arrives; offsets of the unit's first message. */
export interface AcknowledgementSink {
  set(unit: number, physicalOffset: number, queueOffset: number): void;
}

/** Where each acknowledged unit landed, by unit number: 16 bytes each, in chunks, nothing copied as it grows. */
export class AcknowledgementLog implements AcknowledgementSink {
  /** What a log on another thread is made of. */
  readonly chunks: Float64Array<ArrayBuffer>[];

  constructor(chunks: readonly Float64Array<ArrayBuffer>[] = []) {
    this.chunks = [...chunks];
  }

  set(unit: number, physicalOffset: number, queueOffset: number): void {
    const index = Math.floor(unit / CHUNK_UNITS);
    while (this.chunks.length <= index) this.chunks.push(new Float64Array(2 * CHUNK_UNITS).fill(-1));
    const chunk = this.chunks[index] as Float64Array;
    const at = 2 * (unit % CHUNK_UNITS);
    chunk[at] = physicalOffset;
    chunk[at + 1] = queueOffset;
  }

  /** -1: not acknowledged. */
  physicalOffsetOf(unit: number): number {
    return this.chunks[Math.floor(unit / CHUNK_UNITS)]?.[2 * (unit % CHUNK_UNITS)] ?? -1;
  }

  queueOffsetOf(unit: number): number {
    return this.chunks[Math.floor(unit / CHUNK_UNITS)]?.[2 * (unit % CHUNK_UNITS) + 1] ?? -1;
  }
}
