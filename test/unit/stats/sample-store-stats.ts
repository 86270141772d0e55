import type { LatencySnapshot, StoreStats } from "@millrace/stats";

export const NO_LATENCY: LatencySnapshot = { count: 0, mean: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0, upTo: [] };

function latency(us: number): LatencySnapshot {
  return { count: 4, mean: us, p50: us, p90: 2 * us, p99: 3 * us, p999: 4 * us, max: 5 * us, upTo: [1, 2, 3] };
}

/** A store in full run, every figure different. */
export function sampleStoreStats(overrides: Partial<StoreStats> = {}): StoreStats {
  return {
    state: "running",
    time: Date.UTC(2026, 0, 2, 3, 4, 5),
    runtimeInfo: {},
    offsets: { minOffset: 1024, wroteOffset: 9000, committedOffset: 8000, flushedOffset: 7000, allocatedOffset: 16384 },
    put: {
      messages: 1_234_567,
      bytes: 5 * 1024 * 1024,
      failed: 3,
      inFlight: 17,
      waiting: 2,
      stalls: 6,
      topics: [
        { topic: "TopicA", messages: 4, bytes: 400 },
        { topic: "TopicB", messages: 9, bytes: 900 },
      ],
    },
    ring: { capacityBytes: 4096, usedBytes: 1024, capacityFrames: 64, usedFrames: 48 },
    append: { messages: 40, bytes: 4000, groups: 10, maxGroupMessages: 12, stalls: 1, rolls: 2, rollMaxUs: 1500 },
    flush: { forces: 7, bytes: 7000, failures: 0, commits: 5, forceUs: latency(100) },
    dispatch: {
      reputFromOffset: 3500,
      behindBytes: 500,
      behindMessages: 5,
      messages: 35,
      hinted: 26,
      groups: 9,
      forces: 2,
      failures: 1,
      refusedQueues: 2,
    },
    get: { found: 12, miss: 3, transferredMessages: 30, entireTimeMaxMs: 4, corruptRecords: 1 },
    schedule: { delivered: 6, retried: 1, skipped: 2, levels: [{ level: 3, delayOffset: 4, maxOffset: 9, heldUpMs: 1500 }] },
    disk: {
      commitLogRatio: 0.29,
      consumeQueueRatio: 0.3,
      full: true,
      deletedSegments: 8,
      oldestInFuture: true,
      keptForDelay: true,
    },
    scrub: { bytes: 8192, damages: 1 },
    allocate: { segments: 3, segmentsReady: 2, lockedBytes: 2048, lockFailures: 1, allocateUs: latency(24_000) },
    latency: { putToAppendUs: latency(20), appendToFlushUs: latency(80), putToAckUs: latency(2_000_000) },
    replicate: { slaves: 3, inSyncSlaves: 2, replicatedOffset: 6500, bytes: 77_000, refused: 4 },
    consumers: { groupCount: 3, groups: [{ group: "billing", queues: 2, lag: 1500 }] },
    ha: undefined,
    services: [
      { name: "append", state: "running", heartbeatAgeMs: 250 },
      { name: "flush", state: "waiting", heartbeatAgeMs: 10 },
    ],
    lastErrors: [
      { service: "dispatch", time: Date.UTC(2026, 0, 2), code: "ERR_DISPATCH_FAILED", message: "a dispatcher failed: offset=7" },
    ],
    ...overrides,
  };
}
