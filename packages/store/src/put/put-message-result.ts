import { type AppendedPutStatus, encodeMessageId, type MillraceErrorCode, type RefusedPutStatus } from "@millrace/format";

/** Where a put landed. (RocketMQ: `AppendMessageResult`.) */
export class AppendMessageResult {
  /** Stored, whatever the flush said: the other statuses of RocketMQ's `AppendMessageStatus` are refusals of the put here. */
  readonly status = "PUT_OK";
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

  /** All of it, with the message id that it is made of. */
  toJSON(): object {
    return { ...this, msgId: this.msgId };
  }
}

/** The message is in the log. */
export interface AppendedPutResult<S extends AppendedPutStatus = AppendedPutStatus> {
  readonly status: S;
  readonly appendResult: AppendMessageResult;
  readonly code?: undefined;
  readonly reason?: undefined;
}

/** The message is not in the log, and never will be by this put. */
export interface RefusedPutResult {
  readonly status: RefusedPutStatus;
  readonly appendResult: null;
  /** Why it was refused: a stable code, `ERR_…`, and words. */
  readonly code: MillraceErrorCode;
  readonly reason: string;
}

/** A put's answer: `status` tells which of the two, and so does `appendResult !== null`. (RocketMQ: `PutMessageResult`.) */
export type PutMessageResult = { [S in AppendedPutStatus]: AppendedPutResult<S> }[AppendedPutStatus] | RefusedPutResult;

export function refused(status: RefusedPutStatus, code: MillraceErrorCode, reason: string): RefusedPutResult {
  return { status, appendResult: null, code, reason };
}

export function allocateFailed(): RefusedPutResult {
  const reason = "no segment could be made ready in time; stats().allocate says more: status=CREATE_MAPPED_FILE_FAILED";
  return refused("CREATE_MAPPED_FILE_FAILED", "ERR_ALLOCATE_FAILED", reason);
}

export function diskFull(limitPercent: number): RefusedPutResult {
  const reason = `the disk is fuller than it may be, in per cent: diskSpaceWarningLevelRatio=${limitPercent}`;
  return refused("SERVICE_NOT_AVAILABLE", "ERR_DISK_FULL", reason);
}

export function pageCacheBusy(limitMs: number): RefusedPutResult {
  const reason = `the appender is stuck in the page cache: osPageCacheBusyTimeOutMills=${limitMs}`;
  return refused("OS_PAGE_CACHE_BUSY", "ERR_OS_PAGE_CACHE_BUSY", reason);
}

/** @param lastError names the dispatcher and its error */
export function dispatchFailed(failures: number, lastError: string | undefined): RefusedPutResult {
  const reason = `what is put cannot be read, because dispatching fails again and again: ${lastError ?? `failures=${failures}`}`;
  return refused("SERVICE_NOT_AVAILABLE", "ERR_DISPATCH_FAILED", reason);
}

export function notEnoughReplicas(inSync: number, minInSyncReplicas: number): RefusedPutResult {
  const reason = `too few stores are in sync, this one counted: inSync=${inSync} minInSyncReplicas=${minInSyncReplicas}`;
  return refused("IN_SYNC_REPLICAS_NOT_ENOUGH", "ERR_HA_REPLICAS", reason);
}

export function isSlave(master: string): RefusedPutResult {
  const reason = `the store is a slave, and its log follows the master's: haMasterAddress=${master}`;
  return refused("SERVICE_NOT_AVAILABLE", "ERR_HA_SLAVE", reason);
}
