import type { PutRingBuffers } from "@millrace/shared-memory";

/**
 * What main asks of the service threads, off the data path (Comlink). The answers are plain data: errors lose their codes between
 * threads. Each interface is implemented by the thread's own folder.
 */
/** What main asks of the append thread when a producer comes or goes. Implemented by append/put-rings. */
export interface AppendControl {
  /** From now on the ring is served like main's. */
  addRing(buffers: PutRingBuffers): void;
  /** The ring whose words lie at `address` has lost its producer. False: frames of it are still to be appended. */
  removeRing(address: number): boolean;
}

/** What `store.flush()` asks of the flush thread. Implemented by flush/flush-worker. */
export interface FlushControl {
  /**
   * Forces all that has been written, and what main has acknowledged before the appender has published it (a force of its own that
   * is late). Returns the offset below which everything is durable, which is less when the store ends meanwhile; rejects with the
   * failure of the force.
   */
  flushNow(acknowledged: number): number;
}

/** What a slice did; plain data, because errors lose their codes between threads. */
export interface ExpiredDeletion {
  readonly deletedFiles: number;
  readonly isDone: boolean;
  /** With the last slice: the first thing that went wrong. All the rest was done. */
  readonly failure?: string;
}

/** Of what reads files again: an answer that comes without an error, because errors lose their codes between threads. */
export interface Refusable {
  /** There was no descriptor to read with, and nothing has been done: to be asked again the same, a little later. */
  readonly isRefused?: true;
}

/** What a slice of a scrub did; plain data. */
export interface QueueScrub extends Refusable {
  /** Files that were compared. */
  readonly files: number;
  readonly isDone: boolean;
}

/** What a slice of a repair did; plain data. */
export interface UnitRepair extends Refusable {
  readonly isDone: boolean;
  /** When it is done: the unit leads to its record, or is there no more. */
  readonly isRight: boolean;
  /**
   * When it is done, and the unit is not right: the system did not give log or queue to be read, and nothing is known of the record.
   * Without it all of the log where the record would be has been read, and there is no good one.
   */
  readonly isUnread?: true;
}

/** What main asks of the dispatch thread about bytes that may have changed on disk. Implemented by dispatch/consume-queue-scrub. */
export interface ScrubControl {
  /** One slice: compares ConsumeQueues with their checksums, and builds again what differs. Called again until it is done. */
  scrubConsumeQueues(): QueueScrub;
  /** One slice: the unit at this queue offset does not lead to its record, and is built again. Called again until it is done. */
  repairUnit(slot: number, queueOffset: number): UnitRepair;
}

/** What the cleaner on main asks of the dispatch thread. Implemented by dispatch/expired-consume-queues. */
export interface ExpiredQueuesControl {
  /** One slice: records below `minOffset` are no longer on disk. Called again until it is done; another offset begins again. */
  deleteExpired(minOffset: number): ExpiredDeletion;
  /** Deletes the topic's ConsumeQueues; its records below `offset` never come back. Answers with what went wrong. */
  deleteTopic(topic: string, offset: number): string | undefined;
  /** Deletes the queue in this slot, of which no record is in the log or on its way. Answers with what went wrong. */
  deleteQueue(slot: number): string | undefined;
}

/** What the cleaner on main asks of the dispatch thread before a segment goes. Implemented by dispatch/consume-queue-forcer. */
interface DispatchForceControl {
  /** Whether all that was dispatched below `offset` is durable. If not, it is being made so: to be asked again, a little later. */
  isForcedTo(offset: number): boolean;
}

/** Implemented by dispatch/index-dispatcher. */
interface IndexControl {
  /** The index file of this name is not as it was written. That is noted, and the next opening builds it again, after a crash, too. */
  distrustIndexFile(name: string): void;
}

/** All that main asks of the dispatch thread. */
export type DispatchControl = ExpiredQueuesControl & ScrubControl & DispatchForceControl & IndexControl;

/** What became of a deletion; plain data, because errors lose their codes between threads. */
export interface SegmentDeletion {
  readonly deletedSegments: number;
  /** Why it went no further; the next deletion goes on there. */
  readonly failure?: string;
}

/** What the cleaner on main asks of the allocate thread. Implemented by allocate/expired-segments. */
export interface ExpiredSegmentsControl {
  /** From now on nobody reads below `offset`, the end of a segment; the files stay. */
  retireSegmentsBelow(offset: number): void;
  /** Retires, then deletes, the oldest file first. */
  deleteSegmentsBelow(offset: number): SegmentDeletion;
}

/** Bytes of the log that are not as they were written. Plain data. */
export interface DamagedPlace {
  /** Absolute offset in the log, in bytes. */
  readonly physicalOffset: number;
  /** Up to the next record. */
  readonly size: number;
  /** Why a record is not good; `SEGMENT_CRC`: no record says so, but the segment's CRC is another; or what the system says to the read. */
  readonly reason: string;
}

/** Where a scrub of the log is; made by the one that scrubs, but for the first, at the start of a segment. Plain data. */
export interface LogScrubCursor {
  readonly offset: number;
  /** Of the segment up to there, and whether all was good. */
  readonly crc: number;
  readonly isClean: boolean;
}

/** What a slice found; plain data. */
export interface LogScrub extends Refusable {
  readonly cursor: LogScrubCursor;
  /** That were read. */
  readonly bytes: number;
  readonly corrupt: readonly DamagedPlace[];
}

/** What main asks of the allocate thread about bytes of the log that may have changed on disk. Implemented by allocate/commit-log-scrub. */
export interface LogScrubControl {
  /** One slice, up to `limit` at most; called again with its cursor until that is there. */
  scrubLog(cursor: LogScrubCursor, limit: number): LogScrub;
}

/** Where a scrub of the index is: the file before, or in the file. The first name is empty. Plain data. */
export interface IndexScrubCursor {
  readonly name: string;
  /** In bytes; 0 when it goes on with the next file. */
  readonly position: number;
  readonly crc: number;
  /** In a file: what its seal said when it was begun. */
  readonly sealCrc?: number;
  /** At the beginning: only the last file, which was sealed by a clean end, and gets the next keys. */
  readonly isLastOnly?: true;
}

/** What a slice found; plain data. */
export interface IndexScrub extends Refusable {
  /** Undefined when all is done. */
  readonly cursor: IndexScrubCursor | undefined;
  readonly bytes: number;
  /** Path of a file that is not as it was finished. */
  readonly damaged: string | undefined;
}

/** What main asks of the allocate thread about index files that may have changed on disk. Implemented by allocate/index-scrub. */
export interface IndexScrubControl {
  /** One slice; called again with its cursor until there is none. */
  scrubIndex(cursor: IndexScrubCursor): IndexScrub;
}

/** Why a file could not be written; plain data, because errors lose their codes between threads. */
interface ConfigFileFailure {
  readonly code: string | undefined;
  readonly message: string;
}

/**
 * What main has the allocate thread do, because it waits for the disk: the files of the `config` directory. Implemented by
 * allocate/config-file-control.
 */
export interface ConfigFileControl {
  /** Replaces the file and Millrace's copy of it, atomically and durably. Answers with what went wrong. */
  writeConfigFile(path: string, content: Uint8Array, logOffset: number): ConfigFileFailure | undefined;
  /** Replaces a file of Millrace's own, atomically and durably. Answers with what went wrong. */
  writeOwnFile(path: string, content: Uint8Array): ConfigFileFailure | undefined;
}

/** All that main asks of the allocate thread. */
export type AllocateControl = ExpiredSegmentsControl & ConfigFileControl & LogScrubControl & IndexScrubControl;

/** By service: what the table of services does not say, because only types can. */
export interface ServiceControls {
  readonly append: AppendControl;
  readonly flush: FlushControl;
  readonly dispatch: DispatchControl;
  readonly allocate: AllocateControl;
  /** Nothing but its end. */
  readonly replicate: object;
}
