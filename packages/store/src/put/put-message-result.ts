import { type AppendMessageStatus, encodeMessageId, type PutMessageStatus } from "@millrace/format";

/** Where a put landed. (RocketMQ: `AppendMessageResult`.) */
export class AppendMessageResult {
  readonly status: AppendMessageStatus = "PUT_OK";
  /** Physical offset of the record, of the first one in a batch. */
  readonly wroteOffset: number;
  readonly wroteBytes: number;
  /** Milliseconds. */
  readonly storeTimestamp: number;
  /** Queue offset of the message, of the first one in a batch. */
  readonly queueOffset: number;
  readonly msgCount: number;
  readonly #storeHost: Uint8Array;
  readonly #lengths: readonly number[] | undefined;

  constructor(
    wroteOffset: number,
    wroteBytes: number,
    storeTimestamp: number,
    queueOffset: number,
    msgCount: number,
    storeHost: Uint8Array,
    lengths: readonly number[] | undefined,
  ) {
    this.wroteOffset = wroteOffset;
    this.wroteBytes = wroteBytes;
    this.storeTimestamp = storeTimestamp;
    this.queueOffset = queueOffset;
    this.msgCount = msgCount;
    this.#storeHost = storeHost;
    this.#lengths = lengths;
  }

  /** Store host and physical offset in hex; the ids of a batch are joined by commas. Computed when asked for. */
  get msgId(): string {
    if (this.#lengths === undefined) return encodeMessageId(this.#storeHost, this.wroteOffset);
    let offset = this.wroteOffset;
    const ids: string[] = [];
    for (const length of this.#lengths) {
      ids.push(encodeMessageId(this.#storeHost, offset));
      offset += length;
    }
    return ids.join(",");
  }

  toJSON(): object {
    return { ...this, msgId: this.msgId };
  }
}

/** A put's answer. (RocketMQ: `PutMessageResult`.) */
export interface PutMessageResult {
  readonly status: PutMessageStatus;
  /** There when the message is in the log: PUT_OK and FLUSH_DISK_TIMEOUT. */
  readonly appendResult: AppendMessageResult | null;
  /** Why it was refused, for the other statuses: a stable code, and words. */
  readonly code?: string;
  readonly reason?: string;
}

export function refused(status: PutMessageStatus, code: string, reason: string): PutMessageResult {
  return { status, appendResult: null, code, reason };
}

export function allocateFailed(): PutMessageResult {
  const reason = "no segment could be made ready in time; stats().allocate says more: status=CREATE_MAPPED_FILE_FAILED";
  return refused("CREATE_MAPPED_FILE_FAILED", "ERR_ALLOCATE_FAILED", reason);
}

export function diskFull(limitPercent: number): PutMessageResult {
  const reason = `the disk is fuller than it may be, in per cent: diskSpaceWarningLevelRatio=${limitPercent}`;
  return refused("SERVICE_NOT_AVAILABLE", "ERR_DISK_FULL", reason);
}

export function pageCacheBusy(limitMs: number): PutMessageResult {
  const reason = `the appender is stuck in the page cache: osPageCacheBusyTimeOutMills=${limitMs}`;
  return refused("OS_PAGE_CACHE_BUSY", "ERR_OS_PAGE_CACHE_BUSY", reason);
}
