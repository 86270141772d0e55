import type { MappedFile } from "@millrace/mapped-file";

/**
 * How the appender's bytes reach a segment: through the mapping, through the channel, or into the transient store pool. One
 * object per pipeline; `enter` makes a segment the current one and lets go of the last.
 */
export interface SegmentWriter {
  enter(segment: MappedFile): void;
  /** Whether bytes of `segment` can be taken: its file is open, and mapped if it is written so; or the pool has a buffer for it. */
  isReady(segment: MappedFile): boolean;
  /** `bytes` are whole records; they are in the segment's keeping on return. */
  write(bytes: Uint8Array, position: number): void;
  close(): void;
}
