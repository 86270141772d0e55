import { availableParallelism } from "node:os";
import {
  BLANK_MAGIC,
  BLANK_RECORD_LENGTH,
  DispatchRequest,
  findNextRecord,
  getInt64,
  int32At,
  isMessageMagic,
  MAGIC_OFFSET,
  MESSAGE_BASE_LENGTH,
  MessageChecker,
  MillraceError,
  PHYSICAL_OFFSET_OFFSET,
  TOTAL_SIZE_OFFSET,
} from "@millrace/format";
import { type MappedFile, SegmentDirectory, type Storage } from "@millrace/mapped-file";
import {
  type Agent,
  type ControlBlock,
  failedService,
  InvariantError,
  monotonicMs,
  type ShownWhen,
  shownOffset,
  shownWhen,
  WaitStrategy,
} from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { PIPELINE_THREADS } from "../pipeline/services.js";
import type { StoreEventSink } from "../tell/store-event.js";
import type { CommitLogDispatcher } from "./commit-log-dispatcher.js";
import type { ConsumeQueueForcer } from "./consume-queue-forcer.js";
import type { DispatchByHint, HintedDispatcher } from "./hinted-dispatcher.js";
import type { SegmentNoter } from "./segment-noter.js";

/** A group ends with what there is, with its segment, or with this many bytes of the log. */
const GROUP_BYTES = 256 * 1024;
/** After a failure; a disk can become free. */
const RETRY_MS = 1000;
/** Only where every thread has a core; see the appender's. */
const SPIN_US = availableParallelism() > PIPELINE_THREADS ? 20 : 0;
/** How often an idle dispatcher lets the forces in the background go on. */
const FORCE_LOOK_MS = 1;

/**
 * Follows the appender: hands each record that may be shown to every dispatcher, by the appender's hint or decoded, and publishes
 * `reputFromOffset` once per group, after what the dispatchers wrote is readable. It sleeps on the word that moves the limit; nobody
 * polls. (RocketMQ: `ReputMessageService`.)
 *
 * Invariant: everything below `reputFromOffset` is in the ConsumeQueues and the index.
 */
export class ReputMessageService implements Agent {
  readonly #counters: ControlBlock<"dispatch">["counters"];
  readonly #storage: Storage;
  readonly #dispatchers: readonly CommitLogDispatcher[];
  readonly #flush: ConsumeQueueForcer;
  readonly #events: StoreEventSink;
  readonly #notes: SegmentNoter | undefined;
  readonly #byHint: DispatchByHint | undefined;
  readonly #request = new DispatchRequest();
  readonly #checker = new MessageChecker();
  /** Over the segment in which records are checked. */
  #view: DataView = new DataView(new ArrayBuffer(0));
  readonly #onCorrupt: (request: DispatchRequest) => void;
  /** Where dispatching began, and where the log ended, when the store was opened: what this life appends has just been sealed. */
  readonly #beganAt: number;
  readonly #openedAt: number;
  readonly #wait = new WaitStrategy(SPIN_US);
  readonly #shownWhen: ShownWhen;
  readonly #segments: SegmentDirectory;
  #segment: MappedFile | undefined;
  /** Next record; `reputFromOffset` plus what this group has handed on. */
  #offset: number;
  /** The last record handed on: -1 and 0 before the first. */
  #lastOffset = -1;
  #lastStoreTimestamp = 0;
  /** Which dispatcher is at work; -1: none, the record is being read. */
  #at = -1;
  #retryAt = 0;
  /** Of what was dispatched since the forcer was notified. */
  #leastStoreTimestamp = Number.POSITIVE_INFINITY;

  /** @param onCorrupt takes a record that is not as it was written instead of all dispatchers; nothing of it can be believed */
  constructor(
    control: ControlBlock<"dispatch">,
    storage: Storage,
    config: MessageStoreConfig,
    dispatchers: readonly CommitLogDispatcher[],
    flush: ConsumeQueueForcer,
    events: StoreEventSink,
    onCorrupt: (request: DispatchRequest) => void = () => {},
    notes?: SegmentNoter,
    byHint?: DispatchByHint,
  ) {
    this.#byHint = byHint;
    this.#notes = notes;
    this.#events = events;
    this.#counters = control.counters;
    this.#storage = storage;
    this.#segments = new SegmentDirectory(config.storePathCommitLog, config.mappedFileSizeCommitLog);
    this.#dispatchers = dispatchers;
    this.#flush = flush;
    this.#shownWhen = shownWhen(config);
    this.#offset = this.#counters.reputFromOffset.value;
    this.#beganAt = this.#offset;
    this.#openedAt = this.#counters.wroteOffset.get();
    this.#onCorrupt = onCorrupt;
    if (this.#offset === this.#openedAt) notes?.groupEnded(this.#offset, 0, -1, 0);
  }

  onStart(): void {}

  get awaitsEvents(): boolean {
    return this.#flush.isForcing;
  }

  /** One group. */
  doWork(): number {
    const now = monotonicMs();
    if (now < this.#retryAt) {
      this.#flush.flushOnDemand(now, this.#offset);
      return 0;
    }
    const began = this.#counters.reputFromOffset.value;
    const messages = this.#dispatchGroup(Math.max(shownOffset(this.#counters, this.#shownWhen), began));
    if (messages < 0) return 0;
    if (this.#offset > began) {
      this.#counters.dispatchMessages.add(messages);
      this.#counters.dispatchGroups.add(1);
      this.#counters.reputFromOffset.publish(this.#offset);
      this.#notes?.groupEnded(this.#offset, messages, this.#lastOffset, this.#lastStoreTimestamp);
      this.#byHint?.hints.release();
    }
    this.#flush.flushWhenDue(now, this.#offset, this.#lastStoreTimestamp, this.#leastStoreTimestamp);
    this.#leastStoreTimestamp = Number.POSITIVE_INFINITY;
    return this.#offset > began ? 1 : 0;
  }

  /**
   * While something is written and not yet durable (SYNC_FLUSH) the flusher will tell of it; otherwise the appender tells of the
   * next record, its own forces included, because it moves `wroteOffset` after them.
   */
  waitForWork(limitMs: number): void {
    const timeoutMs = this.#flush.isForcing ? Math.min(limitMs, FORCE_LOOK_MS) : limitMs;
    const { wroteOffset, committedOffset, flushedOffset } = this.#counters;
    const seenWrote = wroteOffset.get();
    const seenCommitted = committedOffset.get();
    const seenFlushed = flushedOffset.get();
    const limit = shownOffset(this.#counters, this.#shownWhen);
    if (limit > this.#offset && monotonicMs() >= this.#retryAt) return;
    if (this.#shownWhen === "committed") this.#wait.wait(committedOffset, seenCommitted, timeoutMs);
    else if (this.#shownWhen === "durable" && seenWrote > limit) this.#wait.wait(flushedOffset, seenFlushed, timeoutMs);
    else this.#wait.wait(wroteOffset, seenWrote, timeoutMs);
  }

  /** What was dispatched is durable; the mark says so. */
  async onClose(): Promise<void> {
    try {
      await this.#flush.flushAll(this.#offset, this.#lastStoreTimestamp);
    } finally {
      this.#segment?.close();
      for (const dispatcher of this.#dispatchers) dispatcher.close?.();
    }
  }

  /** Returns the number of records; -1 when a dispatcher has failed: everything of the group is handed on again later. */
  #dispatchGroup(limit: number): number {
    const began = this.#offset;
    const dispatchers = this.#dispatchers;
    let messages = 0;
    let hinted = 0;
    try {
      const end = Math.min(limit, began + GROUP_BYTES, this.#segments.endOf(began));
      this.#byHint?.hints.begin(); // after the limit was read: of what lies below it everything is there
      while (this.#offset < end) {
        let size = this.#dispatchByHint(limit);
        if (size > 0) hinted++;
        else size = this.#dispatchRecord(limit);
        if (size === 0) break;
        if (size < 0) continue;
        this.#lastOffset = this.#offset;
        if (this.#lastStoreTimestamp < this.#leastStoreTimestamp) this.#leastStoreTimestamp = this.#lastStoreTimestamp;
        this.#offset += size;
        messages++;
      }
      if (this.#offset > began) for (this.#at = 0; this.#at < dispatchers.length; this.#at++) dispatchers[this.#at]?.endGroup?.();
      this.#counters.dispatchHinted.add(hinted);
      if (this.#counters.dispatchFailures.value > 0) {
        this.#counters.dispatchFailures.set(0);
        this.#events.emit("recovered", { service: "dispatch" });
      }
      return messages;
    } catch (error) {
      const failedOffset = this.#offset;
      this.#offset = began;
      if (error instanceof InvariantError) throw error;
      if (error instanceof MillraceError && error.code === "ERR_DISPATCH_RECORD") throw error;
      this.#counters.dispatchFailures.add(1);
      this.#counters.reputFromOffset.nudge();
      this.#retryAt = monotonicMs() + RETRY_MS;
      this.#tell(error, dispatchers[this.#at]?.name, failedOffset);
      return -1;
    }
  }

  /** The record at #offset, if a hint says all of it. Its size; 0 when it was not dispatched. */
  #dispatchByHint(limit: number): number {
    const byHint = this.#byHint;
    if (byHint === undefined || !byHint.hints.isAt(this.#offset)) return 0;
    const { hints, dispatchers } = byHint;
    const { size } = hints;
    if (this.#offset + size > limit) return 0;
    for (this.#at = 0; this.#at < dispatchers.length; this.#at++) {
      if (!(dispatchers[this.#at] as HintedDispatcher).dispatchHint(hints)) return 0;
    }
    this.#lastStoreTimestamp = hints.storeTimestamp;
    return size;
  }

  /** The record at #offset, read. As {@link #next}. */
  #dispatchRecord(limit: number): number {
    const dispatchers = this.#dispatchers;
    this.#at = -1;
    const size = this.#next(limit);
    if (size <= 0) return size;
    for (this.#at = 0; this.#at < dispatchers.length; this.#at++) {
      (dispatchers[this.#at] as CommitLogDispatcher).dispatch(this.#request);
    }
    this.#lastStoreTimestamp = this.#request.storeTimestamp;
    return size;
  }

  #tell(error: unknown, dispatcher: string | undefined, physicalOffset: number): void {
    const failures = this.#counters.dispatchFailures.value;
    const { code, message, stack } = failedService("dispatch", error, "ERR_SERVICE_FAILED");
    const who = dispatcher === undefined ? "reading the log" : "a dispatcher";
    const named = dispatcher === undefined ? "" : `dispatcher=${dispatcher} `;
    this.#events.emit("dispatchFailed", {
      service: "dispatch",
      code: "ERR_DISPATCH_FAILED",
      message: `${who} failed, and is tried again: ${named}offset=${physicalOffset} failures=${failures} code=${code} reason=${message}`,
      ...(stack === undefined ? {} : { stack }),
      ...(dispatcher === undefined ? {} : { dispatcher }),
      physicalOffset,
      failures,
    });
  }

  /** Reads the record at #offset. Its size; 0 when it is not wholly below the limit; -1 after going on to the next segment. */
  #next(limit: number): number {
    const segment = this.#segmentOf(this.#offset);
    const { bytes } = segment;
    const position = this.#offset - segment.fromOffset;
    if (segment.size - position < BLANK_RECORD_LENGTH) return this.#roll(segment);
    const magic = int32At(bytes, position + MAGIC_OFFSET);
    if (magic === BLANK_MAGIC) return this.#roll(segment);
    if (this.#offset < this.#openedAt && this.#passesCorrupt(segment, position)) return -1;
    const size = int32At(bytes, position + TOTAL_SIZE_OFFSET);
    if (isMessageMagic(magic) && size >= MESSAGE_BASE_LENGTH && size <= segment.size - position) {
      if (this.#offset + size > limit) return 0;
      if (this.#request.read(bytes, position, size) && this.#request.commitLogOffset === this.#offset) return size;
    }
    const reason = `no record where the log has one: offset=${this.#offset} size=${size} magic=${magic} limit=${limit}`;
    throw new MillraceError("ERR_DISPATCH_RECORD", reason);
  }

  /** Recovery lets records of old segments be corrupt where others follow. True after going on behind one. */
  #passesCorrupt({ bytes, size: end }: MappedFile, position: number): boolean {
    if (this.#view.buffer !== bytes.buffer) this.#view = new DataView(bytes.buffer, bytes.byteOffset, end);
    const view = this.#view;
    if (this.#checker.check(view, bytes, position, end, this.#offset, true) > 0) return false;
    // Only where dispatching begins can the place be wrong itself: a dispatcher has named it.
    if (this.#offset === this.#beganAt && !isHeadOfRecord(view, position, this.#offset)) return false;
    const next = findNextRecord(view, position, this.#offset, end);
    if (next < 0) return false;
    const isReadable = this.#checker.check(view, bytes, position, end, this.#offset, false) === next - position;
    if (isReadable && this.#request.read(bytes, position, next - position)) this.#onCorrupt(this.#request);
    this.#offset += next - position;
    return true;
  }

  #roll(segment: MappedFile): number {
    this.#offset = segment.endOffset;
    return -1;
  }

  #segmentOf(offset: number): MappedFile {
    const current = this.#segment;
    if (current !== undefined && offset >= current.fromOffset && offset < current.endOffset) return current;
    current?.close();
    this.#segment = this.#segments.at(this.#storage, offset, "read");
    return this.#segment;
  }
}

/** Whether magic or place, one of them at least, says that a record begins here. */
function isHeadOfRecord(view: DataView, position: number, offset: number): boolean {
  if (position + MESSAGE_BASE_LENGTH > view.byteLength) return false;
  return isMessageMagic(view.getInt32(position + MAGIC_OFFSET)) || getInt64(view, position + PHYSICAL_OFFSET_OFFSET) === offset;
}
