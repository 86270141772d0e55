import type { MessageStoreConfig } from "../config/message-store-config.js";

const MIB = 1024 * 1024;
/** What a store takes that is hardly written to. */
const LEAST = 6 * MIB;
const MOST = 64 * MIB;

/** Bytes are never wanted further ahead than this: the next and the next-next segment, but at most 64 MiB. */
export function readyAheadLimit(config: MessageStoreConfig): number {
  return Math.min(2 * config.mappedFileSizeCommitLog, MOST);
}

/**
 * How far ahead of the appender bytes are to be ready: little at first, then as much as has been appended since the store was opened, up
 * to {@link readyAheadLimit}. So a new store is small and open at once, and one with a high rate has the room it needs after a
 * moment. Readiness moves in slices, not in segments: whole 1 GiB segments would make every open write 2 GiB of zeros, and every roll
 * would start a burst that the puts around it pay for.
 */
export class ReadyAhead {
  readonly #start: number;
  readonly #least: number;
  readonly #most: number;

  /** @param start where the log ends before anything is appended */
  constructor(config: MessageStoreConfig, start: number) {
    this.#start = start;
    this.#most = readyAheadLimit(config);
    this.#least = Math.min(LEAST, this.#most);
  }

  /** One past the last byte that is wanted when the log ends at `offset`. */
  endFor(offset: number): number {
    return offset + this.#length(offset);
  }

  /**
   * Whether so little is left up to `wanted` that more should be asked for: seldom, because it wakes the allocator, and because a force
   * of the appender's that meets new blocks of its file waits for the file system's journal.
   */
  isShort(offset: number, wanted: number): boolean {
    return wanted - offset < this.#length(offset) / 2;
  }

  #length(offset: number): number {
    return Math.min(Math.max(offset - this.#start, this.#least), this.#most);
  }
}
