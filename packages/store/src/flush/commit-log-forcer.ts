import { type MappedFile, SegmentDirectory, type Storage } from "@millrace/mapped-file";
import { InvariantError, LatencyHistogram, monotonicUs, type OwnedCounter } from "@millrace/shared-memory";

/**
 * Forces the commit log's segments in order, each through its own open file. The system tells a descriptor only of what went wrong
 * while it was open: so a segment is opened before its first record, and stays open until all of it is durable.
 * (RocketMQ: `MappedFileQueue.flush`.)
 */
export class CommitLogForcer {
  readonly #storage: Storage;
  readonly #segments: SegmentDirectory;
  readonly #forces: OwnedCounter;
  readonly #forceUs: LatencyHistogram;
  /** Oldest first, adjacent. */
  readonly #open: MappedFile[] = [];

  constructor(storage: Storage, directory: string, segmentSize: number, forces: OwnedCounter, forceUs: SharedArrayBuffer) {
    this.#storage = storage;
    this.#segments = new SegmentDirectory(directory, segmentSize);
    this.#forces = forces;
    this.#forceUs = new LatencyHistogram(forceUs);
  }

  /**
   * Opens the segments from the one that holds `offset` up to `end`, where the last that exists ends, or as far as there are descriptors;
   * then it is worth another call. Returns the end of what is open.
   */
  openUpTo(offset: number, end: number): number {
    let at = this.#open.at(-1)?.endOffset ?? this.#segments.startOf(offset);
    for (; at < end; at = this.#segments.endOf(at)) {
      const segment = this.#segments.at(this.#storage, at, "write");
      if (!segment.tryOpen()) break;
      this.#open.push(segment);
    }
    return at;
  }

  /** The segment that holds `offset`, open for writing through the channel. */
  segmentOf(offset: number): MappedFile {
    for (const segment of this.#open) if (offset >= segment.fromOffset && offset < segment.endOffset) return segment;
    throw new InvariantError(`a segment with records was never opened: offset=${offset}`);
  }

  /** Makes [from, to) durable; throws what the system says, and then nothing of it may be believed durable, ever. */
  force(from: number, to: number): void {
    let offset = from;
    while (offset < to) {
      const segment = this.segmentOf(offset);
      const end = Math.min(segment.endOffset, to);
      const beganUs = monotonicUs();
      segment.forceRange(offset - segment.fromOffset, end - offset);
      this.#forceUs.record(monotonicUs() - beganUs);
      this.#forces.add(1);
      offset = end;
    }
  }

  /** Everything below `offset` is durable: segments that end there or before are closed. */
  closeBelow(offset: number): void {
    while ((this.#open[0]?.endOffset ?? Number.POSITIVE_INFINITY) <= offset) this.#open.shift()?.close();
  }

  close(): void {
    this.closeBelow(Number.MAX_SAFE_INTEGER);
  }
}
