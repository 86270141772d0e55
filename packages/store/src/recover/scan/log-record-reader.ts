import {
  DispatchRequest,
  IPV6_EXTRA_LENGTH,
  isMessageMagic,
  MESSAGE_BASE_LENGTH,
  RecordCursor,
  STORE_HOST_OFFSET,
} from "@millrace/format";
import { SegmentDirectory, type Storage, type StorageFile } from "@millrace/mapped-file";

/** The log after its recovery. */
export interface RecoveredLog {
  readonly commitLogDirectory: string;
  readonly mappedFileSizeCommitLog: number;
  readonly minOffset: number;
  readonly maxOffset: number;
}

const HEAD_LENGTH = STORE_HOST_OFFSET + IPV6_EXTRA_LENGTH;
const OPEN_LIMIT = 64;

/** Looks at heads of single records of a recovered log, wherever some other file says that one begins. */
export class LogRecordReader {
  /** Of the record read last. */
  size = 0;
  queueId = 0;
  queueOffset = 0;
  /** Milliseconds. */
  storeTimestamp = 0;
  readonly #storage: Storage;
  readonly #log: RecoveredLog;
  readonly #segments: SegmentDirectory;
  readonly #head = new Uint8Array(HEAD_LENGTH);
  readonly #record = new RecordCursor();
  /** By the segment's first offset. */
  readonly #files = new Map<number, StorageFile>();

  constructor(storage: Storage, log: RecoveredLog) {
    this.#storage = storage;
    this.#log = log;
    this.#segments = new SegmentDirectory(log.commitLogDirectory, log.mappedFileSizeCommitLog);
  }

  /** False when no record begins there. Recovery has checked the records; what is checked here is the place. */
  read(physicalOffset: number): boolean {
    const { minOffset, maxOffset, mappedFileSizeCommitLog } = this.#log;
    if (physicalOffset < minOffset || physicalOffset + MESSAGE_BASE_LENGTH > maxOffset) return false;
    const position = physicalOffset - this.#segments.startOf(physicalOffset);
    const head = this.#head.subarray(0, Math.min(HEAD_LENGTH, mappedFileSizeCommitLog - position));
    if (this.#fileOf(physicalOffset - position).read(head, position) < head.length) return false;
    const record = this.#record;
    record.moveTo(head, 0);
    if (!isMessageMagic(record.magic) || record.physicalOffset !== physicalOffset) return false;
    this.size = record.totalSize;
    this.queueId = record.queueId;
    this.queueOffset = record.queueOffset;
    this.storeTimestamp = record.storeTimestamp;
    return this.size >= MESSAGE_BASE_LENGTH && physicalOffset + this.size <= maxOffset;
  }

  /** The whole record that {@link read} was asked for last. Undefined when its fields do not fill it. */
  request(physicalOffset: number): DispatchRequest | undefined {
    const position = physicalOffset - this.#segments.startOf(physicalOffset);
    const bytes = new Uint8Array(this.size);
    this.#fileOf(physicalOffset - position).read(bytes, position);
    const request = new DispatchRequest();
    return request.read(bytes, 0, this.size) ? request : undefined;
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  #fileOf(fromOffset: number): StorageFile {
    const known = this.#files.get(fromOffset);
    if (known !== undefined) return known;
    if (this.#files.size >= OPEN_LIMIT) this.close();
    const file = this.#storage.open(this.#segments.pathOf(fromOffset), "read");
    this.#files.set(fromOffset, file);
    return file;
  }
}
