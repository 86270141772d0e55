import {
  durableOffset,
  endOffset,
  heartbeatWord,
  LatencyHistogram,
  type LatencySnapshot,
  monotonicMs,
  monotonicUs,
  type QueueColumns,
  queueColumns,
  ServiceState,
  StoreState,
  stateWord,
  wallClockMs,
} from "@millrace/shared-memory";
import {
  classifyPutTimes,
  RuntimeInfo,
  type ServiceStats,
  type StoreStateName,
  type StoreStats,
  type StoreTotals,
} from "@millrace/stats";
import { diskRatioOf } from "../clean/disk-space.js";
import type { CleanStats } from "../clean/file-cleaner.js";
import type { ScrubStats } from "../clean/store-scrubber.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import { serviceNames } from "../pipeline/services.js";
import type { MessagePutter } from "../put/message-putter.js";
import type { OpenedDirectory } from "./open-directory.js";
import type { ProducerRings, PutTotals } from "./producer-rings.js";

type Counters = Pipeline["control"]["counters"];

const STATE_NAMES = Object.keys(StoreState) as StoreStateName[];
const SERVICE_STATE_NAMES = Object.keys(ServiceState) as ServiceStats["state"][];
/** What the file system says is not asked for more often. */
const DISK_RATIO_INTERVAL_MS = 1000;

/** What the parts on main count themselves. */
export interface StatsSources {
  readonly get: () => StoreStats["get"];
  readonly schedule: () => StoreStats["schedule"];
  readonly clean: () => CleanStats;
  readonly scrub: () => ScrubStats;
  readonly lastErrors: () => StoreStats["lastErrors"];
  readonly consumers: () => StoreStats["consumers"];
  readonly ha: () => StoreStats["ha"];
}

/** Puts the shared counters together into {@link StoreStats}. Main thread; stops nobody. */
export class StoreStatsReader {
  readonly #directory: OpenedDirectory;
  readonly #counters: Counters;
  readonly #pipeline: Pipeline;
  readonly #put: MessagePutter;
  readonly #producers: ProducerRings;
  readonly #columns: QueueColumns<"main">;
  readonly #service = new RuntimeInfo(wallClockMs(), monotonicMs());
  readonly #putToAppendUs: LatencyHistogram;
  /** The flusher's and the appender's. */
  readonly #appendToFlushUs: readonly [LatencyHistogram, LatencyHistogram];
  readonly #forceUs: readonly [LatencyHistogram, LatencyHistogram];
  readonly #allocateUs: LatencyHistogram;
  readonly #sources: StatsSources;
  /** Records dispatched before the store was open: they bring nothing nearer. */
  readonly #redispatched: number;
  #ratios: readonly [commitLog: number, consumeQueue: number] = [0, 0];
  #ratiosAtMs = Number.NEGATIVE_INFINITY;

  constructor(directory: OpenedDirectory, pipeline: Pipeline, put: MessagePutter, producers: ProducerRings, sources: StatsSources) {
    this.#pipeline = pipeline;
    this.#producers = producers;
    this.#columns = queueColumns(pipeline.data.queues, pipeline.control);
    this.#directory = directory;
    this.#counters = pipeline.control.counters;
    this.#put = put;
    this.#sources = sources;
    this.#redispatched = this.#counters.dispatchMessages.get();
    this.#putToAppendUs = new LatencyHistogram(pipeline.data.putToAppendUs);
    const { appendToFlushUs, appendForcedUs, forceUs, appendForceUs } = pipeline.data;
    this.#appendToFlushUs = [new LatencyHistogram(appendToFlushUs), new LatencyHistogram(appendForcedUs)];
    this.#forceUs = [new LatencyHistogram(forceUs), new LatencyHistogram(appendForceUs)];
    this.#allocateUs = new LatencyHistogram(pipeline.data.allocateUs);
  }

  read(): StoreStats {
    const counters = this.#counters;
    const nowMs = monotonicMs();
    const wroteOffset = endOffset(counters);
    const allocatedOffset = counters.allocatedOffset.get();
    const flushedOffset = durableOffset(counters);
    const totals = this.#producers.totals(this.#pipeline.data.ring);
    const segmentSize = this.#directory.config.mappedFileSizeCommitLog;
    return {
      state: STATE_NAMES[counters.storeState.get()] as StoreStateName,
      time: wallClockMs(),
      runtimeInfo: this.#runtimeInfo(nowMs, wroteOffset, totals),
      offsets: {
        minOffset: counters.minOffset.get(),
        wroteOffset,
        committedOffset: this.#directory.config.transientStorePoolEnable ? counters.committedOffset.get() : wroteOffset,
        flushedOffset,
        allocatedOffset,
      },
      put: this.#putStats(totals),
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
      dispatch: this.#dispatchStats(wroteOffset),
      get: this.#sources.get(),
      schedule: this.#sources.schedule(),
      disk: this.#diskStats(nowMs),
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
        putToAckUs: totals.putToAckUs.snapshot(),
      },
      scrub: this.#sources.scrub(),
      replicate: this.#replicateStats(),
      consumers: this.#sources.consumers(),
      ha: this.#sources.ha(),
      services: this.#services(),
      lastErrors: this.#sources.lastErrors(),
    };
  }

  #putStats({ messages, bytes, failed, stalls }: PutTotals): StoreStats["put"] {
    const { ring, waiting, topics } = this.#put;
    const { putMessages, putBytes } = this.#columns;
    return {
      messages,
      bytes,
      failed,
      inFlight: ring.inFlight,
      waiting: waiting.size,
      stalls,
      topics: Array.from(topics.topics(), ({ name, slots }) => {
        let [messages, bytes] = [0, 0];
        for (const slot of slots.values()) {
          messages += putMessages.get(slot);
          bytes += putBytes.get(slot);
        }
        return { topic: name, messages, bytes };
      }),
    };
  }

  #dispatchStats(wroteOffset: number): StoreStats["dispatch"] {
    const counters = this.#counters;
    const reputFromOffset = counters.reputFromOffset.get();
    const messages = counters.dispatchMessages.get();
    const behindBytes = Math.max(0, wroteOffset - reputFromOffset);
    const behindMessages = behindBytes === 0 ? 0 : Math.max(0, counters.appendMessages.get() + this.#redispatched - messages);
    return {
      reputFromOffset,
      behindBytes,
      behindMessages,
      messages,
      hinted: counters.dispatchHinted.get(),
      groups: counters.dispatchGroups.get(),
      forces: counters.dispatchForces.get(),
      failures: counters.dispatchFailures.get(),
      refusedQueues: counters.dispatchRefusedQueues.get(),
    };
  }

  #diskStats(nowMs: number): StoreStats["disk"] {
    const [commitLogRatio, consumeQueueRatio] = this.#diskRatios(nowMs);
    const deletedSegments = this.#counters.allocateDeletedSegments.get();
    const { isDiskFull, inFuture, delayedFrom } = this.#sources.clean();
    return {
      commitLogRatio,
      consumeQueueRatio,
      full: isDiskFull,
      deletedSegments,
      oldestInFuture: inFuture !== undefined,
      keptForDelay: delayedFrom !== undefined,
    };
  }

  #replicateStats(): StoreStats["replicate"] {
    const { connectedSlaves, inSyncSlaves, replicatedOffset, replicateBytes, replicateRefused } = this.#counters;
    return {
      slaves: connectedSlaves.get(),
      inSyncSlaves: inSyncSlaves.get(),
      replicatedOffset: replicatedOffset.get(),
      bytes: replicateBytes.get(),
      refused: replicateRefused.get(),
    };
  }

  #services(): ServiceStats[] {
    const counters = this.#counters;
    const nowUs = monotonicUs();
    return serviceNames(this.#directory.config).map((name) => ({
      name,
      state: SERVICE_STATE_NAMES[counters[stateWord(name)].get()] as ServiceStats["state"],
      heartbeatAgeMs: Math.max(0, (nowUs - counters[heartbeatWord(name)].get()) / 1000),
    }));
  }

  #runtimeInfo(nowMs: number, wroteOffset: number, { messages, bytes, failed, putToAckUs }: PutTotals): Record<string, string> {
    const latency = putToAckUs.snapshot();
    const get = this.#sources.get();
    const totals: StoreTotals = {
      putMessageTimesTotal: messages,
      putMessageFailedTimes: failed,
      putMessageSizeTotal: bytes,
      putMessageEntireTimeMax: latency.max / 1000,
      putMessageDistributeTime: classifyPutTimes((us) => putToAckUs.countUpTo(us), latency.count),
      putLatency99Us: latency.p99,
      putLatency999Us: latency.p999,
      getMessageTimesTotalFound: get.found,
      getMessageTimesTotalMiss: get.miss,
      getMessageTransferredMsgCount: get.transferredMessages,
      getMessageEntireTimeMax: get.entireTimeMaxMs,
      dispatchMaxBuffer: 0,
    };
    this.#service.sample(nowMs, totals);
    const [commitLogRatio, consumeQueueRatio] = this.#diskRatios(nowMs);
    const levels = this.#sources.schedule().levels;
    return {
      ...this.#service.runtimeInfo(nowMs, totals),
      ...Object.fromEntries(levels.map((one) => [`scheduleMessageOffset_${one.level}`, `${one.delayOffset},${one.maxOffset}`])),
      [`commitLogDiskRatio_${this.#directory.paths.commitLog}`]: String(commitLogRatio),
      commitLogDiskRatio: String(commitLogRatio),
      consumeQueueDiskRatio: String(consumeQueueRatio),
      commitLogMinOffset: String(this.#counters.minOffset.get()),
      commitLogMaxOffset: String(wroteOffset),
    };
  }

  /** Of the commit log's disk and of the ConsumeQueues'. */
  #diskRatios(nowMs: number): readonly [number, number] {
    if (nowMs - this.#ratiosAtMs < DISK_RATIO_INTERVAL_MS) return this.#ratios;
    const { paths, storage } = this.#directory;
    this.#ratios = [diskRatioOf(storage, paths.commitLog), diskRatioOf(storage, paths.consumeQueue)];
    this.#ratiosAtMs = nowMs;
    return this.#ratios;
  }
}

function together([first, second]: readonly [LatencyHistogram, LatencyHistogram]): LatencySnapshot {
  return new LatencyHistogram().add(first).add(second).snapshot();
}
