/**
 * The words that threads share: one SharedArrayBuffer, one line of 128 bytes per counter, so that no two owners write to one
 * cache line (128: the prefetcher takes lines in pairs).
 *
 * ```text
 *   line n:   +0 low      +4 highBefore   +8 highAfter   +12 owner        (rest: padding)
 *             i32         i32             i32            thread id + 1
 * ```
 *
 * A counter is `high · 2^32 + low`, exact up to 2^53 - 1. The writer stores highBefore, low, highAfter, in that order and the highs only
 * when they change; a reader loads them in the opposite order and retries when the highs differ. Sleepers sleep on `low`.
 *
 * Each word has one owner (the role that may write it). Who reads and who sleeps is in the comments.
 */
const COUNTER_LINE_LENGTH = 128;
export const LOW_WORD = 0;
export const HIGH_BEFORE_WORD = 1;
export const HIGH_AFTER_WORD = 2;
export const OWNER_WORD = 3;

/** Threads of the pipeline. */
const ROLES = ["main", "append", "flush", "allocate", "dispatch"] as const;
export type Role = (typeof ROLES)[number];

/** Counter name → owner. The order is the layout. */
export const COUNTERS = {
  /** {@link StoreState}; everybody reads it between groups. */
  storeState: "main",
  /** Bumped when a control call waits in a service's port; each service compares it between groups. */
  controlBell: "main",
  /** Frames published; append sleeps on it. */
  putRingTail: "main",
  /** SYNC_FLUSH: 1 while the producer is in the middle of a burst: more frames come within microseconds. */
  putBurst: "main",
  /** Queues registered in the {@link QueueTable}: slot numbers below it have a topic and a queue id. */
  queueSlots: "main",
  /** Frames consumed; main sleeps on it when the ring is full. */
  putRingHead: "append",
  /** Results published; main sleeps on it (notified for acks that need no force, and for failures). */
  resultRingTail: "append",
  /** Complete bytes in the segments; flush reads it, dispatch sleeps on it. */
  wroteOffset: "append",
  /** Highest offset that somebody waits for durably; flush sleeps on it. */
  syncRequestedOffset: "append",
  /** How far the appender wants ready bytes; allocate sleeps on it. */
  segmentWantedOffset: "append",
  /** End of the ready bytes; append sleeps on it when it has run out. */
  allocatedOffset: "allocate",
  /** Attempts to make bytes ready that failed; append gives up on a record when it moves. */
  allocateFailures: "allocate",
  /** First byte still on disk. */
  minOffset: "allocate",
  /** Bytes written from the transient store pool to the file, dispatch sleeps on it then; equal to wroteOffset's meaning without a pool. */
  committedOffset: "flush",
  /** Durable bytes; main sleeps on it, in SYNC_FLUSH dispatch too. */
  flushedOffset: "flush",
  /** Durable bytes of groups that the appender forced itself; what is durable is the greater of the two. Flush adopts it. */
  appendForcedOffset: "append",
  /** Everything below it is in the ConsumeQueues and the index; main sleeps on it (readers that wait for arrivals). */
  reputFromOffset: "dispatch",
  /** Milliseconds: store timestamp up to which the ConsumeQueues are forced; flush writes it into the checkpoint. */
  logicsMsgTimestamp: "dispatch",
  /** Milliseconds: end timestamp of the last index file that was rolled; flush writes it into the checkpoint. */
  indexMsgTimestamp: "dispatch",
  /** Milliseconds: the newest record's store timestamp. */
  wroteStoreTimestamp: "append",
  /** Microseconds (monotonic clock): when the group now being written began, 0 between groups. RocketMQ: beginTimeInLock. */
  appendBeganUs: "append",

  appendState: "append",
  appendHeartbeatUs: "append",
  appendMessages: "append",
  appendBytes: "append",
  appendGroups: "append",
  /** Groups handed to the flusher: each has left a mark. */
  appendMarks: "append",
  appendForces: "append",
  appendMaxGroupMessages: "append",
  appendStalls: "append",
  appendRolls: "append",
  appendRollMaxUs: "append",
  flushState: "flush",
  flushHeartbeatUs: "flush",
  flushForces: "flush",
  flushFailures: "flush",
  flushCommits: "flush",
  allocateState: "allocate",
  allocateHeartbeatUs: "allocate",
  allocateSegments: "allocate",
  allocateLockedBytes: "allocate",
  allocateLockFailures: "allocate",
  allocateDeletedSegments: "allocate",
  dispatchState: "dispatch",
  dispatchHeartbeatUs: "dispatch",
  /** Records handed to the dispatchers since the store was opened. */
  dispatchMessages: "dispatch",
  dispatchGroups: "dispatch",
  /** Forces of ConsumeQueue and index files. */
  dispatchForces: "dispatch",
  /** Attempts at the present group that failed, a second apart; 0 when all is well. Main takes no puts above a limit. */
  dispatchFailures: "dispatch",
} as const satisfies Record<string, Role>;

export type CounterName = keyof typeof COUNTERS;
export type CounterNameOf<R extends Role> = { [N in CounterName]: (typeof COUNTERS)[N] extends R ? N : never }[CounterName];

const NAMES = Object.keys(COUNTERS) as CounterName[];

export const CONTROL_BLOCK_LENGTH = NAMES.length * COUNTER_LINE_LENGTH;

/** Index of a counter's first word in the control block seen as i32 words. */
export function counterWord(name: CounterName): number {
  return (NAMES.indexOf(name) * COUNTER_LINE_LENGTH) / Int32Array.BYTES_PER_ELEMENT;
}

/** Values of `storeState`; they only move forward. */
export const StoreState = { opening: 0, running: 1, fenced: 2, faulted: 3, closing: 4, closed: 5 } as const;
export type StoreStateValue = (typeof StoreState)[keyof typeof StoreState];

/** Values of `…State` of a service. */
export const ServiceState = { starting: 0, running: 1, waiting: 2, stopped: 3, failed: 4 } as const;
