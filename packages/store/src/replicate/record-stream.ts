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

const INITIAL_LENGTH = 256 * 1024;
/** No message is longer that a store of ours can put. */
const RECORD_LIMIT = 64 * 1024 * 1024 + RECORD_OVERHEAD_LIMIT;

/**
 * Bytes of a log that come in pieces, as whole records: {@link next} finds one that is good, with the rest of the segment before it where
 * the log has rolled, {@link take} passes it. Nothing of a record is believed before all of it is there. Holds one record at most beside
 * what {@link fill} was given last.
 */
export class RecordStream {
  /** What {@link next} has found: of the rest of a segment, which comes first, and of the record. */
  blankLength = 0;
  recordLength = 0;
  readonly checker = new MessageChecker();
  readonly #segmentSize: number;
  #bytes = new Uint8Array(INITIAL_LENGTH);
  #view = new DataView(this.#bytes.buffer);
  #start = 0;
  #end = 0;
  /** Of the log, at #start: the end of the last record that was taken. */
  #offset: number;

  constructor(segmentSize: number, offset: number) {
    this.#segmentSize = segmentSize;
    this.#offset = offset;
  }

  /** End of the last record that was taken, in the log. */
  get offset(): number {
    return this.#offset;
  }

  /** What {@link next} works in; moved by {@link fill}. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get blank(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#start + this.blankLength);
  }

  get record(): Uint8Array {
    const at = this.#start + this.blankLength;
    return this.#bytes.subarray(at, at + this.recordLength);
  }

  fill(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /**
   * Whether a whole record is there.
   *
   * @throws MillraceError `ERR_HA_PROTOCOL`: the next bytes are no record of this log
   */
  next(): boolean {
    this.blankLength = 0;
    let rest = this.#segmentSize - (this.#offset % this.#segmentSize);
    if (rest < BLANK_RECORD_LENGTH) this.blankLength = rest;
    else if (this.#available < BLANK_RECORD_LENGTH) return false;
    else if (this.#int32(MAGIC_OFFSET) === BLANK_MAGIC) this.blankLength = this.#blank(rest);
    if (this.blankLength > 0) rest = this.#segmentSize;
    if (this.#available < this.blankLength + BLANK_RECORD_LENGTH) return false;
    const length = this.#int32(this.blankLength + TOTAL_SIZE_OFFSET);
    const magic = this.#int32(this.blankLength + MAGIC_OFFSET);
    if (!isMessageMagic(magic) || length < MESSAGE_BASE_LENGTH || length > Math.min(rest, RECORD_LIMIT)) {
      throw this.#noRecord(`length=${length} magic=${magic}`);
    }
    if (this.#available < this.blankLength + length) return false;
    const at = this.#start + this.blankLength;
    const verdict = this.checker.check(this.#view, this.#bytes, at, at + length, this.#offset + this.blankLength, true);
    if (verdict !== length) throw this.#noRecord(`verdict=${messageVerdictName(Math.min(verdict, 0))}`);
    this.recordLength = length;
    return true;
  }

  /** Passes what {@link next} has found. */
  take(): void {
    const length = this.blankLength + this.recordLength;
    this.#start += length;
    this.#offset += length;
  }

  get #available(): number {
    return this.#end - this.#start;
  }

  #int32(position: number): number {
    return this.#view.getInt32(this.#start + position);
  }

  #blank(rest: number): number {
    const length = this.#int32(TOTAL_SIZE_OFFSET);
    if (length === rest && length <= RECORD_LIMIT) return length;
    throw this.#noRecord(`the segment ends elsewhere: length=${length} rest=${rest} mappedFileSizeCommitLog=${this.#segmentSize}`);
  }

  #noRecord(why: string): MillraceError {
    const message = `what the master sends is no record that can follow here: offset=${this.#offset + this.blankLength} ${why}`;
    return new MillraceError("ERR_HA_PROTOCOL", message);
  }

  /** Moves what is left to the front, into a larger array if need be. */
  #makeRoom(length: number): void {
    if (this.#end + length <= this.#bytes.length) return;
    const rest = this.#bytes.subarray(this.#start, this.#end);
    const needed = rest.length + length;
    if (needed <= this.#bytes.length) {
      this.#bytes.copyWithin(0, this.#start, this.#end);
    } else {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      larger.set(rest);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#start = 0;
    this.#end = rest.length;
  }
}
