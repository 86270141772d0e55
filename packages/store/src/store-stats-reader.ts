import { LatencyHistogram, type LatencySnapshot, monotonicUs, ServiceState, StoreState } from "@millrace/shared-memory";
import {
  classifyPutTimes,
  type ServiceStats,
  type StoreStateName,
  type StoreStats,
  StoreStatsService,
  type StoreTotals,
} from "@millrace/stats";
import type { Pipeline } from "./pipeline.js";
import type { PutMessageService } from "./put/put-message-service.js";
import type { OpenedDirectory } from "./store-opening.js";

type Counters = Pipeline["control"]["counters"];

const STATE_NAMES = Object.keys(StoreState) as StoreStateName[];
const SERVICE_STATE_NAMES = Object.keys(ServiceState) as ServiceStats["state"][];
/** What the file system says is not asked for more often. */
const DISK_RATIO_INTERVAL_MS = 1000;

/** Puts the shared counters together into {@link StoreStats}. Main thread; stops nobody. */
export class StoreStatsReader {
  readonly #directory: OpenedDirectory;
  readonly #counters: Counters;
  readonly #put: PutMessageService;
  readonly #service = new StoreStatsService(Date.now());
  readonly #putToAppendUs: LatencyHistogram;
  /** The flusher's and the appender's. */
  readonly #appendToFlushUs: readonly [LatencyHistogram, LatencyHistogram];
  readonly #forceUs: readonly [LatencyHistogram, LatencyHistogram];
  readonly #allocateUs: LatencyHistogram;
  #diskRatio = "";
  #diskRatioAt = 0;

  constructor(directory: OpenedDirectory, pipeline: Pipeline, put: PutMessageService) {
    this.#directory = directory;
    this.#counters = pipeline.control.counters;
    this.#put = put;
    this.#putToAppendUs = new LatencyHistogram(pipeline.data.putToAppendUs);
    const { appendToFlushUs, appendForcedUs, forceUs, appendForceUs } = pipeline.data;
    this.#appendToFlushUs = [new LatencyHistogram(appendToFlushUs), new LatencyHistogram(appendForcedUs)];
    this.#forceUs = [new LatencyHistogram(forceUs), new LatencyHistogram(appendForceUs)];
    this.#allocateUs = new LatencyHistogram(pipeline.data.allocateUs);
  }

  read(): StoreStats {
    const counters = this.#counters;
    const now = Date.now();
    const wroteOffset = counters.wroteOffset.get();
    const allocatedOffset = counters.allocatedOffset.get();
    const flushedOffset = Math.max(counters.flushedOffset.get(), counters.appendForcedOffset.get());
    const segmentSize = this.#directory.config.mappedFileSizeCommitLog;
    return {
      state: STATE_NAMES[counters.storeState.get()] as StoreStateName,
      time: now,
      runtimeInfo: this.#runtimeInfo(now, wroteOffset),
      offsets: {
        minOffset: counters.minOffset.get(),
        wroteOffset,
        committedOffset: this.#directory.config.transientStorePoolEnable ? counters.committedOffset.get() : wroteOffset,
        flushedOffset,
        allocatedOffset,
      },
      put: this.#putStats(),
      ring: {
        capacityBytes: this.#put.ring.bytes.length,
        usedBytes: this.#put.ring.usedBytes(),
        capacityFrames: this.#put.ring.frameCapacity,
        usedFrames: this.#put.ring.usedFrames(),
      },
      append: {
        messages: counters.appendMessages.get(),
        bytes: counters.appendBytes.get(),
        groups: counters.appendGroups.get(),
        maxGroupMessages: counters.appendMaxGroupMessages.get(),
        stalls: counters.appendStalls.get(),
        rolls: counters.appendRolls.get(),
        rollMaxUs: counters.appendRollMaxUs.get(),
      },
      flush: {
        forces: counters.flushForces.get() + counters.appendForces.get(),
        bytes: flushedOffset - this.#directory.recovery.maxOffset,
        failures: counters.flushFailures.get(),
        commits: counters.flushCommits.get(),
        forceUs: together(this.#forceUs),
      },
      allocate: {
        segments: counters.allocateSegments.get(),
        segmentsReady: Math.max(0, Math.floor(allocatedOffset / segmentSize) - Math.floor(wroteOffset / segmentSize)),
        lockedBytes: counters.allocateLockedBytes.get(),
        lockFailures: counters.allocateLockFailures.get(),
        allocateUs: this.#allocateUs.snapshot(),
      },
      latency: {
        putToAppendUs: this.#putToAppendUs.snapshot(),
        appendToFlushUs: together(this.#appendToFlushUs),
        putToAckUs: this.#put.putToAckUs.snapshot(),
      },
      services: this.#services(),
    };
  }

  #putStats(): StoreStats["put"] {
    const { messages, bytes, failed, stalls, ring, waiting, topics } = this.#put;
    return {
      messages,
      bytes,
      failed: failed + waiting.failed,
      inFlight: ring.inFlight,
      waiting: waiting.size,
      stalls,
      topics: Array.from(topics.topics(), (topic) => ({ topic: topic.name, messages: topic.messages, bytes: topic.size })),
    };
  }

  #services(): ServiceStats[] {
    const counters = this.#counters;
    const nowUs = monotonicUs();
    const service = (name: string, state: number, heartbeatUs: number): ServiceStats => ({
      name,
      state: SERVICE_STATE_NAMES[state] as ServiceStats["state"],
      heartbeatAgeMs: Math.max(0, (nowUs - heartbeatUs) / 1000),
    });
    return [
      service("append", counters.appendState.get(), counters.appendHeartbeatUs.get()),
      service("flush", counters.flushState.get(), counters.flushHeartbeatUs.get()),
      service("allocate", counters.allocateState.get(), counters.allocateHeartbeatUs.get()),
    ];
  }

  #runtimeInfo(now: number, wroteOffset: number): Record<string, string> {
    const { putToAckUs } = this.#put;
    const latency = putToAckUs.snapshot();
    const totals: StoreTotals = {
      putMessageTimesTotal: this.#put.messages,
      putMessageFailedTimes: this.#put.failed + this.#put.waiting.failed,
      putMessageSizeTotal: this.#put.bytes,
      putMessageEntireTimeMax: latency.max / 1000,
      putMessageDistributeTime: classifyPutTimes((us) => putToAckUs.countUpTo(us), latency.count),
      putLatency99Us: latency.p99,
      putLatency999Us: latency.p999,
      getMessageTimesTotalFound: 0,
      getMessageTimesTotalMiss: 0,
      getMessageTransferredMsgCount: 0,
      getMessageEntireTimeMax: 0,
      dispatchMaxBuffer: 0,
    };
    this.#service.sample(now, totals);
    const ratio = this.#commitLogDiskRatio(now);
    return {
      ...this.#service.runtimeInfo(now, totals),
      [`commitLogDiskRatio_${this.#directory.paths.commitLog}`]: ratio,
      commitLogDiskRatio: ratio,
      commitLogMinOffset: String(this.#counters.minOffset.get()),
      commitLogMaxOffset: String(wroteOffset),
    };
  }

  /** As RocketMQ rounds it: up to whole percents. */
  #commitLogDiskRatio(now: number): string {
    if (this.#diskRatio !== "" && now - this.#diskRatioAt < DISK_RATIO_INTERVAL_MS) return this.#diskRatio;
    const { totalBytes, freeBytes } = this.#directory.storage.diskUsage(this.#directory.paths.commitLog);
    this.#diskRatio = String(Math.ceil(((totalBytes - freeBytes) * 100) / totalBytes) / 100);
    this.#diskRatioAt = now;
    return this.#diskRatio;
  }
}

function together([first, second]: readonly [LatencyHistogram, LatencyHistogram]): LatencySnapshot {
  return new LatencyHistogram().add(first).add(second).snapshot();
}
