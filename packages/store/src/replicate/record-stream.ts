import {
  BLANK_MAGIC,
  BLANK_RECORD_LENGTH,
  isMessageMagic,
  MAGIC_OFFSET,
  MESSAGE_BASE_LENGTH,
  MessageChecker,
  MillraceError,
  messageVerdictName,
  RECORD_OVERHEAD_LIMIT,
  TOTAL_SIZE_OFFSET,
} from "@millrace/format";
import { RecordMemory } from "./record-memory.js";

/** No message is longer that a store of ours can put. */
const RECORD_LIMIT = 64 * 1024 * 1024 + RECORD_OVERHEAD_LIMIT;

/**
 * Bytes of a log that come in pieces. {@link next} finds a whole record that is good, of which nothing is believed before all of it is
 * there; or what has come of the rest of a segment where the log has rolled, which is not waited for: it may be a segment. {@link take}
 * passes it. Holds one record at most beside what {@link fill} was given last.
 */
export class RecordStream {
  /** What {@link next} has found is of the rest of a segment: its head, 8 bytes or all of a shorter one, is never in two pieces. */
  isBlank = false;
  readonly checker: MessageChecker;
  readonly #segmentSize: number;
  readonly #memory: RecordMemory;
  /** Records that were taken one after another, up to #start, begin here. */
  #runStart = 0;
  #start = 0;
  #end = 0;
  #length = 0;
  /** Of the log: the end of the last record, or segment, that was taken. */
  #offset: number;
  /** Bytes behind #offset that were taken, of the rest of a segment. */
  #blankTaken = 0;

  constructor(segmentSize: number, offset: number, memory = new RecordMemory()) {
    this.#segmentSize = segmentSize;
    this.#memory = memory;
    this.checker = new MessageChecker(memory.crc);
    this.#offset = offset;
  }

  /** End of the last record, or segment, that was taken, in the log. */
  get offset(): number {
    return this.#offset;
  }

  /** What {@link next} works in; moved by {@link fill}. */
  get bytes(): Uint8Array {
    return this.#memory.bytes;
  }

  /** Of what {@link next} has found. */
  get length(): number {
    return this.#length;
  }

  /** The records that were taken since {@link endRun}, which is to be called before more bytes come, and before the rest of a segment. */
  get run(): Uint8Array {
    return this.bytes.subarray(this.#runStart, this.#start);
  }

  endRun(): void {
    this.#runStart = this.#start;
  }

  /** A record, or a piece of the rest of a segment. */
  get found(): Uint8Array {
    return this.bytes.subarray(this.#start, this.#start + this.#length);
  }

  /** Of {@link found}, in the log. */
  get foundOffset(): number {
    return this.#offset + this.#blankTaken;
  }

  fill(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    this.bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /**
   * Whether a whole record is there, or a piece of the rest of a segment.
   *
   * @throws MillraceError `ERR_HA_PROTOCOL`: the next bytes are no record of this log
   */
  next(): boolean {
    const rest = this.#segmentSize - (this.foundOffset % this.#segmentSize);
    const head = Math.min(rest, BLANK_RECORD_LENGTH);
    this.isBlank = this.#blankTaken > 0;
    if (!this.isBlank) {
      if (this.#available < head) return false;
      this.isBlank = rest < BLANK_RECORD_LENGTH || this.#int32(MAGIC_OFFSET) === BLANK_MAGIC;
      if (!this.isBlank) return this.#nextRecord(rest);
      if (rest >= BLANK_RECORD_LENGTH) this.#checkBlank(rest);
    }
    this.#length = Math.min(rest, this.#available);
    return this.#length > 0;
  }

  #nextRecord(rest: number): boolean {
    const length = this.#int32(TOTAL_SIZE_OFFSET);
    const magic = this.#int32(MAGIC_OFFSET);
    if (!isMessageMagic(magic) || length < MESSAGE_BASE_LENGTH || length > Math.min(rest, RECORD_LIMIT)) {
      throw this.#noRecord(`length=${length} magic=${magic}`);
    }
    if (this.#available < length) return false;
    const verdict = this.checker.check(this.#memory.view, this.bytes, this.#start, this.#start + length, this.#offset, true);
    if (verdict !== length) throw this.#noRecord(`verdict=${messageVerdictName(Math.min(verdict, 0))}`);
    this.#length = length;
    return true;
  }

  /** Passes what {@link next} has found. */
  take(): void {
    this.#start += this.#length;
    if (this.isBlank) this.#runStart = this.#start;
    const end = this.foundOffset + this.#length;
    const isWhole = !this.isBlank || end % this.#segmentSize === 0;
    this.#blankTaken = isWhole ? 0 : end - this.#offset;
    if (isWhole) this.#offset = end;
  }

  get #available(): number {
    return this.#end - this.#start;
  }

  #int32(position: number): number {
    return this.#memory.view.getInt32(this.#start + position);
  }

  #checkBlank(rest: number): void {
    const length = this.#int32(TOTAL_SIZE_OFFSET);
    if (length === rest) return;
    throw this.#noRecord(`the segment ends elsewhere: length=${length} rest=${rest} mappedFileSizeCommitLog=${this.#segmentSize}`);
  }

  #noRecord(why: string): MillraceError {
    const message = `what the master sends is no record that can follow here: offset=${this.#offset} ${why}`;
    return new MillraceError("ERR_HA_PROTOCOL", message);
  }

  /** Moves what is left to the front, of a larger memory if need be. */
  #makeRoom(length: number): void {
    if (this.#end + length <= this.bytes.length) return;
    this.bytes.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    this.#runStart = 0;
    const needed = this.#end + length;
    if (needed > this.bytes.length) this.#memory.grow(needed);
  }
}
