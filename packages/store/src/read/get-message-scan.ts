import {
  CONSUME_QUEUE_UNIT_LENGTH,
  ConsumeQueueUnit,
  type GetMessageStatus,
  isMessageMagic,
  MAGIC_OFFSET,
  MESSAGE_BASE_LENGTH,
  TOTAL_SIZE_OFFSET,
} from "@millrace/format";
import type { CommitLogReader } from "./commit-log-reader.js";
import { MessageView } from "./message-view.js";
import type { ReadConsumeQueue } from "./read-consume-queue.js";
import type { ReadSegment } from "./read-segment.js";
import { RecordCorruptError } from "./record-corrupt-error.js";
import type { TagFilter } from "./tag-filter.js";

/** What one get may return. (RocketMQ: `isTheBatchFull`.) */
export interface GetMessageLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** Bytes: what lies farther than this behind the end of the log counts as on disk. */
  readonly memory: number;
  readonly maxBytesInMemory: number;
  readonly maxCountInMemory: number;
  readonly maxBytesOnDisk: number;
  readonly maxCountOnDisk: number;
}

const unit = new ConsumeQueueUnit();

/** One get under way: goes through the units of a queue and collects messages, until it has enough. */
export class GetMessageScan {
  status: GetMessageStatus = "NO_MATCHED_MESSAGE";
  readonly messages: MessageView[] = [];
  /** The segments that the messages lie in, each held once. */
  readonly segments: ReadSegment[] = [];
  bufferTotalSize = 0;
  /** Of the last unit that was looked at. */
  #physicalOffset = 0;
  readonly #log: CommitLogReader;
  readonly #limits: GetMessageLimits;
  readonly #filter: TagFilter | undefined;
  readonly #minPhysicalOffset: number;
  readonly #maxPhysicalOffset: number;
  #segment: ReadSegment | undefined;
  /** After a record that is gone: the records below this offset are gone too. */
  #nextSegmentStart = -Infinity;
  #isFull = false;

  constructor(log: CommitLogReader, limits: GetMessageLimits, filter: TagFilter | undefined) {
    this.#log = log;
    this.#limits = limits;
    this.#filter = filter;
    this.#minPhysicalOffset = log.minOffset;
    this.#maxPhysicalOffset = log.maxOffset;
  }

  /** More lies between what was looked at and the end of the log than memory holds. */
  get isFarBehind(): boolean {
    return this.#maxPhysicalOffset - this.#physicalOffset > this.#limits.memory;
  }

  /**
   * Looks at the units [queueOffset, end), in at most so many files while nothing is found. Returns the queue offset to go on with: of a
   * file that is not there, its own.
   *
   * @throws RecordCorruptError when the first message that would be found is corrupt; before a later one the scan ends
   */
  run(queue: ReadConsumeQueue, queueOffset: number, end: number, maxFiles: number): number {
    let next = queueOffset;
    for (let files = 0; files < maxFiles && next < end && !this.#isFull && this.messages.length === 0; files++) {
      const file = queue.fileOf(next);
      if (file === undefined) {
        this.status = "OFFSET_FOUND_NULL";
        return next;
      }
      next = this.#scanFile(queue, file, next, Math.min(end, file.endOffset / CONSUME_QUEUE_UNIT_LENGTH));
    }
    return next;
  }

  release(): void {
    for (const segment of this.segments) segment.release();
  }

  #scanFile(queue: ReadConsumeQueue, file: ReadSegment, queueOffset: number, end: number): number {
    let position = queueOffset * CONSUME_QUEUE_UNIT_LENGTH - file.fromOffset;
    const { view } = file;
    for (let next = queueOffset; next < end; next++, position += CONSUME_QUEUE_UNIT_LENGTH) {
      unit.readFrom(view, position);
      const { physicalOffset, size } = unit;
      if (this.#isFullBefore(physicalOffset, size)) {
        this.#isFull = true;
        return next;
      }
      this.#physicalOffset = physicalOffset;
      if (physicalOffset >= this.#nextSegmentStart || physicalOffset < 0) this.#look(queue, physicalOffset, size, next);
      if (this.#isFull) return next;
    }
    return end;
  }

  /** Whether the message would be one too many, or too large; the first one never is. */
  #isFullBefore(physicalOffset: number, size: number): boolean {
    const count = this.messages.length;
    if (count === 0) return false;
    const limits = this.#limits;
    const total = this.bufferTotalSize + size;
    if (count >= limits.maxMessages || total > limits.maxBytes) return true;
    return this.#maxPhysicalOffset - physicalOffset <= limits.memory
      ? total > limits.maxBytesInMemory || count >= limits.maxCountInMemory
      : total > limits.maxBytesOnDisk || count >= limits.maxCountOnDisk;
  }

  #look(queue: ReadConsumeQueue, physicalOffset: number, size: number, queueOffset: number): void {
    const filter = this.#filter;
    if (filter !== undefined && size > 0 && !filter.matchesCode(unit.tagsCode)) {
      this.#pass("NO_MATCHED_MESSAGE");
      return;
    }
    // Not of those that the filter passes over: it would read all of the log. A unit of zeros has no tag to be passed over for.
    const error = queue.errorOf(queueOffset, unit, this.#minPhysicalOffset, this.#maxPhysicalOffset);
    if (error !== undefined) {
      this.#endBefore(error);
      return;
    }
    const segment = this.#segmentOf(physicalOffset, size, queueOffset);
    if (segment === undefined) {
      this.#pass("MESSAGE_WAS_REMOVING");
      return;
    }
    const corrupt = this.#log.verifier.errorOf(segment, physicalOffset, size, this.#maxPhysicalOffset);
    if (corrupt !== undefined) {
      this.#endAt(corrupt, queueOffset);
      return;
    }
    const message = new MessageView(segment.bytes, physicalOffset - segment.fromOffset, size);
    if (filter !== undefined && !message.hasTag(filter.tags)) {
      this.#pass("NO_MATCHED_MESSAGE");
      return;
    }
    if (segment !== this.#segment) {
      segment.hold();
      this.segments.push(segment);
      this.#segment = segment;
    }
    this.messages.push(message);
    this.bufferTotalSize += size;
    this.status = "FOUND";
    this.#nextSegmentStart = -Infinity;
  }

  /** Before a corrupt record. @throws RecordCorruptError when it would be the first */
  #endAt(corrupt: RecordCorruptError, queueOffset: number): void {
    this.#endBefore(new RecordCorruptError(corrupt, queueOffset));
  }

  #endBefore(error: Error): void {
    if (this.messages.length === 0) throw error;
    this.#isFull = true;
  }

  /** The segment of a record that is there, whole, and as large as its unit says. */
  #segmentOf(physicalOffset: number, size: number, queueOffset: number): ReadSegment | undefined {
    if (!unit.isMessage || size < MESSAGE_BASE_LENGTH || physicalOffset + size > this.#maxPhysicalOffset) return undefined;
    const isOnDisk = physicalOffset >= this.#minPhysicalOffset;
    const segment = isOnDisk ? this.#log.mappedSegment(physicalOffset) : undefined;
    if (segment === undefined) {
      this.#nextSegmentStart = this.#log.rollNextFile(physicalOffset);
      return undefined;
    }
    const { bytes, view } = segment;
    const position = physicalOffset - segment.fromOffset;
    if (position + size > bytes.length) return undefined;
    const isSize = view.getInt32(position + TOTAL_SIZE_OFFSET) === size;
    if (isSize && isMessageMagic(view.getInt32(position + MAGIC_OFFSET))) return segment;
    const corrupt = this.#log.verifier.errorOfHead(segment, physicalOffset, size, this.#maxPhysicalOffset);
    if (corrupt !== undefined) this.#endAt(corrupt, queueOffset);
    return undefined;
  }

  #pass(status: GetMessageStatus): void {
    if (this.messages.length === 0) this.status = status;
  }
}
