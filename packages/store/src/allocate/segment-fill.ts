import { LARGE_ZERO_BLOCK, type MappedFile, SMALL_ZERO_BLOCK, writeZeros } from "@millrace/mapped-file";
import type { MessageStoreConfig } from "../config/message-store-config.js";

const MIB = 1024 * 1024;
/**
 * Of zeros: between two slices the thread hears a stop, and the appender can go on with the first. In SYNC_FLUSH, where a force follows
 * each, one is all that a new store makes ready.
 */
const ASYNC_SLICE = MIB;
const SYNC_SLICE = 8 * MIB;
/** A reservation takes some ten microseconds, whatever its length. */
const RESERVED_SLICE = 16 * MIB;
const ALIGNMENT = MIB;
/**
 * Since Linux 6.16 the size of the writes that fill becomes the folio size, and a force writes whole folios of what was stored through a
 * mapping (measured: a record and its force take 290 us in folios of 64 KiB, 210 in such of 16, 165 through the channel).
 */
const SYNC_MAPPED_BLOCK = 16 * 1024;

/**
 * How bytes of a segment get their blocks, so that a full disk is ENOSPC here and never SIGBUS or ENOSPC in the appender.
 *
 * By zeros where the appender stores through a mapping, whose pages they bring into memory, and in SYNC_FLUSH, where the first force of
 * a block that was only reserved has to change the file system's books. By a reservation where nothing but the channel writes and
 * forces are seldom, unless the file system knows none. Both read as zeros.
 */
export class SegmentFill {
  readonly #reserves: boolean;
  readonly #slice: number;
  readonly #blockLength: number;

  constructor(config: MessageStoreConfig) {
    const isSync = config.flushDiskType === "SYNC_FLUSH";
    this.#reserves = !isSync && (config.writeWithoutMmap || config.transientStorePoolEnable);
    this.#slice = isSync ? SYNC_SLICE : ASYNC_SLICE;
    const syncBlock = config.writeWithoutMmap ? SMALL_ZERO_BLOCK : SYNC_MAPPED_BLOCK;
    this.#blockLength = isSync ? syncBlock : LARGE_ZERO_BLOCK;
  }

  /** One slice, from `position` towards `wanted`, both within the segment; it may go a little further. Returns its end. */
  fill(segment: MappedFile, position: number, wanted: number): number {
    if (this.#reserves) {
      const end = sliceEnd(segment, position, wanted, RESERVED_SLICE);
      if (segment.file.allocate(position, end - position)) return end;
    }
    const end = sliceEnd(segment, position, wanted, this.#slice);
    writeZeros(segment.file, position, end, this.#blockLength);
    return end;
  }
}

/** At a multiple of {@link ALIGNMENT}, or at the segment's end. */
function sliceEnd(segment: MappedFile, position: number, wanted: number, longest: number): number {
  const end = Math.min(wanted, position + longest - (position % ALIGNMENT));
  return Math.min(Math.ceil(end / ALIGNMENT) * ALIGNMENT, segment.size);
}
