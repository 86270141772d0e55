import type { MappedFile } from "@millrace/mapped-file";
import type { SegmentWriter } from "./segment-writer.js";

/** RocketMQ's way: one copy into the mapped segment. The allocator has allocated every byte before: no hole, no SIGBUS. */
export class MappedSegmentWriter implements SegmentWriter {
  #segment: MappedFile | undefined;

  enter(segment: MappedFile): void {
    this.#segment?.close();
    this.#segment = segment;
  }

  isReady(): boolean {
    return true;
  }

  write(bytes: Uint8Array, position: number): void {
    this.#segment?.bytes.set(bytes, position);
  }

  close(): void {
    this.#segment?.close();
  }
}
