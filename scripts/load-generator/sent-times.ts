const CHUNK_UNITS = 65_536;

/** When each unit was sent, or was to be sent at a fixed rate: 8 bytes each, in chunks, nothing copied as it grows. */
export class SentTimes {
  readonly #chunks: Float64Array[] = [];

  /** @param us microseconds of the monotonic clock */
  set(unit: number, us: number): void {
    const index = Math.floor(unit / CHUNK_UNITS);
    while (this.#chunks.length <= index) this.#chunks.push(new Float64Array(CHUNK_UNITS).fill(-1));
    (this.#chunks[index] as Float64Array)[unit % CHUNK_UNITS] = us;
  }

  /** -1: not sent. */
  of(unit: number): number {
    return this.#chunks[Math.floor(unit / CHUNK_UNITS)]?.[unit % CHUNK_UNITS] ?? -1;
  }
}
