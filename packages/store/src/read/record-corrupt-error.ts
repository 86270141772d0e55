import { type MessageVerdictName, MillraceError } from "@millrace/format";

/** Where a corrupt record lies. */
export interface CorruptPlace {
  /** Absolute offset of the record in the log, in bytes. */
  readonly physicalOffset: number;
  /** Bytes, as far as is known. */
  readonly size: number;
  /** What is wrong with it, as a verdict on records. */
  readonly reason: MessageVerdictName;
}

/** `ERR_RECORD_CORRUPT`: a record of the log is not as it was written, and was not handed out. */
export class RecordCorruptError extends MillraceError implements CorruptPlace {
  readonly physicalOffset: number;
  readonly size: number;
  readonly reason: MessageVerdictName;
  /** Of the message in the queue that was read; undefined when it was asked for by another name. */
  readonly queueOffset: number | undefined;

  /** @internal */
  constructor({ physicalOffset, size, reason }: CorruptPlace, queueOffset?: number) {
    const inQueue = queueOffset === undefined ? "" : ` queueOffset=${queueOffset}`;
    super(
      "ERR_RECORD_CORRUPT",
      `a record is not as it was written; go on behind it, and look at the disk: ` +
        `physicalOffset=${physicalOffset} size=${size} reason=${reason}${inQueue}`,
    );
    this.physicalOffset = physicalOffset;
    this.size = size;
    this.reason = reason;
    this.queueOffset = queueOffset;
  }
}

/** What `read` gives; undefined when the record is corrupt, which its reader has reported. */
export function unlessCorrupt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RecordCorruptError) return undefined;
    throw error;
  }
}
