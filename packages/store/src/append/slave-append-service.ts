import { BLANK_RECORD_LENGTH, isTopicDirectoryLegal, MillraceError, SYS_FLAG_COMMIT, storePaths } from "@millrace/format";
import { createStorage, type MappedFile, SegmentDirectory, type Storage } from "@millrace/mapped-file";
import {
  beginGroup,
  ControlBlock,
  durableOffset,
  type EventAgent,
  endGroup,
  monotonicMs,
  monotonicUs,
  type OwnedQueueColumn,
  QueueTableReader,
  queueColumns,
  StoreState,
} from "@millrace/shared-memory";
import type { HaStats } from "@millrace/stats";
import { followsMaster } from "../config/ha-options.js";
import { FencingForce } from "../marks/fencing-force.js";
import type { PipelineData } from "../pipeline/pipeline-data.js";
import { QueueSlots } from "../pipeline/queue-slots.js";
import { HaClient, type SlaveLog } from "../replicate/ha-client.js";
import type { RecordStream } from "../replicate/record-stream.js";
import type { StoreEventSink } from "../tell/store-event.js";
import { DispatcherBell } from "./dispatcher-bell.js";
import { ReadyBytes } from "./ready-bytes.js";
import type { SegmentWriter } from "./segment-writer.js";
import { segmentWriter } from "./segment-writer-choice.js";

const STATS_INTERVAL_MS = 1000;
/** How often main is asked again for a queue's slot. */
const SLOT_LOOK_MS = 50;

/** What the slave's append thread says to main without being asked, beside events. */
export interface SlaveReports {
  readonly onStats: (stats: HaStats) => void;
  /** A queue of which a record has come, and which has no slot yet: main gives it one. */
  readonly onQueue: (topic: string, queueId: number) => void;
}

/**
 * The one writer of a slave's log: appends the master's records at the end, byte for byte, segments as the master's. (RocketMQ:
 * `CommitLog.appendData`, `DefaultMessageStore.appendToCommitLog`.)
 *
 * Invariant: bytes below `wroteOffset` are complete records, CRC and all; what is not whole yet is in memory only.
 */
export class SlaveAppendService implements EventAgent, SlaveLog {
  readonly control: ControlBlock<"append">;
  readonly #counters: ControlBlock<"append">["counters"];
  readonly #storage: Storage;
  readonly #segments: SegmentDirectory;
  readonly #force: FencingForce;
  readonly #writer: SegmentWriter;
  readonly #ready: ReadyBytes;
  /** Undefined: it follows nobody. */
  readonly #client: HaClient | undefined;
  readonly #dispatcher: DispatcherBell;
  readonly #slots: QueueSlots;
  readonly #nextQueueOffsets: OwnedQueueColumn;
  readonly #reports: SlaveReports;
  readonly #sync: boolean;
  #segment: MappedFile;
  /** One past what has been written: the end of a record, or of #segment. */
  #offset: number;
  /** Of the rest of a segment that is coming: the bytes behind it are written first. */
  #blankHead = new Uint8Array(0);
  #messages = 0;
  #storeTimestamp = 0;
  /** Of the records that were taken and have not been written. */
  #runMessages = 0;
  #runStoreTimestamp = 0;
  #waitsForForce = false;
  /** Of queueSlots: one sleeper is enough, however often it is looked at. */
  #waitsForSlots = false;
  #wakeSlotWait: (() => void) | undefined;
  #statsAtMs = 0;
  #isClosed = false;
  #fail: (error: unknown) => void = () => {};

  constructor(data: PipelineData, events: StoreEventSink, reports: SlaveReports) {
    const { config } = data;
    this.control = ControlBlock.attach(data.control, "append");
    this.#counters = this.control.counters;
    this.#storage = createStorage(data.storage);
    this.#segments = new SegmentDirectory(config.storePathCommitLog, config.mappedFileSizeCommitLog);
    this.#force = new FencingForce(this.#storage, storePaths(config.storePathRootDir, config.storePathCommitLog), this.control);
    this.#writer = segmentWriter(data, this.control);
    this.#ready = new ReadyBytes(config, this.control, this.#writer, this.#force);
    this.#dispatcher = new DispatcherBell(this.#counters.wroteOffset);
    this.#slots = new QueueSlots(new QueueTableReader(data.queues, this.#counters.queueSlots), () => {});
    this.#nextQueueOffsets = queueColumns(data.queues, this.control).nextQueueOffsets;
    this.#sync = config.flushDiskType === "SYNC_FLUSH";
    this.#reports = reports;
    this.#offset = this.#counters.wroteOffset.value;
    this.#segment = this.#segments.at(this.#storage, this.#offset, "write");
    this.#client = followsMaster(config) ? new HaClient(config, this.#storage, this, events) : undefined;
  }

  get minOffset(): number {
    return this.#counters.minOffset.get();
  }

  get endOffset(): number {
    return this.#counters.wroteOffset.value;
  }

  get acknowledgedOffset(): number {
    return this.#sync ? Math.min(durableOffset(this.#counters), this.endOffset) : this.endOffset;
  }

  onStart(fail: (error: unknown) => void): void {
    this.#fail = fail;
    this.#ready.wantFor(this.#offset);
    this.#ready.wait(this.#segment, this.#offset); // if in vain, the first record waits again
    this.#writer.enter(this.#segment);
    this.#tellStats();
  }

  onTick(): void {
    this.#force.check();
    const nowMs = monotonicMs();
    this.#followWhileRunning();
    this.#client?.tick(nowMs);
    this.#client?.acknowledge();
    this.#dispatcher.ring();
    if (nowMs - this.#statsAtMs >= STATS_INTERVAL_MS) this.#tellStats();
  }

  async onClose(): Promise<void> {
    this.#isClosed = true;
    await this.#client?.close();
    this.#writer.close();
  }

  /** Of a store that is fenced or faulted, or is being closed, the log stays as it is. */
  #followWhileRunning(): void {
    const state = this.#counters.storeState.get();
    if (state === StoreState.running) this.#client?.start(this.#fail);
    else if (state > StoreState.running) this.#client?.stop();
  }

  /** See {@link SlaveLog}. */
  append(records: RecordStream): Promise<void> | undefined {
    return this.#appendReady(records) ? undefined : this.#appendRest(records);
  }

  /** See {@link SlaveLog}. */
  onIdle(): void {
    this.#dispatcher.ring();
  }

  /** One publication for all that the stream has. False: the next record's queue has no slot yet. */
  #appendReady(records: RecordStream): boolean {
    this.#force.check();
    beginGroup(this.#counters.appendBeganUs, monotonicUs());
    try {
      try {
        return this.#takeReady(records);
      } finally {
        this.#writeRun(records);
      }
    } catch (error) {
      if (!(error instanceof MillraceError)) this.#fail(error); // the disk's fault, not the connection's
      throw error;
    } finally {
      this.#publish();
    }
  }

  /** Takes records as far as they can be written together, and writes those before. */
  #takeReady(records: RecordStream): boolean {
    while (records.next()) {
      if (records.isBlank) {
        this.#writeRun(records);
        this.#writeBlank(records);
      } else {
        const slot = this.#slotOf(records);
        if (slot === undefined) return false;
        const end = records.offset + records.length;
        if (records.offset === this.#segment.endOffset || end > this.#ready.allocated) {
          this.#writeRun(records);
          this.#segmentFor(end);
        }
        this.#countQueueOffset(slot, records);
        this.#runMessages++;
        this.#runStoreTimestamp = records.checker.storeTimestamp;
      }
      records.take();
    }
    return true;
  }

  async #appendRest(records: RecordStream): Promise<void> {
    do {
      if (!(await this.#hasSlot(records))) return;
    } while (!this.#appendReady(records));
    this.onIdle();
  }

  /** Whole records of one segment, in one write. */
  #writeRun(records: RecordStream): void {
    const { run } = records;
    if (run.length === 0) return;
    const messages = this.#runMessages;
    this.#runMessages = 0;
    records.endRun(); // what cannot be written is asked for again
    this.#writer.write(run, this.#offset - this.#segment.fromOffset);
    this.#offset += run.length;
    this.#messages += messages;
    this.#storeTimestamp = this.#runStoreTimestamp;
    this.#ready.wantAhead(this.#offset);
  }

  /**
   * What has come of the rest of a segment, as it is on the master. Its head is written last: until all of it is there the log ends before
   * it, in memory and for a recovery.
   */
  #writeBlank({ found, foundOffset }: RecordStream): void {
    const end = foundOffset + found.length;
    const segment = this.#segmentFor(end);
    const isFirst = foundOffset === this.#offset;
    if (isFirst) this.#blankHead = found.slice(0, BLANK_RECORD_LENGTH);
    const skipped = isFirst ? this.#blankHead.length : 0;
    if (found.length > skipped) this.#writer.write(found.subarray(skipped), foundOffset + skipped - segment.fromOffset);
    this.#ready.wantAhead(end);
    if (end < segment.endOffset) return;
    this.#writer.write(this.#blankHead, this.#offset - segment.fromOffset);
    this.#offset = end;
  }

  /** The segment of the next bytes, where they may be written: the current one, or the next one when that is full. */
  #segmentFor(end: number): MappedFile {
    const full = this.#segment;
    const isRoll = this.#offset === full.endOffset;
    if (!isRoll && end <= this.#ready.allocated) return full;
    const segment = isRoll ? this.#segments.at(this.#storage, full.endOffset, "write") : full;
    if (!this.#ready.isReady(segment, end) && !this.#ready.wait(segment, end)) {
      if (isRoll) segment.close();
      throw new MillraceError("ERR_ALLOCATE_FAILED", `no segment could be made ready in time: offset=${this.#offset}`);
    }
    if (!isRoll) return segment;
    this.#segment = segment;
    this.#writer.enter(segment);
    this.#counters.appendRolls.add(1);
    return segment;
  }

  /** Undefined: its queue has none yet. */
  #slotOf({ bytes, checker }: RecordStream): number | undefined {
    if (!isDispatched(checker.transactionType)) return -1;
    const slot = this.#slots.find(bytes, checker.topicPosition, checker.topicLength, checker.queueId);
    return slot < 0 ? undefined : slot;
  }

  #countQueueOffset(slot: number, { checker }: RecordStream): void {
    if (slot < 0) return;
    const next = checker.queueOffset + 1;
    if (next > this.#nextQueueOffsets.get(slot)) this.#nextQueueOffsets.set(slot, next);
  }

  /** Asks main for the queue's slot, and waits; what there is until then is shown. False: closed meanwhile. */
  async #hasSlot(records: RecordStream): Promise<boolean> {
    const { bytes, checker } = records;
    const topic = Buffer.from(bytes.subarray(checker.topicPosition, checker.topicPosition + checker.topicLength)).toString();
    if (!isTopicDirectoryLegal(topic)) {
      const values = `offset=${records.offset} topic=${JSON.stringify(topic)}`;
      throw new MillraceError("ERR_HA_PROTOCOL", `a record's topic is no legal name of a directory: ${values}`);
    }
    while (!this.#isClosed) {
      const seen = this.#counters.queueSlots.get();
      this.#reports.onQueue(topic, checker.queueId);
      await this.#slotsChange(seen);
      if (this.#slotOf(records) !== undefined) return true;
    }
    return false;
  }

  /** Until a queue has got a slot, or for a while. */
  async #slotsChange(seen: number): Promise<void> {
    const change = this.#waitsForSlots ? undefined : this.#counters.queueSlots.waitAsync(seen);
    if (change === undefined && !this.#waitsForSlots) return;
    this.#waitsForSlots = true;
    change?.then(() => {
      this.#waitsForSlots = false;
      this.#wakeSlotWait?.();
    });
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, SLOT_LOOK_MS);
      this.#wakeSlotWait = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }

  #publish(): void {
    const counters = this.#counters;
    endGroup(counters.appendBeganUs);
    const { wroteOffset } = counters;
    if (this.#offset === wroteOffset.value) return;
    counters.appendGroups.add(1);
    counters.appendMessages.add(this.#messages);
    counters.appendBytes.add(this.#offset - wroteOffset.value);
    counters.answeredOffset.set(this.#offset);
    counters.wroteStoreTimestamp.set(this.#storeTimestamp);
    this.#messages = 0;
    wroteOffset.set(this.#offset);
    // The master waits, the dispatcher can: see onIdle.
    if (this.#sync) counters.syncRequestedOffset.publish(this.#offset);
    else this.#client?.acknowledge();
    if (this.#dispatcher.restMs === 0) this.#dispatcher.ring();
    if (this.#sync) this.#awaitForce();
  }

  #awaitForce(): void {
    if (this.#waitsForForce || this.#isClosed) return;
    const { flushedOffset } = this.#counters;
    let woken: Promise<unknown> | undefined;
    while (woken === undefined) {
      const seen = flushedOffset.get();
      this.#client?.acknowledge();
      if (durableOffset(this.#counters) >= this.endOffset) return;
      woken = flushedOffset.waitAsync(seen);
    }
    this.#waitsForForce = true;
    woken.then(() => {
      this.#waitsForForce = false;
      this.#awaitForce();
    });
  }

  #tellStats(): void {
    this.#statsAtMs = monotonicMs();
    this.#reports.onStats({
      role: "SLAVE",
      listen: undefined,
      slaves: [],
      inSyncSlaves: 0,
      replicatedOffset: 0,
      master: this.#client?.stats,
    });
  }
}

/** Only what ConsumeQueues take has a queue. */
function isDispatched(transactionType: number): boolean {
  return transactionType === 0 || transactionType === SYS_FLAG_COMMIT;
}
