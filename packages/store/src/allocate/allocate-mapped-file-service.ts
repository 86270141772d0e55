import { constants, getPriority, setPriority } from "node:os";
import { MillraceError, type StorePaths, storePaths } from "@millrace/format";
import {
  createFile,
  createStorage,
  isNoSpace,
  isOutOfDescriptors,
  type MappedFile,
  SegmentDirectory,
  type Storage,
} from "@millrace/mapped-file";
import {
  type Agent,
  ControlBlock,
  durableOffset,
  InvariantError,
  LatencyHistogram,
  monotonicMs,
  monotonicUs,
  ServiceState,
  WaitStrategy,
} from "@millrace/shared-memory";
import { FencingForce } from "../marks/fencing-force.js";
import type { PipelineData } from "../pipeline/pipeline-data.js";
import type { StoreEventSink } from "../tell/store-event.js";
import { SegmentFill } from "./segment-fill.js";
import { SegmentLocks } from "./segment-locks.js";

/**
 * Added to the priority of the process. Measured on two cores: ASYNC_FLUSH +5 % at 128 B, +22 % at 1 KiB, against the priority of the
 * others.
 */
const NICE = 5;
/** After a failure. */
const RETRY_MS = 20;
/** How often it wakes a flusher that has not opened a segment yet. */
const FLUSHER_LOOK_MS = 5;

/**
 * Keeps bytes ready ahead of the appender: segments made at their full length, their blocks allocated ({@link SegmentFill}: a full disk
 * is ENOSPC here, never SIGBUS there), in SYNC_FLUSH forced, so that the appender's forces find nothing of the fill to write; with
 * `warmMapedFileEnable` locked into memory until the appender has left them. `allocatedOffset` moves after the fact.
 * (RocketMQ: `AllocateMappedFileService`, `warmMappedFile`.)
 */
export class AllocateMappedFileService implements Agent {
  readonly control: ControlBlock<"allocate">;
  readonly #counters: ControlBlock<"allocate">["counters"];
  readonly #storage: Storage;
  readonly #events: StoreEventSink;
  readonly #sync: boolean;
  readonly #force: FencingForce;
  readonly #paths: StorePaths;
  readonly #fill: SegmentFill;
  readonly #allocateUs: LatencyHistogram;
  readonly #locks: SegmentLocks | undefined;
  readonly #wait = new WaitStrategy(0);
  readonly #segments: SegmentDirectory;
  #segment: MappedFile | undefined;
  #retryAt = 0;
  /** Why the last attempt failed, in the system's words; undefined when it did not. */
  #failure: string | undefined;
  /** Start of the last segment that exists, or may exist. */
  #created: number;

  constructor(data: PipelineData, events: StoreEventSink) {
    this.#events = events;
    const { config } = data;
    this.control = ControlBlock.attach(data.control, "allocate");
    this.#counters = this.control.counters;
    this.#storage = createStorage(data.storage);
    this.#sync = config.flushDiskType === "SYNC_FLUSH";
    this.#paths = storePaths(config.storePathRootDir, config.storePathCommitLog);
    this.#force = new FencingForce(this.#storage, this.#paths, this.control);
    this.#fill = new SegmentFill(config);
    this.#allocateUs = new LatencyHistogram(data.allocateUs);
    this.#segments = new SegmentDirectory(config.storePathCommitLog, config.mappedFileSizeCommitLog);
    this.#created = this.#segments.startOf(this.#counters.wroteOffset.get());
    this.#locks = config.warmMapedFileEnable ? new SegmentLocks(this.#storage, this.#segments, this.#counters) : undefined;
  }

  /** On Linux a priority is a thread's: what is ready early enough need not be ready before the appender has had its core. */
  onStart(): void {
    if (process.platform !== "linux") return;
    // Never a better one than the process has: only the privileged may take that.
    setPriority(Math.min(getPriority() + NICE, constants.priority.PRIORITY_LOW));
  }

  /** One slice. */
  doWork(): number {
    const { allocatedOffset, segmentWantedOffset, wroteOffset } = this.#counters;
    this.#locks?.unlockBelow(wroteOffset.get());
    if (allocatedOffset.value >= segmentWantedOffset.get() || monotonicMs() < this.#retryAt) return 0;
    if (this.control.forceAlarm.isRaised) return 0;
    try {
      const slices = this.#makeReady(allocatedOffset.value);
      if (slices > 0 && this.#failure !== undefined) this.#events.emit("recovered", { service: "allocate" });
      if (slices > 0) this.#failure = undefined;
      return slices;
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      if (error instanceof MillraceError && error.code === "ERR_FORCE_FAILED") throw error;
      // The appender answers CREATE_MAPPED_FILE_FAILED; the next look tries again: a disk can become free.
      this.#leaveSegment();
      this.#retryAt = monotonicMs() + RETRY_MS;
      this.#counters.allocateFailures.add(1);
      allocatedOffset.nudge();
      this.#tell(error);
      return 0;
    }
  }

  /** Once for each reason: the attempts come many times a second. */
  #tell(error: unknown): void {
    const { code = "unknown", message, stack = "" } = error as NodeJS.ErrnoException;
    if (this.#failure === code) return;
    this.#failure = code;
    const text = `no bytes could be made ready for the log; it is tried again: code=${code} reason=${message}`;
    this.#events.emit(isNoSpace(error) ? "diskFull" : "error", {
      service: "allocate",
      code: "ERR_ALLOCATE_FAILED",
      message: text,
      stack,
    });
  }

  waitForWork(timeoutMs: number): void {
    const { segmentWantedOffset, forceOpenOffset, syncRequestedOffset } = this.#counters;
    const opened = forceOpenOffset.get();
    if (opened < this.#counters.createdOffset.value) {
      syncRequestedOffset.nudge();
      forceOpenOffset.wait(opened, Math.min(timeoutMs, FLUSHER_LOOK_MS));
      return;
    }
    const wanted = segmentWantedOffset.get();
    const isWanted = this.#counters.allocatedOffset.value < wanted && monotonicMs() >= this.#retryAt;
    if (isWanted && !this.control.forceAlarm.isRaised) return; // it has come, or the flusher has, since the last look
    this.#wait.wait(segmentWantedOffset, wanted, timeoutMs);
  }

  /**
   * Segments that the appender has not reached are deleted, as RocketMQ does: not before it has ended well, because until then it
   * may roll into them.
   */
  onStop(): void {
    if (this.#counters.appendState.get() !== ServiceState.stopped) return;
    this.#leaveSegment();
    const wrote = this.#counters.wroteOffset.get();
    const { path: directory, segmentSize: size } = this.#segments;
    let removed = false;
    for (let offset = this.#created; offset > wrote; offset -= size) {
      this.#storage.remove(this.#segments.pathOf(offset));
      removed = true;
    }
    if (removed) this.#forgetNames(directory);
  }

  /** Names that a crash brings back are of segments without a record, as those of a store that was killed. */
  #forgetNames(directory: string): void {
    try {
      this.#force.syncDirectory(durableOffset(this.#counters), directory);
    } catch (error) {
      if (!isOutOfDescriptors(error) && !isNoSpace(error)) throw error;
    }
  }

  onClose(): void {
    this.#leaveSegment();
    this.#locks?.close();
  }

  /** 0: not before the flusher has the segment open, because its force must hear what becomes of the first record. */
  #makeReady(offset: number): number {
    const beganUs = monotonicUs();
    const segment = this.#enter(offset);
    if (this.#counters.forceOpenOffset.get() < segment.endOffset) return 0;
    const from = offset - segment.fromOffset;
    const to = this.#fill.fill(segment, from, this.#counters.segmentWantedOffset.get() - segment.fromOffset);
    // The same file as the one that is appended to: a failure here is a failure there.
    if (this.#sync) this.#force.run(durableOffset(this.#counters), () => segment.force());
    this.#locks?.lock(segment.fromOffset, from, to - from);
    this.#counters.allocatedOffset.publish(segment.fromOffset + to);
    this.#allocateUs.record(monotonicUs() - beganUs);
    return 1;
  }

  /** The segment that holds `offset`, at its full length and durable as a directory entry. */
  #enter(offset: number): MappedFile {
    const fromOffset = this.#segments.startOf(offset);
    if (this.#segment?.fromOffset === fromOffset) return this.#segment;
    this.#leaveSegment();
    const segment = this.#segments.at(this.#storage, offset, "write");
    this.#created = Math.max(this.#created, fromOffset);
    this.#create(segment);
    this.#segment = segment;
    return segment;
  }

  /** Full length before the name: a kill in between must not leave a segment of some other length. Goes on where it failed before. */
  #create(segment: MappedFile): void {
    const directory = this.#segments.path;
    if (this.#storage.entry(segment.path)?.size !== segment.size) {
      createFile(this.#storage, segment.path, segment.size, this.#paths.newSegment);
      this.#counters.allocateSegments.add(1);
    }
    this.#force.syncDirectory(durableOffset(this.#counters), directory);
    if (segment.endOffset > this.#counters.createdOffset.value) this.#counters.createdOffset.set(segment.endOffset);
  }

  #leaveSegment(): void {
    this.#segment?.close();
    this.#segment = undefined;
  }
}
