import {
  DispatchRequest,
  getInt64,
  IPV6_EXTRA_LENGTH,
  MAGIC_OFFSET,
  MESSAGE_BASE_LENGTH,
  MESSAGE_MAGIC_V1,
  MESSAGE_MAGIC_V2,
  PHYSICAL_OFFSET_OFFSET,
  QUEUE_ID_OFFSET,
  QUEUE_OFFSET_OFFSET,
  STORE_HOST_OFFSET,
  STORE_TIMESTAMP_OFFSET,
  SYS_FLAG_BORN_HOST_V6,
  SYS_FLAG_OFFSET,
  TOTAL_SIZE_OFFSET,
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
  readonly #view = new DataView(this.#head.buffer);
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
    const view = this.#view;
    const magic = view.getInt32(MAGIC_OFFSET);
    if (magic !== MESSAGE_MAGIC_V1 && magic !== MESSAGE_MAGIC_V2) return false;
    if (getInt64(view, PHYSICAL_OFFSET_OFFSET) !== physicalOffset) return false;
    this.size = view.getInt32(TOTAL_SIZE_OFFSET);
    this.queueId = view.getInt32(QUEUE_ID_OFFSET);
    this.queueOffset = getInt64(view, QUEUE_OFFSET_OFFSET);
    const hostExtra = (view.getInt32(SYS_FLAG_OFFSET) & SYS_FLAG_BORN_HOST_V6) === 0 ? 0 : IPV6_EXTRA_LENGTH;
    this.storeTimestamp = getInt64(view, hostExtra + STORE_TIMESTAMP_OFFSET);
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
