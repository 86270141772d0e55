import { monotonicMs, wallClockMs } from "@millrace/shared-memory";
import { consumerLags, type QueueStats } from "@millrace/stats";
import type { DirectoryStats, MessageStore, ReadOnlyMessageStore, StoreStats } from "@millrace/store";
import type { Frame, LimitFrame } from "./frame.js";
import { latencyOf, limitOf, perSecond, stagesOf } from "./pipeline-stages.js";

/** Whose page it is: a store that this process has open, or one that it reads beside another. */
export type ShownStore = MessageStore | ReadOnlyMessageStore;

const HALF_TOPIC = "RMQ_SYS_TRANS_HALF_TOPIC";
const DECIDED_TOPIC = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
const SCHEDULE_TOPIC = "SCHEDULE_TOPIC_XXXX";
/** Queues and offsets are looked at so often: a store may have thousands. */
const SLOW_MS = 1000;
const QUEUES_SHOWN = 200;
const LAGS_SHOWN = 100;
const MS_PER_SECOND = 1000;
const NO_FIGURES: Pick<Frame, "stages" | "services" | "errors" | "slaves" | "putToAckUs"> = {
  stages: [],
  services: [],
  errors: [],
  slaves: [],
  putToAckUs: undefined,
};

/** What changes slowly. */
interface SlowPart extends Pick<Frame, "queues" | "queuesTotal" | "lags" | "delays" | "undecided"> {
  readonly messages: number;
}

/** Makes the frames: reads the store's figures, and what has become of them since the frame before. Main thread; stops nobody. */
export class FrameSource {
  readonly #store: ShownStore;
  #slow: SlowPart | undefined;
  #slowAtMs = Number.NEGATIVE_INFINITY;
  #directory: DirectoryStats | undefined;
  /** Of the last second, oldest first: rates are taken over it, so that one long force does not make them jump. */
  readonly #readings: { readonly atMs: number; readonly stats: StoreStats }[] = [];
  #read: { readonly atMs: number; readonly messages: number; readonly bytes: number } | undefined;

  constructor(store: ShownStore) {
    this.#store = store;
  }

  next(): Frame {
    const nowMs = monotonicMs();
    const slow = this.#slowPart(nowMs);
    return "recovery" in this.#store ? this.#writing(this.#store, slow, nowMs) : this.#reading(this.#store, slow, nowMs);
  }

  #writing(store: MessageStore, slow: SlowPart, nowMs: number): Frame {
    const now = store.stats();
    const before = this.#readings[0] ?? { atMs: nowMs - MS_PER_SECOND, stats: now };
    const readings = { before: before.stats, now, seconds: Math.max(1, nowMs - before.atMs) / MS_PER_SECOND };
    this.#readings.push({ atMs: nowMs, stats: now });
    while ((this.#readings[1]?.atMs ?? nowMs) <= nowMs - MS_PER_SECOND) this.#readings.shift();
    const { offsets, dispatch, disk, services, lastErrors, ha } = now;
    const { messages: _, ...slowFrame } = slow;
    const { storePathRootDir, mappedFileSizeCommitLog } = store.config;
    return {
      ...slowFrame,
      time: now.time,
      role: "writing",
      directory: storePathRootDir,
      state: now.state,
      fence: now.state === "fenced" ? fenceText(lastErrors.at(-1)?.message, storePathRootDir) : undefined,
      limit: limitOf(readings),
      stages: stagesOf(readings),
      messagesPerSecond: perSecond(readings, ({ put }) => put.messages),
      bytesPerSecond: perSecond(readings, ({ append }) => append.bytes),
      putToAckUs: latencyOf(readings, ({ latency }) => latency.putToAckUs),
      behindBytes: dispatch.behindBytes,
      log: {
        minOffset: offsets.minOffset,
        durableOffset: offsets.flushedOffset,
        wroteOffset: offsets.wroteOffset,
        readyOffset: offsets.allocatedOffset,
        segmentSize: mappedFileSizeCommitLog,
        deletedSegments: disk.deletedSegments,
      },
      slaves: ha?.slaves.map(({ address, behindBytes, inSync }) => ({ address, behindBytes, inSync })) ?? [],
      disk: { usedBytes: undefined, totalBytes: undefined, usedRatio: disk.commitLogRatio },
      services,
      errors: lastErrors,
    };
  }

  #reading(store: ReadOnlyMessageStore, slow: SlowPart, nowMs: number): Frame {
    const directory = this.#directory as DirectoryStats;
    const { maxPhysicalOffset: bytes, minPhysicalOffset: minOffset } = store;
    const { messages, ...slowFrame } = slow;
    const before = this.#read ?? { atMs: nowMs - MS_PER_SECOND, messages, bytes };
    const seconds = Math.max(1, nowMs - before.atMs) / MS_PER_SECOND;
    // The slow part says how many messages there are: the rate is that of its interval.
    if (this.#read === undefined || this.#slowAtMs === nowMs) this.#read = { atMs: nowMs, messages, bytes };
    const { fence, disk, abort } = directory;
    const limit: LimitFrame = { stage: "none", reason: "what limits the pipeline is known to the process that has the store open" };
    const { storePathRootDir, mappedFileSizeCommitLog } = store.config;
    return {
      ...NO_FIGURES,
      ...slowFrame,
      time: wallClockMs(),
      role: "reading",
      directory: storePathRootDir,
      state: abort === undefined ? "closed" : `open${abort.processId === undefined ? "" : `, process ${abort.processId}`}`,
      fence: fence === undefined ? undefined : fenceText(fence.reason, storePathRootDir),
      limit,
      messagesPerSecond: Math.max(0, (messages - before.messages) / seconds),
      bytesPerSecond: Math.max(0, (bytes - before.bytes) / seconds),
      behindBytes: 0,
      log: {
        minOffset,
        durableOffset: directory.flushedOffset,
        wroteOffset: bytes,
        readyOffset: undefined,
        segmentSize: mappedFileSizeCommitLog,
        deletedSegments: undefined,
      },
      disk: { usedBytes: disk.usedBytes, totalBytes: disk.totalBytes, usedRatio: disk.usedBytes / disk.totalBytes },
    };
  }

  #slowPart(nowMs: number): SlowPart {
    if (this.#slow !== undefined && nowMs - this.#slowAtMs < SLOW_MS) return this.#slow;
    const store = this.#store;
    if (!("recovery" in store)) this.#directory = store.stats();
    const all = store.queueStats();
    const own = all.filter(({ topic }) => topic !== HALF_TOPIC && topic !== DECIDED_TOPIC && topic !== SCHEDULE_TOPIC);
    const lags = consumerLags(store.consumerOffsets, all).slice(0, LAGS_SHOWN);
    this.#slowAtMs = nowMs;
    this.#slow = {
      queues: own.slice(0, QUEUES_SHOWN).map(({ lag: _, ...queue }) => queue),
      queuesTotal: own.length,
      lags: lags.map(({ group, topic, queueId, offset, lag }) => ({ group, topic, queueId, offset, lag })),
      delays: this.#delays(),
      undecided: Math.max(0, endOf(all, HALF_TOPIC) - endOf(all, DECIDED_TOPIC)),
      messages: all.reduce((sum, { maxOffset }) => sum + maxOffset, 0),
    };
    return this.#slow;
  }

  #delays(): Frame["delays"] {
    if (!("recovery" in this.#store)) return [];
    const { levels } = this.#store.stats().schedule;
    return levels
      .map(({ level, delayOffset, maxOffset }) => ({ level, waiting: maxOffset - delayOffset }))
      .filter(({ waiting }) => waiting > 0);
  }
}

function endOf(queues: readonly QueueStats[], topic: string): number {
  return queues.reduce((sum, queue) => sum + (queue.topic === topic ? queue.maxOffset : 0), 0);
}

function fenceText(reason: string | undefined, directory: string): string {
  const cause = reason === undefined ? "" : ` (${reason})`;
  return `A force has failed${cause}. Look at the disk, close the store, then run: millrace unfence ${directory}`;
}
