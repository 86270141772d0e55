import { type MappedFile, SegmentDirectory, type Storage } from "@millrace/mapped-file";
import { LatencyHistogram, monotonicUs, type OwnedCounter } from "@millrace/shared-memory";

/** Forces the commit log's segments in order, each through its own open file. (RocketMQ: `MappedFileQueue.flush`.) */
export class CommitLogForcer {
  readonly #storage: Storage;
  readonly #segments: SegmentDirectory;
  readonly #forces: OwnedCounter;
  readonly #forceUs: LatencyHistogram;
  #segment: MappedFile | undefined;

  constructor(storage: Storage, directory: string, segmentSize: number, forces: OwnedCounter, forceUs: SharedArrayBuffer) {
    this.#storage = storage;
    this.#segments = new SegmentDirectory(directory, segmentSize);
    this.#forces = forces;
    this.#forceUs = new LatencyHistogram(forceUs);
  }

  /** The segment that holds `offset`, open for writing through the channel. */
  segmentOf(offset: number): MappedFile {
    if (this.#segment?.fromOffset !== this.#segments.startOf(offset)) {
      this.#segment?.close();
      this.#segment = this.#segments.at(this.#storage, offset, "write");
    }
    return this.#segment;
  }

  /** Makes [from, to) durable; throws what the system says, and then nothing of it may be believed durable, ever. */
  force(from: number, to: number): void {
    let offset = from;
    while (offset < to) {
      const segment = this.segmentOf(offset);
      const beganUs = monotonicUs();
      segment.force();
      this.#forceUs.record(monotonicUs() - beganUs);
      this.#forces.add(1);
      offset = Math.min(segment.endOffset, to);
    }
  }

  close(): void {
    this.#segment?.close();
  }
}
