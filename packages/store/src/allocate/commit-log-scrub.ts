import {
  BLANK_MAGIC,
  BLANK_RECORD_LENGTH,
  crc32,
  findNextRecord,
  int32At,
  isMessageMagic,
  MAGIC_OFFSET,
  MessageChecker,
  MessageVerdict,
  messageVerdictName,
  TOTAL_SIZE_OFFSET,
} from "@millrace/format";
import { isOutOfDescriptors, SegmentDirectory, type Storage, type StorageFile } from "@millrace/mapped-file";
import type { ReadableCounter } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { SegmentCrcs } from "../marks/segment-crcs.js";
import type { DamagedPlace, LogScrub, LogScrubControl, LogScrubCursor } from "../pipeline/controls.js";

/** Read in one slice: about a millisecond, after which the thread looks at its own work again. */
const SLICE_LENGTH = 512 * 1024;
/** So far behind a corrupt record the next one is looked for. */
const PASS_LENGTH = 16 * 1024 * 1024;

/**
 * Reads the log as it is on disk, record by record, a slice at a time, and checks every CRC. Finished segments are compared with the CRC
 * that was noted of them, too: a record with a CRC of its body alone says nothing of its other fields. Allocate thread, which has time
 * between two slices of zeros.
 */
export class CommitLogScrub implements LogScrubControl {
  readonly #storage: Storage;
  readonly #segments: SegmentDirectory;
  readonly #minOffset: ReadableCounter;
  readonly #crcs: SegmentCrcs;
  readonly #checker = new MessageChecker();
  readonly #slice = new Uint8Array(SLICE_LENGTH);

  constructor(storage: Storage, config: MessageStoreConfig, minOffset: ReadableCounter, crcsPath: string) {
    this.#storage = storage;
    this.#segments = new SegmentDirectory(config.storePathCommitLog, config.mappedFileSizeCommitLog);
    this.#minOffset = minOffset;
    this.#crcs = new SegmentCrcs(storage, crcsPath);
  }

  scrubLog(cursor: LogScrubCursor, limit: number): LogScrub {
    const minOffset = this.#minOffset.get();
    const from = cursor.offset < minOffset ? { offset: minOffset, crc: 0, isClean: true } : cursor;
    this.#crcs.forgetBelow(minOffset);
    if (from.offset >= limit) return { cursor: from, bytes: 0, corrupt: [] };
    try {
      return this.#scrub(from, limit);
    } catch (error) {
      if (isOutOfDescriptors(error)) return { cursor: from, bytes: 0, corrupt: [], isRefused: true };
      const { code = "unknown" } = error as NodeJS.ErrnoException;
      const end = this.#segments.endOf(from.offset);
      const cursorBehind = { offset: end, crc: 0, isClean: true };
      // Retention was quicker, or the disk does not give it: what follows in the segment is not read.
      const place = { physicalOffset: from.offset, size: Math.min(end, limit) - from.offset, reason: code };
      return { cursor: cursorBehind, bytes: 0, corrupt: from.offset < this.#minOffset.get() ? [] : [place] };
    }
  }

  #scrub(from: LogScrubCursor, limit: number): LogScrub {
    const fromOffset = this.#segments.startOf(from.offset);
    const file = this.#storage.open(this.#segments.pathOf(from.offset), "read");
    try {
      const position = from.offset - fromOffset;
      const end = Math.min(this.#segments.segmentSize, limit - fromOffset);
      return this.#scrubRecords(file, { ...from, position, end, fromOffset });
    } finally {
      file.close();
    }
  }

  #scrubRecords(
    file: StorageFile,
    { position, end, fromOffset, ...from }: LogScrubCursor & { position: number; end: number; fromOffset: number },
  ): LogScrub {
    const size = this.#segments.segmentSize;
    const corrupt: DamagedPlace[] = [];
    let bytes = this.#read(file, position, Math.min(SLICE_LENGTH, end - position));
    let at = 0;
    let isAtEnd = false;
    while (position + at < end) {
      if (size - position - at < BLANK_RECORD_LENGTH) {
        isAtEnd = true;
        break;
      }
      const needed = this.#lengthAt(bytes, at, end - position - at);
      if (at + needed > bytes.length) {
        if (at > 0) break;
        bytes = this.#read(file, position, needed);
      }
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const verdict = this.#checker.check(view, bytes, at, at + needed, fromOffset + position + at, true);
      if (verdict > 0) {
        at += verdict;
      } else if (int32At(bytes, at + MAGIC_OFFSET) === BLANK_MAGIC && int32At(bytes, at) === size - position - at) {
        at += BLANK_RECORD_LENGTH;
        isAtEnd = true;
        break;
      } else {
        const reason = messageVerdictName(verdict === MessageVerdict.BLANK ? MessageVerdict.BAD_BLANK : verdict);
        const length = this.#lengthOfCorrupt(file, position + at, end, fromOffset);
        corrupt.push({ physicalOffset: fromOffset + position + at, size: length, reason });
        bytes = this.#read(file, position, Math.min(at + length, end - position));
        at += length;
        break;
      }
    }
    const crc = crc32(bytes.subarray(0, at), from.crc);
    const isClean = from.isClean && corrupt.length === 0;
    if (!isAtEnd && position + at < size) {
      return { cursor: { offset: fromOffset + position + at, crc, isClean }, bytes: at, corrupt };
    }
    const { path } = file;
    if (isClean && !this.#crcs.isAsNoted(path, { fromOffset, length: position + at, crc }))
      corrupt.push({ physicalOffset: fromOffset, size: position + at, reason: "SEGMENT_CRC" });
    return { cursor: { offset: fromOffset + size, crc: 0, isClean: true }, bytes: at, corrupt };
  }

  /** Of the record at a place, as it says; so much that its head can be judged, if that says nothing. */
  #lengthAt(bytes: Uint8Array, at: number, room: number): number {
    if (at + MAGIC_OFFSET + 4 > bytes.length) return Math.min(room, SLICE_LENGTH);
    const size = int32At(bytes, at + TOTAL_SIZE_OFFSET);
    const isPlausible = isMessageMagic(int32At(bytes, at + MAGIC_OFFSET)) && size > 0 && size <= Math.min(room, PASS_LENGTH);
    return isPlausible ? size : Math.min(room, bytes.length - at);
  }

  /** Up to the next record; to the end, where none follows. */
  #lengthOfCorrupt(file: StorageFile, position: number, end: number, fromOffset: number): number {
    const bytes = this.#read(file, position, Math.min(end - position, PASS_LENGTH));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const next = findNextRecord(view, 0, fromOffset + position, this.#segments.segmentSize - position);
    return next < 0 ? end - position : next;
  }

  #read(file: StorageFile, position: number, length: number): Uint8Array {
    const bytes = length <= SLICE_LENGTH ? this.#slice.subarray(0, length) : new Uint8Array(length);
    if (file.read(bytes, position) < length) throw Object.assign(new Error("a segment ends early"), { code: "ERR_SEGMENT_SIZE" });
    return bytes;
  }
}
