import type { MappedFile } from "@millrace/mapped-file";
import type { SegmentWriter } from "./segment-writer.js";

/** RocketMQ's `writeWithoutMmap`: a whole group straight from the ring in one pwrite. */
export class ChannelSegmentWriter implements SegmentWriter {
  #segment: MappedFile | undefined;

  enter(segment: MappedFile): void {
    this.#segment?.close();
    this.#segment = segment;
  }

  isReady(segment: MappedFile): boolean {
    return segment.tryOpen();
  }

  write(bytes: Uint8Array, position: number): void {
    (this.#segment as MappedFile).write(bytes, position);
  }

  close(): void {
    this.#segment?.close();
  }
}
