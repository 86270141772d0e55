import { monotonicMs } from "@millrace/shared-memory";
import type { LatencySnapshot, StoreStats } from "@millrace/stats";
import type { MessageStore } from "@millrace/store";
import type { OpenFrame, PipelineFigures } from "./frame.js";
import { type LimitFacts, limitOf } from "./limit.js";
import { recentLatency } from "./recent-latency.js";
import { perSecond, SampleWindow } from "./sample-window.js";

const RECENT_MS = 1000;
/** Forces may take seconds each: their share of the time is also looked at over this long. */
const FORCES_MS = 8000;
/** What has not been watched for so long cannot be said to stand still. */
const WATCHED_LEAST_MS = 750;
/** What does not move at all is shown as this late. */
const LATE_MOST_MS = 60_000;

/** What of the stats is kept for some seconds. */
type PipelineStats = Pick<StoreStats, "offsets" | "ring" | "append" | "flush" | "dispatch" | "allocate" | "latency"> & {
  readonly put: Omit<StoreStats["put"], "topics">;
};

interface Sample {
  readonly atMs: number;
  readonly stats: PipelineStats;
}

/** Makes frames of the stats of a store that is open in this process. */
export class PipelineSampler {
  readonly #store: Pick<MessageStore, "stats" | "config">;
  readonly #nowMs: () => number;
  readonly #window = new SampleWindow<Sample>(FORCES_MS);

  constructor(store: Pick<MessageStore, "stats" | "config">, nowMs: () => number = monotonicMs) {
    this.#store = store;
    this.#nowMs = nowMs;
  }

  frame(): OpenFrame {
    const stats = this.#store.stats();
    this.#window.add({ atMs: this.#nowMs(), stats: kept(stats) });
    const pipeline = this.#figures(stats);
    const { minOffset, flushedOffset, wroteOffset, allocatedOffset } = stats.offsets;
    return {
      kind: "open",
      time: stats.time,
      state: stats.state,
      offsets: { min: minOffset, durable: flushedOffset, wrote: wroteOffset, ready: Math.max(allocatedOffset, wroteOffset) },
      pipeline,
      limit: limitOf(this.#facts(stats, pipeline)),
    };
  }

  #figures(now: PipelineStats): PipelineFigures {
    const { stats: before, ms } = this.#since(RECENT_MS);
    const rate = (of: (stats: PipelineStats) => number): number => perSecond(of(before), of(now), ms);
    const recent = (of: (stats: PipelineStats) => LatencySnapshot) => recentLatency(of(before), of(now));
    const { put, ring, offsets, dispatch, allocate } = now;
    const dispatchedBytesPerSecond = rate((s) => s.dispatch.reputFromOffset);
    return {
      put: {
        perSecond: rate((s) => s.put.messages),
        bytesPerSecond: rate((s) => s.put.bytes),
        failedPerSecond: rate((s) => s.put.failed),
        inFlight: put.inFlight,
        ackUs: recent((s) => s.latency.putToAckUs),
      },
      ring: { ...ring, waiting: put.waiting, stallsPerSecond: rate((s) => s.put.stalls) },
      append: {
        perSecond: rate((s) => s.append.messages),
        bytesPerSecond: rate((s) => s.append.bytes),
        groupsPerSecond: rate((s) => s.append.groups),
        putToAppendUs: recent((s) => s.latency.putToAppendUs),
      },
      force: {
        perSecond: rate((s) => s.flush.forces),
        bytesPerSecond: rate((s) => s.flush.bytes),
        busy: Math.max(this.#forceBusy(now, RECENT_MS), this.#forceBusy(now, FORCES_MS)),
        undurableBytes: Math.max(0, offsets.wroteOffset - offsets.flushedOffset),
        forceUs: recent((s) => s.flush.forceUs),
      },
      dispatch: {
        perSecond: rate((s) => s.dispatch.messages),
        behindBytes: dispatch.behindBytes,
        behindMessages: dispatch.behindMessages,
        lateMs: ms < WATCHED_LEAST_MS ? 0 : lateMs(dispatch.behindBytes, dispatchedBytesPerSecond),
      },
      allocate: {
        readyBytes: Math.max(0, offsets.allocatedOffset - offsets.wroteOffset),
        segmentsReady: allocate.segmentsReady,
        perSecond: rate((s) => s.allocate.segments),
        stallsPerSecond: rate((s) => s.append.stalls),
        allocateUs: recent((s) => s.allocate.allocateUs),
      },
    };
  }

  #facts(stats: StoreStats, { put, ring, force, dispatch, allocate }: PipelineFigures): LimitFacts {
    const { stats: before, ms } = this.#since(RECENT_MS);
    return {
      state: stats.state,
      failedService: stats.services.find(({ state }) => state === "failed")?.name,
      isSync: this.#store.config.flushDiskType === "SYNC_FLUSH",
      isDiskFull: stats.disk.full,
      putsPerSecond: put.perSecond,
      inFlight: put.inFlight,
      waiting: ring.waiting,
      ringStallsPerSecond: ring.stallsPerSecond,
      ringFill: Math.max(ring.usedBytes / ring.capacityBytes, ring.usedFrames / ring.capacityFrames),
      appendStallsPerSecond: allocate.stallsPerSecond,
      forceBusy: force.busy,
      undurableBytes: force.undurableBytes,
      isDurableMoving: ms < WATCHED_LEAST_MS || stats.offsets.flushedOffset > before.offsets.flushedOffset,
      dispatchFailures: stats.dispatch.failures,
      lateMs: dispatch.lateMs,
    };
  }

  /** Share of the last `ms` in which a force was under way; one that has not ended yet does not count. */
  #forceBusy(now: PipelineStats, lengthMs: number): number {
    const { stats: before, ms } = this.#since(lengthMs);
    const forcedUs = (stats: PipelineStats): number => stats.flush.forceUs.mean * stats.flush.forceUs.count;
    return Math.min(1, perSecond(forcedUs(before), forcedUs(now), ms) / 1e6);
  }

  #since(lengthMs: number): { stats: PipelineStats; ms: number } {
    const last = this.#window.before(0) as Sample;
    const before = this.#window.before(lengthMs) as Sample;
    return { stats: before.stats, ms: last.atMs - before.atMs };
  }
}

function kept({ put: { topics, ...put }, ...stats }: StoreStats): PipelineStats {
  const { offsets, ring, append, flush, dispatch, allocate, latency } = stats;
  return { offsets, put, ring, append, flush, dispatch, allocate, latency };
}

function lateMs(behindBytes: number, bytesPerSecond: number): number {
  if (behindBytes === 0) return 0;
  return bytesPerSecond === 0 ? LATE_MOST_MS : Math.min(LATE_MOST_MS, (1000 * behindBytes) / bytesPerSecond);
}
