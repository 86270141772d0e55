import { availableParallelism } from "node:os";
import { BLANK_RECORD_LENGTH, storePaths, writeBlankRecord } from "@millrace/format";
import { createStorage, type MappedFile, SegmentDirectory, type Storage } from "@millrace/mapped-file";
import {
  type Agent,
  AppendMarks,
  AppendStatus,
  beginGroup,
  ControlBlock,
  durableOffset,
  endGroup,
  FRAME_FLAG_WAIT_FLUSH,
  FRAME_FLAG_WAIT_SLAVE,
  LatencyHistogram,
  monotonicUs,
  type PutRingConsumer,
  WaitStrategy,
  wallClockMs,
} from "@millrace/shared-memory";
import { type ReplicaOptions, slavesNeeded } from "../config/replicas-needed.js";
import { FencingForce } from "../marks/fencing-force.js";
import type { PipelineData } from "../pipeline/pipeline-data.js";
import { PIPELINE_THREADS } from "../pipeline/services.js";
import { DispatcherBell } from "./dispatcher-bell.js";
import { GroupKernel } from "./group-kernel.js";
import { LaneSender } from "./lane-sender.js";
import { PutRings } from "./put-rings.js";
import { ReadyBytes } from "./ready-bytes.js";
import type { SegmentWriter } from "./segment-writer.js";
import { segmentWriter } from "./segment-writer-choice.js";

/**
 * A group ends with the frames there are, or with these. In SYNC_FLUSH it costs a force, so it takes all that it can get, and stays
 * open for the rest of a burst; in ASYNC_FLUSH the acks of the first should not wait for the last.
 */
const SYNC_GROUP = { frames: 4096, bytes: 1024 * 1024 };
const ASYNC_GROUP = { frames: 1024, bytes: 256 * 1024 };
/** Larger groups are forced by the flusher while the appender goes on with the next. */
const FORCE_ALONE_FRAMES = 128;
/** How long a group stays open for the rest of a burst. */
const BURST_US = 50;
/**
 * How long it looks for frames before it parks. In SYNC_FLUSH as long as a round through the disk takes: being woken from an idle
 * core costs tens of microseconds in a virtual machine (measured: 64 in flight +12 %, 1024 +26 %). In ASYNC_FLUSH only where every
 * thread of the pipeline has a core: on two, put to readable takes 380 us without it and 970 us with 20 us (medians at half the
 * maximum rate), because the dispatcher waits.
 */
const SYNC_SPIN_US = 250;
const ASYNC_SPIN_US = availableParallelism() > PIPELINE_THREADS ? 20 : 0;

/**
 * The one writer of the commit log. Takes frames in order, gives each record queue offset, physical offset and store timestamp and
 * seals it on its way out of the ring ({@link GroupKernel}), and writes them to the segment; then publishes results and `wroteOffset`,
 * once per group.
 * (RocketMQ: `CommitLog.asyncPutMessage` under putMessageLock, `DefaultAppendMessageCallback`.)
 *
 * Invariant: bytes below `wroteOffset` are complete records; nothing is written at or above `allocatedOffset`.
 */
export class AppendService implements Agent {
  readonly #counters: ControlBlock<"append">["counters"];
  readonly control: ControlBlock<"append">;
  readonly rings: PutRings;
  /** Whose group is under way. */
  #ring: PutRingConsumer;
  readonly #kernel: GroupKernel;
  readonly #lane: LaneSender;
  readonly #marks: AppendMarks;
  readonly #putToAppendUs: LatencyHistogram;
  readonly #forceUs: LatencyHistogram;
  readonly #appendToFlushUs: LatencyHistogram;
  readonly #force: FencingForce;
  readonly #wait: WaitStrategy;
  readonly #storage: Storage;
  readonly #segments: SegmentDirectory;
  readonly #sync: boolean;
  readonly #config: ReplicaOptions;
  readonly #ready: ReadyBytes;
  readonly #writer: SegmentWriter;
  readonly #blank = new Uint8Array(BLANK_RECORD_LENGTH);
  #segment: MappedFile;
  /** Where the next record goes; `wroteOffset` plus what this group has placed. */
  #offset: number;
  readonly #dispatcher: DispatcherBell;
  /** Somebody waits for slaves to have the latest group: they are sent it before the dispatcher is woken. */
  #slavesFirst = false;
  #storeTimestamp: number;
  /** When the group's bytes had reached the segment. */
  #appendedUs = 0;
  /** Of the present group. */
  #messages = 0;
  #flagsAny = 0;
  #flagsAll = 0;

  constructor(data: PipelineData) {
    const { config } = data;
    this.control = ControlBlock.attach(data.control, "append");
    const { counters } = this.control;
    this.#counters = counters;
    this.rings = new PutRings(this.control.putBell, data.ring);
    this.#ring = this.rings.main;
    this.#kernel = new GroupKernel(data);
    this.#lane = new LaneSender(config, this.control);
    this.#marks = new AppendMarks(data.appendMarks);
    this.#putToAppendUs = new LatencyHistogram(data.putToAppendUs);
    this.#forceUs = new LatencyHistogram(data.appendForceUs);
    this.#appendToFlushUs = new LatencyHistogram(data.appendForcedUs);
    this.#storage = createStorage(data.storage);
    this.#force = new FencingForce(this.#storage, storePaths(config.storePathRootDir, config.storePathCommitLog), this.control);
    this.#segments = new SegmentDirectory(config.storePathCommitLog, config.mappedFileSizeCommitLog);
    this.#sync = config.flushDiskType === "SYNC_FLUSH";
    this.#config = config;
    this.#wait = new WaitStrategy(this.#sync ? SYNC_SPIN_US : ASYNC_SPIN_US);
    this.#writer = segmentWriter(data, this.control);
    this.#ready = new ReadyBytes(config, this.control, this.#writer, this.#force);
    this.#offset = counters.wroteOffset.value;
    this.#dispatcher = new DispatcherBell(counters.wroteOffset);
    this.#storeTimestamp = counters.wroteStoreTimestamp.value;
    this.#segment = this.#segmentAt(this.#offset);
  }

  onStart(): void {
    this.#ready.wantFor(this.#offset);
    this.#ready.wait(this.#segment, this.#offset); // if in vain, the first put waits again
    this.#writer.enter(this.#segment);
  }

  waitForWork(timeoutMs: number): void {
    const restMs = this.#slavesFirst ? this.#dispatcher.restMs : 0;
    if (restMs === 0) this.#tell();
    this.#wait.wait(this.rings, 0, restMs === 0 ? timeoutMs : Math.min(restMs, timeoutMs));
  }

  /** Nobody follows the log who has not heard of its end. */
  onStop(): void {
    this.#tell();
  }

  /** One group. */
  doWork(): number {
    const ring = this.rings.next();
    if (ring === undefined) return 0;
    this.#ring = ring;
    const first = ring.head;
    beginGroup(this.#counters.appendBeganUs, monotonicUs());
    this.#storeTimestamp = wallClockMs();
    const startOffset = this.#offset;
    this.#messages = 0;
    this.#flagsAny = 0;
    this.#flagsAll = ~0;
    this.#kernel.begin();
    this.#kernel.setHintsTaken(this.#counters.hintsTaken.get());
    const sequence = this.#appendGroup(startOffset);
    const messages = this.#messages;
    this.#writeStaged();
    this.#count(first, sequence, messages);
    this.#counters.answeredOffset.set(this.#offset);
    ring.release(sequence);
    const somebodyWaits = (this.#flagsAny & FRAME_FLAG_WAIT_FLUSH) !== 0;
    this.#slavesFirst = (this.#flagsAny & FRAME_FLAG_WAIT_SLAVE) !== 0 && this.#hasSlaves();
    // Where all wait for slaves results answer none of the group: its producer is woken by what the slaves have.
    const allAwaitSlaves = this.#slavesFirst && (this.#flagsAll & FRAME_FLAG_WAIT_SLAVE) !== 0;
    const wakeProducer = !(this.#sync && (this.#flagsAll & FRAME_FLAG_WAIT_FLUSH) !== 0) && !allAwaitSlaves;
    const forced = somebodyWaits && this.#forceIfAlone(startOffset, first, messages, wakeProducer);
    this.#publish(startOffset, messages, forced, somebodyWaits, wakeProducer || forced);
    return sequence - first;
  }

  /** Whether there are slaves that puts wait for, as many as they need. */
  #hasSlaves(): boolean {
    const slaves = this.#counters.inSyncSlaves.get();
    const needed = slavesNeeded(this.#config, slaves);
    return needed > 0 && slaves >= needed;
  }

  /** Stages and answers all frames of the ring, or as many as a group has; returns one past the last sequence. */
  #appendGroup(startOffset: number): number {
    const ring = this.#ring;
    let { tail } = ring;
    const group = this.#sync ? SYNC_GROUP : ASYNC_GROUP;
    const first = ring.head;
    let sequence = first;
    for (;;) {
      if (sequence === tail && this.#sync) tail = this.#moreOfBurst(tail);
      const count = Math.min(tail, first + group.frames) - sequence;
      const bytes = group.bytes - (this.#offset - startOffset);
      if (count === 0 || bytes <= 0) return sequence;
      const taken = this.#appendFrames(sequence, count, bytes);
      sequence += taken;
      if (taken > 0) continue;
      this.#writeStaged();
      const slot = ring.slotOf(sequence);
      this.#kernel.makeRoom(ring.recordLength(slot));
      if (this.#place(ring.recordLength(slot), sequence === first)) continue;
      if (sequence !== first) return sequence; // what is done is published before anybody waits
      ring.answer(slot, AppendStatus.createMappedFileFailed, 0, 0, 0);
      this.#flagsAll = 0; // the producer is woken
      return sequence + 1;
    }
  }

  #appendFrames(sequence: number, count: number, bytes: number): number {
    const kernel = this.#kernel;
    const room = Math.min(this.#segment.endOffset, this.#ready.allocated) - this.#offset;
    const taken = kernel.append(this.#ring, sequence, count, room, bytes, this.#offset, this.#storeTimestamp);
    this.#offset += kernel.bytes;
    this.#messages += kernel.messages;
    this.#flagsAny |= kernel.flagsAny;
    this.#flagsAll &= kernel.flagsAll;
    return taken;
  }

  /** The tail after the producer has shown more of the burst that it is in, or after a bounded wait. */
  #moreOfBurst(tail: number): number {
    const ring = this.#ring;
    const untilUs = monotonicUs() + BURST_US;
    while (ring.isBurst) {
      const moved = ring.tail;
      if (moved !== tail || monotonicUs() > untilUs) return moved;
    }
    return ring.tail; // the last frames were shown before the word was cleared
  }

  /**
   * SYNC_FLUSH, shortest path: when everything before this group is durable and nothing comes after it, there is nothing to share a force
   * with, and handing it to the flusher would only cost two wake-ups. `wroteOffset` does not move before the force has succeeded:
   * nobody else may force these bytes and believe the answer. Main has the results by now, and answers FLUSH_DISK_TIMEOUT if this
   * takes too long; puts that come meanwhile wait in the ring, and after `osPageCacheBusyTimeOutMills` new ones are answered
   * OS_PAGE_CACHE_BUSY.
   */
  #forceIfAlone(startOffset: number, first: number, messages: number, wakeProducer: boolean): boolean {
    const { appendForcedOffset, appendForces } = this.#counters;
    const end = this.#ring.head;
    if (this.#offset === startOffset || startOffset < this.#segment.fromOffset) return false;
    if (end - first > FORCE_ALONE_FRAMES) return false;
    if (startOffset > durableOffset(this.#counters)) return false;
    if (!this.rings.isQuiet) return false;
    if (this.#slavesFirst) return false; // they and the disk work side by side
    if (wakeProducer) this.#ring.wakeProducer();
    const beganUs = monotonicUs();
    const segment = this.#segment;
    this.#force.run(startOffset, () => segment.forceRange(startOffset - segment.fromOffset, this.#offset - startOffset));
    const us = monotonicUs() - beganUs;
    this.#forceUs.record(us);
    this.#appendToFlushUs.record(us, messages);
    appendForces.add(1);
    appendForcedOffset.set(this.#offset);
    return true;
  }

  onClose(): void {
    this.#writer.close();
  }

  /** Makes room for `length` bytes at #offset, rolling to the next segment if need be. False: not ready; `mayWait` waits for it. */
  #place(length: number, mayWait: boolean): boolean {
    const segmentEnd = this.#segment.endOffset;
    const needed = length + BLANK_RECORD_LENGTH;
    if (this.#offset + needed <= segmentEnd) {
      const end = Math.min(this.#offset + needed, segmentEnd);
      return end <= this.#ready.allocated || this.#makeReady(this.#segment, end, mayWait);
    }
    const next = this.#segmentAt(segmentEnd);
    if (!this.#makeReady(next, segmentEnd + needed, mayWait)) {
      next.close(); // it may be open, and not mapped
      return false;
    }
    this.#roll(next);
    return true;
  }

  #makeReady(segment: MappedFile, end: number, mayWait: boolean): boolean {
    if (this.#ready.isReady(segment, end)) return true;
    if (!mayWait || this.#ready.isStarved) return false;
    this.#counters.appendStalls.add(1);
    return this.#ready.wait(segment, end);
  }

  /** END_OF_FILE: what is left of the segment becomes a blank record; where another writer has left less, it stays zeros. */
  #roll(next: MappedFile): void {
    const beganUs = monotonicUs();
    this.#writeStaged();
    const position = this.#offset - this.#segment.fromOffset;
    const rest = this.#segment.size - position;
    if (rest >= BLANK_RECORD_LENGTH) {
      writeBlankRecord(new DataView(this.#blank.buffer), 0, rest);
      this.#writer.write(this.#blank, position);
    }
    this.#segment = next;
    this.#offset = next.fromOffset;
    this.#writer.enter(next);
    const { appendRolls, appendRollMaxUs } = this.#counters;
    appendRolls.add(1);
    const us = Math.ceil(monotonicUs() - beganUs);
    if (us > appendRollMaxUs.value) appendRollMaxUs.set(us);
  }

  #writeStaged(): void {
    const { staged } = this.#kernel;
    if (staged > 0) this.#writer.write(this.#kernel.take(), this.#offset - staged - this.#segment.fromOffset);
  }

  /** After the results were released: when the flusher acts on `wroteOffset`, main can already see what it acknowledges. */
  #publish(startOffset: number, messages: number, forced: boolean, somebodyWaits: boolean, wakeProducer: boolean): void {
    const counters = this.#counters;
    counters.wroteStoreTimestamp.set(this.#storeTimestamp);
    if (!forced) {
      this.#marks.leave(counters.appendMarks.value, this.#offset, this.#appendedUs, messages);
      counters.appendMarks.add(1);
    }
    endGroup(counters.appendBeganUs);
    counters.hintsLeft.set(this.#kernel.hinted);
    counters.wroteOffset.set(this.#offset);
    if (somebodyWaits && !forced) counters.syncRequestedOffset.publish(this.#offset);
    else if (this.#sync && !forced) counters.syncRequestedOffset.nudge();
    if (wakeProducer) this.#ring.wakeProducer();
    const isSent = this.#kernel.taken === this.#offset - startOffset && this.#lane.send(this.#kernel, startOffset);
    if (isSent) counters.sendRequestedOffset.set(this.#offset);
    else if (this.#slavesFirst) counters.sendRequestedOffset.publish(this.#offset);
    if (this.#dispatcher.isUrgent) this.#tell();
    this.#ready.wantAhead(this.#offset);
  }

  /** Those who follow the log. */
  #tell(): void {
    const { sendRequestedOffset } = this.#counters;
    if (this.#offset !== sendRequestedOffset.value) sendRequestedOffset.publish(this.#offset);
    this.#dispatcher.ring();
  }

  #count(first: number, end: number, messages: number): void {
    const nowUs = monotonicUs();
    this.#appendedUs = nowUs;
    const { appendGroups, appendMessages, appendBytes, appendMaxGroupMessages, wroteOffset } = this.#counters;
    const ring = this.#ring;
    let putUs = ring.putTimeUs(ring.slotOf(first));
    let same = 0; // puts of one turn have one time
    for (let sequence = first; sequence < end; sequence++, same++) {
      const us = ring.putTimeUs(ring.slotOf(sequence));
      if (us === putUs) continue;
      this.#putToAppendUs.record(nowUs - putUs, same);
      putUs = us;
      same = 0;
    }
    this.#putToAppendUs.record(nowUs - putUs, same);
    appendGroups.add(1);
    appendMessages.add(messages);
    appendBytes.add(this.#offset - wroteOffset.value);
    if (messages > appendMaxGroupMessages.value) appendMaxGroupMessages.set(messages);
  }

  #segmentAt(offset: number): MappedFile {
    return this.#segments.at(this.#storage, offset, "write");
  }
}
