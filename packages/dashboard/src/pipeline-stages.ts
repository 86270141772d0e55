import type { LatencySnapshot, StoreStats } from "@millrace/store";
import type { LatencyFrame, LimitFrame, StageFrame } from "./frame.js";

/** Two readings of the same store, and the seconds between them. */
export interface Readings {
  readonly before: StoreStats;
  readonly now: StoreStats;
  readonly seconds: number;
}

const US_PER_SECOND = 1e6;
/** A force that is under way for so much of the time is what the puts wait for. */
const BUSY = 0.5;
const RING_FULL = 0.9;
/** Behind by more than so much of what is appended in a second, and growing: dispatching cannot keep up. */
const BEHIND_SECONDS = 1;
const BEHIND_LEAST_BYTES = 4 * 1024 * 1024;

/** The stages as a picture shows them. */
export function stagesOf(readings: Readings): StageFrame[] {
  const { now } = readings;
  const { ring, put, append, dispatch, offsets } = now;
  const rate = (value: (stats: StoreStats) => number): number => perSecond(readings, value);
  return [
    {
      name: "ring",
      about: "main encodes each message into shared memory",
      rate: rate(({ put: { messages } }) => messages),
      unit: "messages put",
      queue: put.waiting > 0 ? `${put.waiting} puts wait for room` : `${ring.usedFrames} of ${ring.capacityFrames} frames`,
      load: Math.max(ring.usedBytes / ring.capacityBytes, ring.usedFrames / ring.capacityFrames),
      latencyUs: latencyOf(readings, (stats) => stats.latency.putToAckUs),
    },
    {
      name: "append",
      about: "records get their offsets and go to the segment",
      rate: rate(({ append: { messages } }) => messages),
      unit: "messages appended",
      queue: `${append.stalls} stalls for ready bytes`,
      load: undefined,
      latencyUs: latencyOf(readings, (stats) => stats.latency.putToAppendUs),
    },
    {
      name: "force",
      about: "one force makes all durable that wait for it",
      rate: rate(({ flush: { forces } }) => forces),
      unit: "forces",
      queue: `${Math.max(0, offsets.wroteOffset - offsets.flushedOffset)} bytes not durable`,
      load: forceLoad(readings),
      latencyUs: latencyOf(readings, (stats) => stats.flush.forceUs),
    },
    {
      name: "dispatch",
      about: "ConsumeQueues and index follow the log",
      rate: rate(({ dispatch: { messages } }) => messages),
      unit: "messages dispatched",
      queue: `${dispatch.behindBytes} bytes behind`,
      load: undefined,
      latencyUs: undefined,
    },
    {
      name: "allocate",
      about: "bytes are made ready ahead of the appender",
      rate: rate(({ allocate: { segments } }) => segments),
      unit: "segments",
      queue: `${Math.max(0, offsets.allocatedOffset - offsets.wroteOffset)} bytes ready`,
      load: undefined,
      latencyUs: latencyOf(readings, (stats) => stats.allocate.allocateUs),
    },
  ];
}

/**
 * What holds the pipeline back: the first stage, from its end to its beginning, that has no time left; what comes before it is full only
 * because of it.
 */
export function limitOf(readings: Readings): LimitFrame {
  const { before, now, seconds } = readings;
  if (now.state !== "running") return { stage: "store", reason: `the store is ${now.state}: no puts are taken` };
  if (now.disk.full) return { stage: "disk", reason: "the disk is full: no puts are taken until there is room" };
  if (now.append.stalls > before.append.stalls)
    return {
      stage: "allocate",
      reason: "the appender found no ready bytes: the disk does not take zeros as fast as messages come",
    };
  const load = forceLoad(readings);
  if (load >= BUSY && now.put.inFlight > 0)
    return {
      stage: "force",
      reason: `forces take ${Math.round(Math.min(1, load) * 100)} % of the time: the disk decides the rate`,
    };
  const appended = (now.append.bytes - before.append.bytes) / seconds;
  const behind = now.dispatch.behindBytes;
  if (behind > Math.max(BEHIND_LEAST_BYTES, appended * BEHIND_SECONDS) && behind >= before.dispatch.behindBytes)
    return { stage: "dispatch", reason: "the log grows faster than its messages can be consumed" };
  const ring = Math.max(now.ring.usedBytes / now.ring.capacityBytes, now.ring.usedFrames / now.ring.capacityFrames);
  if (ring >= RING_FULL || now.put.waiting > 0)
    return { stage: "append", reason: "the ring is full: the append thread does not take what is put" };
  return {
    stage: "none",
    reason: now.put.messages > before.put.messages ? "the producers: the pipeline waits for messages" : "nothing is put",
  };
}

export function perSecond({ before, now, seconds }: Readings, value: (stats: StoreStats) => number): number {
  return Math.max(0, (value(now) - value(before)) / seconds);
}

export function latencyOf({ before, now }: Readings, value: (stats: StoreStats) => LatencySnapshot): LatencyFrame {
  const [first, last] = [value(before), value(now)];
  const count = last.count - first.count;
  const mean = count > 0 ? (sumOf(last) - sumOf(first)) / count : undefined;
  return { mean, p50: last.p50, p99: last.p99, p999: last.p999 };
}

/** The share of the time in which a force was under way. */
function forceLoad({ before, now, seconds }: Readings): number {
  return (sumOf(now.flush.forceUs) - sumOf(before.flush.forceUs)) / (seconds * US_PER_SECOND);
}

function sumOf({ mean, count }: LatencySnapshot): number {
  return mean * count;
}
