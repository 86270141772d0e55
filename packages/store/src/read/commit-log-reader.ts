import { BLANK_MAGIC, BLANK_RECORD_LENGTH, findNextRecord, int32At, MAGIC_OFFSET, MessageChecker } from "@millrace/format";
import { SegmentDirectory, type Storage } from "@millrace/mapped-file";
import { type ControlBlock, type ShownWhen, shownOffset, shownWhen } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { MessageView } from "./message-view.js";
import type { ReadSegment } from "./read-segment.js";
import { ReadSegmentTable } from "./read-segment-table.js";
import { RecordVerifier } from "./record-verifier.js";

/** Segments mapped at a time; the kernel's own limit of mappings is 65,530 by default. */
const MAPPED_LIMIT = 4096;
/** Where begins what this process has appended, if it appends nothing. */
export const APPENDED_NOWHERE = Number.POSITIVE_INFINITY;

/**
 * The log as the main thread reads it: its segments, mapped when they are first read, until they are deleted. (RocketMQ: the
 * reading half of `CommitLog`.)
 */
export class CommitLogReader {
  readonly #directory: SegmentDirectory;
  readonly #counters: ControlBlock<"main">["counters"];
  readonly #shownWhen: ShownWhen;
  readonly #table: ReadSegmentTable;
  /** By their first offset. */
  readonly #segments = new Map<number, ReadSegment>();
  readonly #checker = new MessageChecker();
  /** Every record that is handed out goes through it. */
  readonly verifier: RecordVerifier;
  #last: ReadSegment | undefined;

  /** @param appendedFrom what this process appends begins there: it is believed for as long as it is in the page cache */
  constructor(
    storage: Storage,
    config: MessageStoreConfig,
    counters: ControlBlock<"main">["counters"],
    appendedFrom = counters.wroteOffset.get(),
  ) {
    this.#directory = new SegmentDirectory(config.storePathCommitLog, config.mappedFileSizeCommitLog);
    this.#counters = counters;
    this.#shownWhen = shownWhen(config);
    this.#table = new ReadSegmentTable(storage, config.mappedFileSizeCommitLog, MAPPED_LIMIT, "view");
    this.verifier = new RecordVerifier(appendedFrom);
  }

  /** First byte on disk. */
  get minOffset(): number {
    return this.#counters.minOffset.get();
  }

  /** One past the last record that may be shown. (RocketMQ: `confirmOffset`.) */
  get maxOffset(): number {
    return shownOffset(this.#counters, this.#shownWhen);
  }

  /** Start of the segment behind the one that an offset lies in. (RocketMQ: `CommitLog.rollNextFile`.) */
  rollNextFile(offset: number): number {
    return this.#directory.endOf(offset);
  }

  /** Where the log goes on after an offset at which there is no good record: at the next record in the segment, or in the next segment. */
  nextAfter(offset: number): number {
    const segment = this.segmentAt(offset);
    const position = segment === undefined ? 0 : offset - segment.fromOffset;
    if (segment === undefined || segment.bytes.length - position < BLANK_RECORD_LENGTH) return this.rollNextFile(offset);
    const isBlank = int32At(segment.bytes, position + MAGIC_OFFSET) === BLANK_MAGIC;
    const next = isBlank ? -1 : findNextRecord(segment.view, position, offset, segment.bytes.length);
    return next < 0 ? this.rollNextFile(offset) : offset + next - position;
  }

  /** Of a record that {@link sizeAt} has found in the segment. */
  isCorrupt(segment: ReadSegment, offset: number, size: number): boolean {
    return this.verifier.errorOf(segment, offset, size, this.maxOffset) !== undefined;
  }

  /** The segment that holds an offset; undefined outside [minOffset, maxOffset), and when its file has just been deleted. */
  segmentAt(offset: number): ReadSegment | undefined {
    if (!(offset >= this.minOffset && offset < this.maxOffset)) return undefined;
    return this.mappedSegment(offset);
  }

  /** {@link segmentAt} for an offset that is known to be inside the log. */
  mappedSegment(offset: number): ReadSegment | undefined {
    const last = this.#last;
    if (last !== undefined && offset >= last.fromOffset && offset < last.endOffset && last.isMapped) return last;
    return this.#segment(this.#directory.startOf(offset));
  }

  #segment(fromOffset: number): ReadSegment | undefined {
    let segment = this.#segments.get(fromOffset);
    if (segment === undefined || !segment.isMapped) {
      segment = this.#table.map(this.#directory.pathOf(fromOffset), fromOffset);
      if (segment === undefined) return undefined;
      this.#segments.set(fromOffset, segment);
    }
    this.#table.touch(segment);
    this.#last = segment;
    return segment;
  }

  /**
   * Size of the record that begins at an offset, 0 when none does: outside the log, in the middle of a record, at a blank one.
   * Fields and lengths are checked, the CRCs are not: who hands the record out has it verified.
   */
  sizeAt(offset: number): number {
    if (!Number.isSafeInteger(offset)) return 0;
    const maxOffset = this.maxOffset;
    const segment = this.segmentAt(offset);
    if (segment === undefined) return 0;
    const limit = Math.min(maxOffset, segment.endOffset) - segment.fromOffset;
    const size = this.#checker.check(segment.view, segment.bytes, offset - segment.fromOffset, limit, offset, false);
    return Math.max(0, size);
  }

  /**
   * A copy of the record that begins at an offset, of this size if one is given.
   *
   * @throws RecordCorruptError
   */
  message(offset: number, size?: number): MessageView | undefined {
    const actual = this.sizeAt(offset);
    if (actual === 0) this.#throwIfDamaged(offset, size);
    if (actual === 0 || (size !== undefined && size !== actual)) return undefined;
    const segment = this.#verified(offset, actual);
    return segment === undefined ? undefined : new MessageView(segment.bytes, offset - segment.fromOffset, actual).copy();
  }

  /**
   * Milliseconds; undefined when there is no such record. (RocketMQ: `CommitLog.pickupStoreTimestamp`, -1.)
   *
   * @throws RecordCorruptError
   */
  pickupStoreTimestamp(offset: number, size: number): number | undefined {
    const actual = this.sizeAt(offset);
    if (actual === 0) this.#throwIfDamaged(offset, size === 0 ? undefined : size);
    if (actual !== size || size === 0) return undefined;
    return this.#verified(offset, size) === undefined ? undefined : this.#checker.storeTimestamp;
  }

  /** Where {@link sizeAt} finds no record, but a damaged one begins. */
  #throwIfDamaged(offset: number, size: number | undefined): void {
    const segment = Number.isSafeInteger(offset) ? this.segmentAt(offset) : undefined;
    const error = segment === undefined ? undefined : this.verifier.errorOfHead(segment, offset, size, this.maxOffset);
    if (error !== undefined) throw error;
  }

  /** The segment of a record that {@link sizeAt} has found. */
  #verified(offset: number, size: number): ReadSegment | undefined {
    const segment = this.mappedSegment(offset);
    const error = segment === undefined ? undefined : this.verifier.errorOf(segment, offset, size, this.maxOffset);
    if (error !== undefined) throw error;
    return segment;
  }

  /** What lies below has been deleted: those segments are unmapped, the held ones with their last lease. */
  forget(minOffset: number): void {
    for (const [fromOffset, segment] of this.#segments) {
      if (segment.endOffset > minOffset) continue;
      this.#segments.delete(fromOffset);
      this.#table.shutdown(segment);
    }
    if (this.#last !== undefined && this.#last.endOffset <= minOffset) this.#last = undefined;
  }

  /** Its file has gone, or is another one: it is mapped again when it is read, and its records are verified again. */
  forgetSegment(fromOffset: number): void {
    const segment = this.#segments.get(fromOffset);
    if (segment === undefined) return;
    this.#segments.delete(fromOffset);
    this.#table.shutdown(segment);
    if (this.#last === segment) this.#last = undefined;
  }

  /** First offset of the lowest segment that is leased: nothing from there on should be deleted yet. */
  heldFrom(): number | undefined {
    let lowest: number | undefined;
    for (const segment of this.#table) {
      if (segment.holders > 0 && segment.isMapped && !(segment.fromOffset >= (lowest ?? Infinity))) lowest = segment.fromOffset;
    }
    return lowest;
  }

  /** Ends the leases of all segments below an offset: views of them become empty. */
  releaseByForce(belowOffset: number): void {
    for (const segment of this.#table) {
      if (segment.endOffset > belowOffset) continue;
      this.#table.releaseByForce(segment);
      if (this.#segments.get(segment.fromOffset) === segment) this.#segments.delete(segment.fromOffset);
    }
    if (this.#last !== undefined && !this.#last.isMapped) this.#last = undefined;
  }

  /** Every view becomes empty. */
  close(): void {
    this.#table.close();
    this.#segments.clear();
    this.#last = undefined;
  }
}
