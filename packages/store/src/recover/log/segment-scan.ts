import {
  BLANK_MAGIC,
  BLANK_RECORD_LENGTH,
  decodeProperties,
  findNextRecord,
  getInt64,
  isMessageMagic,
  MAGIC_OFFSET,
  MessageChecker,
  MessageVerdict,
  messageVerdictName,
  PHYSICAL_OFFSET_OFFSET,
  PROPERTY_CRC_LENGTH,
  PROPERTY_CRC_NAME,
  PROPERTY_INNER_NUM,
  PROPERTY_SEPARATOR,
  SYS_FLAG_COMMIT,
  SYS_FLAG_INNER_BATCH,
  TOTAL_SIZE_OFFSET,
} from "@millrace/format";
import type { LogQueue } from "../scan/log-queue.js";
import type { ReadAt, SeekData } from "../scan/segment-window.js";
import { SegmentWindow } from "../scan/segment-window.js";
import type { CorruptRecord } from "./corrupt-record.js";
import { LogQueueTable, type LogQueueTableOptions, type LogTopic } from "./log-queue-table.js";

/**
 * How the good records of a segment end: `complete`, by a blank record or the segment's end; `empty`, nothing but zeros follows;
 * `damaged`, something else follows; `forbidden`, an intact record follows whose topic must never become a directory.
 */
type SegmentEnding = "complete" | "empty" | "damaged" | "forbidden";

export interface SegmentScan {
  readonly ending: SegmentEnding;
  /** Where it began: 0, or the position up to which the records were known. */
  readonly from: number;
  /** One past the last good record; the segment's size when it is complete. */
  readonly position: number;
  /** Where the last good record begins; -1 without one. */
  readonly lastPosition: number;
  /** What stands there: a name of `MessageVerdict`, or one of this module's. */
  readonly detail: string;
  readonly messages: number;
  /** Of the last good record, in milliseconds; 0 when there is none. */
  readonly lastStoreTimestamp: number;
  /** By `topic-queueId`. */
  readonly queues: Map<string, LogQueue>;
  /** Records that the scan went on behind; they count as nothing else. */
  readonly corrupt: readonly CorruptRecord[];
}

export interface SegmentScanOptions extends LogQueueTableOptions {
  /** Absolute offset of the segment's first byte. */
  readonly fromOffset: number;
  readonly size: number;
  /** Verify the CRCs; lengths, offsets and topics are checked always. */
  readonly checkCrc: boolean;
  /** Go on behind a corrupt record. By default it ends what is good. */
  readonly passesCorrupt?: boolean;
  /** Up to here the records are known. The scan begins here if the last of them is where it should be, else at 0. By default 0. */
  readonly knownTo?: number;
  /** Where the last known record begins. */
  readonly lastKnown?: number;
  /** Nothing was ever written from here on. By default the segment's size. */
  readonly writtenTo?: number;
  /** By default the segment has no holes. */
  readonly seekData?: SeekData;
  /** Bytes read at a time; a larger record makes it grow. */
  readonly windowSize?: number;
}

const DEFAULT_WINDOW_SIZE = 4 * 1024 * 1024;
/** Verdicts that may change with more in memory: the checker takes the end of what it is given for the end of the segment. */
const ENDS_WITH_MEMORY = new Set<number>([MessageVerdict.TRUNCATED, MessageVerdict.BLANK, MessageVerdict.BAD_BLANK]);
/** So far behind a corrupt record the next one is looked for; a record is no longer than this by far. */
const PASS_LENGTH = 16 * 1024 * 1024;
/** Of one segment; a segment with more of them is not a log with a few bad sectors. */
const MAX_CORRUPT = 1000;
const CRC_NAME = Buffer.from(PROPERTY_CRC_NAME);

/**
 * Reads one segment from its first byte, alone: whether it means anything depends on the segments before it, and is decided later.
 * A pure function of the bytes. (RocketMQ: the loop of `CommitLog.recoverNormally` and `recoverAbnormally`.)
 */
export function scanSegment(readAt: ReadAt, options: SegmentScanOptions): SegmentScan {
  return new SegmentScanner(readAt, options).scan();
}

class SegmentScanner {
  readonly #options: SegmentScanOptions;
  readonly #window: SegmentWindow;
  readonly #checker = new MessageChecker();
  readonly #queues: LogQueueTable;
  #from = 0;
  #position = 0;
  #lastPosition = -1;
  #messages = 0;
  #lastStoreTimestamp = 0;
  #lastHadPropertyCrc = false;
  readonly #corrupt: CorruptRecord[] = [];

  constructor(readAt: ReadAt, options: SegmentScanOptions) {
    this.#options = options;
    this.#queues = new LogQueueTable(options);
    const { size, windowSize = DEFAULT_WINDOW_SIZE, seekData } = options;
    this.#window = new SegmentWindow(readAt, size, windowSize, seekData);
  }

  scan(): SegmentScan {
    this.#from = this.#beginBehindKnown();
    for (;;) {
      if (this.#position === this.#options.size) return this.#end("complete", "FULL");
      if (this.#hasNoRoom()) {
        this.#position = this.#options.size;
        continue;
      }
      const size = this.#check();
      if (size <= 0) {
        if (this.#passCorrupt(size)) continue;
        return this.#endBy(size);
      }
      const topic = this.#queues.topicOf(this.#window.bytes, this.#checker.topicPosition, this.#checker.topicLength);
      if (topic === undefined && this.#passCorrupt(MessageVerdict.BAD_FIELD)) continue;
      if (topic === undefined) {
        return this.#isFollowed(size) ? this.#end("forbidden", "ILLEGAL_TOPIC") : this.#end("damaged", "ILLEGAL_TOPIC");
      }
      if (this.#isTornBehindItsBody(size)) {
        if (this.#passCorrupt(MessageVerdict.BAD_LAYOUT)) continue;
        return this.#end("damaged", "TORN_PROPERTIES");
      }
      this.#accept(topic);
      this.#lastPosition = this.#position;
      this.#position += size;
    }
  }

  /** Returns the position that it is at now: 0 when the last known record is not there. */
  #beginBehindKnown(): number {
    const { knownTo = 0, lastKnown = 0 } = this.#options;
    if (knownTo === 0) return 0;
    this.#position = lastKnown;
    const size = this.#check();
    const isThere = lastKnown + size === knownTo && size > 0 && !this.#isTornBehindItsBody(size);
    this.#lastPosition = isThere ? lastKnown : -1;
    if (!isThere) this.#lastHadPropertyCrc = false;
    this.#position = isThere ? knownTo : 0;
    return this.#position;
  }

  /** Too few bytes are left for a blank record: no appender of RocketMQ's leaves so few, but the log goes on in the next segment. */
  #hasNoRoom(): boolean {
    return this.#options.size - this.#position < BLANK_RECORD_LENGTH && this.#window.isZeroFrom(this.#position);
  }

  /**
   * Goes on behind a record that is not good, where that is allowed and another one follows; zeros are one, too. What it says of itself is
   * kept: it may be its body alone that is bad.
   */
  #passCorrupt(verdict: number): boolean {
    const { passesCorrupt, fromOffset, size } = this.#options;
    if (passesCorrupt !== true || verdict === MessageVerdict.BLANK || this.#corrupt.length >= MAX_CORRUPT) return false;
    this.#window.ensure(this.#position, Math.min(size - this.#position, PASS_LENGTH));
    const { view, bytes, start } = this.#window;
    const at = this.#position - start;
    const physicalOffset = fromOffset + this.#position;
    const next = findNextRecord(view, at, physicalOffset, size - start);
    if (next < 0) return false;
    const place = { physicalOffset, size: next - at, reason: messageVerdictName(verdict) };
    const checker = this.#checker;
    const isReadable = checker.check(view, bytes, at, bytes.length, physicalOffset, false) === place.size;
    const topic = isReadable ? this.#queues.topicOf(bytes, checker.topicPosition, checker.topicLength)?.topic : undefined;
    const isCounted = checker.transactionType === 0 || checker.transactionType === SYS_FLAG_COMMIT;
    const { queueId, queueOffset } = checker;
    this.#corrupt.push(topic !== undefined && isCounted ? { ...place, topic, queueId, queueOffset } : place);
    this.#position += place.size;
    return true;
  }

  /** The checker's verdict on the record at the position, with as much of it in memory as it takes. */
  #check(): number {
    const room = this.#options.size - this.#position;
    const verdict = this.#checkInMemory();
    if (verdict > 0 && !this.#isCountable()) return MessageVerdict.BAD_FIELD;
    if (!ENDS_WITH_MEMORY.has(verdict)) return verdict;
    const head = Math.min(room, PHYSICAL_OFFSET_OFFSET + 8);
    this.#window.ensure(this.#position, head);
    const { view, start } = this.#window;
    if (head < BLANK_RECORD_LENGTH) return verdict;
    const at = this.#position - start;
    const total = view.getInt32(at + TOTAL_SIZE_OFFSET);
    const magic = view.getInt32(at + MAGIC_OFFSET);
    if (magic === BLANK_MAGIC) return total === room ? MessageVerdict.BLANK : MessageVerdict.BAD_BLANK;
    if (isMessageMagic(magic)) {
      if (total > room) return MessageVerdict.TRUNCATED;
      if (!this.#isHere(at, head)) return MessageVerdict.WRONG_PHYSICAL_OFFSET;
      this.#window.ensure(this.#position, Math.max(total, head));
    }
    const whole = this.#checkInMemory();
    return whole > 0 && !this.#isCountable() ? MessageVerdict.BAD_FIELD : whole;
  }

  #checkInMemory(): number {
    const { view, bytes, start, end } = this.#window;
    if (this.#position < start || this.#position >= end) return MessageVerdict.TRUNCATED;
    const physicalOffset = this.#options.fromOffset + this.#position;
    return this.#checker.check(view, bytes, this.#position - start, bytes.length, physicalOffset, this.#options.checkCrc);
  }

  /** Whether the head of a record names the place it stands at; only then its size is worth memory. */
  #isHere(at: number, length: number): boolean {
    if (length < PHYSICAL_OFFSET_OFFSET + 8) return false;
    return getInt64(this.#window.view, at + PHYSICAL_OFFSET_OFFSET) === this.#options.fromOffset + this.#window.start + at;
  }

  #accept(topic: LogTopic): void {
    const { transactionType, queueId, queueOffset, physicalOffset, storeTimestamp } = this.#checker;
    this.#messages++;
    this.#lastStoreTimestamp = storeTimestamp;
    if (transactionType !== 0 && transactionType !== SYS_FLAG_COMMIT) return;
    this.#queues.add(topic, queueId, queueOffset, this.#messageCount(), physicalOffset);
  }

  /** An inner batch has a byte for each of its messages, at least: a greater number moves its queue to where nobody can follow. */
  #isCountable(): boolean {
    const { sysFlag, bodyLength } = this.#checker;
    return (sysFlag & SYS_FLAG_INNER_BATCH) === 0 || this.#messageCount() <= Math.max(1, bodyLength);
  }

  /** Queue offsets that the record takes; more than one for an inner batch. */
  #messageCount(): number {
    const { sysFlag, propertiesPosition, propertiesLength } = this.#checker;
    if ((sysFlag & SYS_FLAG_INNER_BATCH) === 0) return 1;
    const properties = decodeProperties(this.#window.bytes.subarray(propertiesPosition, propertiesPosition + propertiesLength));
    const count = Number(properties.get(PROPERTY_INNER_NUM));
    return Number.isSafeInteger(count) && count > 0 ? count : 1;
  }

  /**
   * A record whose last page never reached the disk ends in zeros; if that page holds nothing but properties, the body CRC is right and the
   * property CRC is gone. Such an end is torn after a record that had a property CRC, or when no record follows; otherwise it may be a
   * 4.9 client's own.
   */
  #isTornBehindItsBody(size: number): boolean {
    const { propertiesPosition, propertiesLength } = this.#checker;
    const { bytes } = this.#window;
    const end = propertiesPosition + propertiesLength;
    const hadPropertyCrc = this.#lastHadPropertyCrc;
    this.#lastHadPropertyCrc = hasPropertyCrc(bytes, end, propertiesLength);
    if (propertiesLength === 0 || bytes[end - 1] !== 0) return false;
    return hadPropertyCrc || !this.#isFollowed(size);
  }

  /** Whether another record, or the blank one, stands behind the one at the position. */
  #isFollowed(size: number): boolean {
    const next = this.#position + size;
    const length = Math.min(this.#options.size - next, PHYSICAL_OFFSET_OFFSET + 8);
    if (length < BLANK_RECORD_LENGTH) return false;
    this.#window.ensure(this.#position, size + length);
    this.#checkInMemory(); // the window has moved: the checker's positions with it
    const at = next - this.#window.start;
    const magic = this.#window.view.getInt32(at + MAGIC_OFFSET);
    if (magic === BLANK_MAGIC) return true;
    return isMessageMagic(magic) && this.#isHere(at, length);
  }

  #endBy(verdict: number): SegmentScan {
    const name = messageVerdictName(verdict);
    if (verdict === MessageVerdict.BLANK) {
      this.#position = this.#options.size;
      return this.#end("complete", name);
    }
    if (verdict !== MessageVerdict.EMPTY) return this.#end("damaged", name);
    const { size, writtenTo = size } = this.#options;
    return this.#window.isZeroFrom(this.#position, writtenTo)
      ? this.#end("empty", name)
      : this.#end("damaged", "ZEROS_BEFORE_DATA");
  }

  #end(ending: SegmentEnding, detail: string): SegmentScan {
    return {
      ending,
      from: this.#from,
      position: this.#position,
      lastPosition: this.#lastPosition,
      detail,
      messages: this.#messages,
      lastStoreTimestamp: this.#lastStoreTimestamp,
      queues: this.#queues.toMap(),
      corrupt: this.#corrupt,
    };
  }
}

function hasPropertyCrc(bytes: Uint8Array, end: number, propertiesLength: number): boolean {
  if (propertiesLength < PROPERTY_CRC_LENGTH) return false;
  const at = end - PROPERTY_CRC_LENGTH;
  if (propertiesLength > PROPERTY_CRC_LENGTH && bytes[at - 1] !== PROPERTY_SEPARATOR) return false;
  for (let i = 0; i < CRC_NAME.length; i++) {
    if (bytes[at + i] !== CRC_NAME[i]) return false;
  }
  return true;
}
