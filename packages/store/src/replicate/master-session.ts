import { MillraceError } from "@millrace/format";
import type { LogBytes } from "./log-bytes.js";
import type { RecordMemory } from "./record-memory.js";
import { RecordStream } from "./record-stream.js";
import { type SlaveLogEnds, TailCheck, tailStart } from "./tail-check.js";
import type { TransferSink } from "./transfer-reader.js";

/**
 * One connection to a master as its slave judges it: the end of its own log is asked for again and compared, what follows goes on in
 * {@link records}. Each frame is the next one, or the connection is at fault.
 */
export class MasterSession implements TransferSink {
  /** The first report. */
  readonly start: number;
  readonly records: RecordStream;
  readonly #tail: TailCheck;
  readonly #endOffset: number;
  /** The next byte that must come. */
  #expected: number;
  /** Signs of life while the master still owes bytes that this log has. */
  #idleFrames = 0;

  constructor(bytes: LogBytes, ends: SlaveLogEnds, segmentSize: number, memory?: RecordMemory) {
    const { endOffset } = ends;
    this.start = tailStart(ends, segmentSize);
    this.records = new RecordStream(segmentSize, endOffset, memory);
    this.#tail = new TailCheck(bytes, this.start, endOffset);
    this.#endOffset = endOffset;
    this.#expected = this.start;
  }

  /** The two logs hold the same, as far as this one goes. */
  get isCompared(): boolean {
    return this.#tail.isDone;
  }

  /** Records have been appended since it began. */
  get hasGrown(): boolean {
    return this.records.offset > this.#endOffset;
  }

  get receivedOffset(): number {
    return this.#expected;
  }

  /** @throws MillraceError `ERR_HA_START`, `ERR_HA_PROTOCOL`, `ERR_HA_DIVERGED` */
  onHeader(offset: number, length: number): void {
    if (offset !== this.#expected) {
      const values = `offset=${offset} expected=${this.#expected} endOffset=${this.#endOffset}`;
      if (this.#endOffset === 0 && this.#expected === 0) {
        throw new MillraceError("ERR_HA_START", `the master's log begins elsewhere, and this one is empty: ${values}`);
      }
      throw new MillraceError("ERR_HA_PROTOCOL", `the master sends other bytes than the next ones: ${values}`);
    }
    this.#expected += length;
    if (length > 0) this.#idleFrames = 0;
    else if (!this.isCompared && ++this.#idleFrames > 1) {
      const values = `masterEnd=${offset} endOffset=${this.#endOffset}`;
      throw new MillraceError("ERR_HA_DIVERGED", `the master's log ends before this one: ${values}`);
    }
  }

  /** @throws MillraceError `ERR_HA_DIVERGED` */
  onBody(bytes: Uint8Array): void {
    const compared = this.isCompared ? 0 : this.#tail.compare(bytes);
    if (compared < bytes.length) this.records.fill(bytes.subarray(compared));
  }
}
