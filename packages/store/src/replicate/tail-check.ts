import { MillraceError } from "@millrace/format";
import type { LogBytes } from "./log-bytes.js";

/** So much of a slave's log is asked for again when it connects, at most. */
const TAIL_LENGTH = 64 * 1024;
const SHOWN_BYTES = 32;

/** Ends of a slave's log. */
export interface SlaveLogEnds {
  readonly minOffset: number;
  /** One past the last record. */
  readonly endOffset: number;
  /** What may be acknowledged: in SYNC_FLUSH what is durable, otherwise all that there is. */
  readonly acknowledgedOffset: number;
}

/**
 * Where a slave asks its master to begin, so that the two logs are held against each other: in the segment of the last byte, and not
 * beyond what it may acknowledge, because a master may take the number for that.
 */
export function tailStart({ minOffset, endOffset, acknowledgedOffset }: SlaveLogEnds, segmentSize: number): number {
  if (endOffset === minOffset) return endOffset;
  const last = endOffset - 1;
  const start = Math.max(last - (last % segmentSize), endOffset - TAIL_LENGTH);
  // Not 0: a master takes that for a slave that has nothing.
  return Math.max(1, minOffset, Math.min(start, acknowledgedOffset));
}

/** Holds the end of a slave's log against what its master sends of the same place. */
export class TailCheck {
  /** The next byte to be held against the master's. */
  offset: number;
  readonly #log: LogBytes;
  readonly #endOffset: number;
  #own = new Uint8Array(0);

  constructor(log: LogBytes, fromOffset: number, endOffset: number) {
    this.#log = log;
    this.offset = fromOffset;
    this.#endOffset = endOffset;
  }

  get isDone(): boolean {
    return this.offset >= this.#endOffset;
  }

  /**
   * Takes as many of the bytes as the slave has; returns how many.
   *
   * @throws MillraceError `ERR_HA_DIVERGED`; `ERR_SEGMENT_SIZE` when the slave's own file ends before its log
   */
  compare(bytes: Uint8Array): number {
    let taken = 0;
    while (taken < bytes.length && !this.isDone) {
      if (this.#own.length < bytes.length) this.#own = new Uint8Array(bytes.length);
      const own = this.#own.subarray(0, bytes.length - taken);
      const length = this.#log.read(this.offset, this.#endOffset, own);
      if (length === 0) {
        const values = `offset=${this.offset} endOffset=${this.#endOffset}`;
        throw new MillraceError("ERR_SEGMENT_SIZE", `a segment of this log ends before the log does: ${values}`);
      }
      for (let i = 0; i < length; i++) if (own[i] !== bytes[taken + i]) throw this.#diverged(own, bytes.subarray(taken), i, length);
      taken += length;
      this.offset += length;
    }
    return taken;
  }

  #diverged(own: Uint8Array, bytes: Uint8Array, at: number, length: number): MillraceError {
    const shown = (from: Uint8Array): string => Buffer.from(from.subarray(at, Math.min(at + SHOWN_BYTES, length))).toString("hex");
    const values = `offset=${this.offset + at} own=${shown(own)} master=${shown(bytes)}`;
    return new MillraceError("ERR_HA_DIVERGED", `the master's log is another one: ${values}`);
  }
}
