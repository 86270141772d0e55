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
 * when they change; a reader loads them in the opposite order and retries when the highs differ. That is right for what never goes back:
 * a high that came back between two loads would not be noticed. Sleepers sleep on `low`.
 *
 * Each counter has one owner (the role that may write it), a kind, and a sentence that says what it is. Who reads and who sleeps is in the
 * comments. Behind the counters lie three things that several threads write: the force alarm, the put bell and the send lane.
 */
const COUNTER_LINE_LENGTH = 128;
export const LOW_WORD = 0;
export const HIGH_BEFORE_WORD = 1;
export const HIGH_AFTER_WORD = 2;
export const OWNER_WORD = 3;

/** Threads of the pipeline beside main: each has the words `…State` and `…HeartbeatUs`. */
const SERVICE_ROLES = ["append", "flush", "dispatch", "allocate", "replicate"] as const;
export type ServiceRole = (typeof SERVICE_ROLES)[number];
/** `producer`: a thread of the user's that puts; it owns words in its ring only. */
export type Role = "main" | "producer" | ServiceRole;

/**
 * - `position`: a place in a sequence (bytes of the log, frames of the ring); never goes back
 * - `total`: how often, or how much, since the store was opened; never goes back
 * - `moment`: microseconds of the monotonic clock; never goes back
 * - `gauge`: as it is now; small, or seldom across a multiple of 2^32, because a reader may then take the halves of two values for one
 * - `state`: one of the values of a table below
 */
export type CounterKind = "position" | "total" | "moment" | "gauge" | "state";

interface CounterWord<R extends Role = Role> {
  readonly owner: R;
  readonly kind: CounterKind;
  /** One sentence. */
  readonly help: string;
}

/** What {@link COUNTERS} has of each service. */
type ServiceWords = { readonly [R in ServiceRole as `${R}State` | `${R}HeartbeatUs`]: CounterWord<R> };

export function stateWord<R extends ServiceRole>(role: R): `${R}State` {
  return `${role}State`;
}

export function heartbeatWord<R extends ServiceRole>(role: R): `${R}HeartbeatUs` {
  return `${role}HeartbeatUs`;
}

/** Counter name → owner, kind, help. The order is the layout. */
export const COUNTERS = {
  /** {@link StoreState}; everybody reads it between groups. */
  storeState: word("main", "state", "State of the store."),
  /** Each service compares it between groups. */
  controlBell: word("main", "total", "Control calls that were posted to a service."),
  /** Producers read it once per group. */
  diskFull: word("main", "gauge", "1 while the disk is over its ratio, and nothing new is put."),
  /** Slot numbers below it have a topic and a queue id in the {@link QueueTableBuffers}. */
  queueSlots: word("main", "position", "Slots given to queues."),
  /** Moved before the results are shown, `wroteOffset` after that: what a producer has been answered ends here at most. */
  answeredOffset: word("append", "position", "End of the records that may have been acknowledged."),
  /** Flush reads it, dispatch sleeps on it. Main's view of it is `endOffset`. */
  wroteOffset: word("append", "position", "End of the complete records in the segments."),
  /** Replicate sleeps on it, and is woken unless the appender has sent itself; with a transient store pool on `committedOffset`. */
  sendRequestedOffset: word(
    "append",
    "position",
    "How far the appender has asked for the log to be sent to slaves, or has sent it.",
  ),
  /** See {@link SendLane}; moved before the bytes go out. */
  laneOffset: word("append", "position", "How far the appender has sent the log to a slave itself."),
  laneBeganOffset: word("replicate", "position", "From where on the appender may send the log to a slave itself."),
  /** Flush sleeps on it. */
  syncRequestedOffset: word("append", "position", "Highest offset that somebody waits for durably."),
  /** Allocate sleeps on it. */
  segmentWantedOffset: word("append", "position", "How far the appender wants ready bytes."),
  /** Append sleeps on it when it has run out. */
  allocatedOffset: word("allocate", "position", "End of the bytes made ready for the appender."),
  /** Flush opens the segments below it. */
  createdOffset: word("allocate", "position", "End of the segments that exist."),
  /** Allocate sleeps on it: a segment gets no ready bytes before, so no record. */
  forceOpenOffset: word("flush", "position", "End of the segments that the flusher has open."),
  /** Append gives up on a record when it moves. */
  allocateFailures: word("allocate", "total", "Attempts to make bytes ready that failed."),
  minOffset: word("allocate", "position", "First byte of the commit log still on disk."),
  /** With a transient store pool what was written from it to the file, and dispatch sleeps on it; without one it follows `wroteOffset`. */
  committedOffset: word("flush", "position", "End of what reached the files."),
  /** Main sleeps on it, in SYNC_FLUSH dispatch too. What is durable is `durableOffset`. */
  flushedOffset: word("flush", "position", "End of what the flusher has made durable."),
  /** Groups that the appender forced itself. Flush adopts it. */
  appendForcedOffset: word("append", "position", "End of what the appender has made durable itself."),
  /** It is in the ConsumeQueues and the index; main sleeps on it (readers that wait for arrivals). */
  reputFromOffset: word("dispatch", "position", "Everything below it can be consumed."),
  /** Milliseconds; flush writes it into the checkpoint. Store timestamps go back with the wall clock. */
  logicsMsgTimestamp: word("dispatch", "gauge", "Store timestamp up to which the ConsumeQueues are forced."),
  /** Milliseconds; flush writes it into the checkpoint. */
  indexMsgTimestamp: word("dispatch", "gauge", "End timestamp of the last index file that was rolled."),
  /** Milliseconds; goes back with the wall clock. */
  wroteStoreTimestamp: word("append", "gauge", "Store timestamp of the newest record."),
  /** See `group-began.ts`. RocketMQ: beginTimeInLock. */
  appendBeganUs: word("append", "moment", "When the latest group began, odd while it is being written."),

  /** See `dispatch-hint-descriptor.ts`; published before `wroteOffset`. */
  hintsLeft: word("append", "position", "Records of which the appender has left a hint for the dispatcher."),
  hintsTaken: word("dispatch", "position", "Hints that the dispatcher needs no more."),

  appendMessages: word("append", "total", "Messages appended to the log."),
  appendBytes: word("append", "total", "Bytes appended to the log."),
  appendGroups: word("append", "total", "Groups appended."),
  /** Each of these groups has left a mark. */
  appendMarks: word("append", "total", "Groups handed to the flusher."),
  appendForces: word("append", "total", "Forces of the appender's own that succeeded."),
  appendMaxGroupMessages: word("append", "gauge", "Messages of the largest group."),
  appendStalls: word("append", "total", "Times the appender found no ready segment."),
  appendRolls: word("append", "total", "Changes to the next segment."),
  appendRollMaxUs: word("append", "gauge", "Longest change to the next segment."),
  flushForces: word("flush", "total", "Forces of the flusher's that succeeded."),
  flushFailures: word("flush", "total", "Forces that failed."),
  flushCommits: word("flush", "total", "Commits of the transient store pool."),
  allocateSegments: word("allocate", "total", "Segments allocated."),
  allocateLockedBytes: word("allocate", "gauge", "Bytes of segments locked in memory."),
  allocateLockFailures: word("allocate", "total", "Memory locks that the system refused."),
  allocateDeletedSegments: word("allocate", "total", "Segments deleted by retention."),
  dispatchMessages: word("dispatch", "total", "Records dispatched."),
  dispatchHinted: word("dispatch", "total", "Records dispatched by the appender's hint, without reading them."),
  dispatchGroups: word("dispatch", "total", "Groups dispatched."),
  dispatchForces: word("dispatch", "total", "Forces of ConsumeQueue and index files."),
  /** A second apart; 0 when all is well. Main looks at it while it opens. */
  dispatchFailures: word("dispatch", "gauge", "Attempts to dispatch that failed one after another."),
  dispatchRefusedQueues: word(
    "dispatch",
    "total",
    "ConsumeQueues set aside since the opening: something else lies in the place of their files.",
  ),
  /** Of a SYNC_MASTER: as many slaves as a put needs have acknowledged it. Producers sleep on it. */
  replicatedOffset: word("replicate", "position", "End of what enough slaves have."),
  /** Producers read it once per group. */
  inSyncSlaves: word("replicate", "gauge", "Slaves that are connected and not too far behind."),
  connectedSlaves: word("replicate", "gauge", "Slaves that are connected."),
  replicateBytes: word("replicate", "total", "Bytes of the log sent to slaves."),
  replicateRefused: word("replicate", "total", "Connections refused, or ended for what came from the other side."),
  ...serviceWords(),
} as const satisfies Record<string, CounterWord>;

function word<R extends Role>(owner: R, kind: CounterKind, help: string): CounterWord<R> {
  return { owner, kind, help };
}

/** {@link ServiceState}, and when. */
function serviceWords(): ServiceWords {
  const words: Record<string, CounterWord> = {};
  for (const role of SERVICE_ROLES) {
    words[stateWord(role)] = word(role, "state", `State of the ${role} thread.`);
    words[heartbeatWord(role)] = word(role, "moment", `Last sign of life of the ${role} thread.`);
  }
  return words as ServiceWords;
}

/** Whether a word of this kind holds its owner to it. */
export function neverGoesBack(kind: CounterKind): boolean {
  return kind === "position" || kind === "total" || kind === "moment";
}

export type CounterName = keyof typeof COUNTERS;
export type CounterNameOf<R extends Role> = {
  [N in CounterName]: (typeof COUNTERS)[N]["owner"] extends R ? N : never;
}[CounterName];

const NAMES = Object.keys(COUNTERS) as CounterName[];

/**
 * Behind the counters, the force alarm: a line of its own, then why it was raised.
 *
 * ```text
 *   +0 state   +4 length of the text   (rest of the line: padding)   +128 text, UTF-8
 *   i32        i32, bytes
 * ```
 */
const ALARM_OFFSET = NAMES.length * COUNTER_LINE_LENGTH;
export const ALARM_STATE_WORD = ALARM_OFFSET / Int32Array.BYTES_PER_ELEMENT;
export const ALARM_TEXT_LENGTH_WORD = ALARM_STATE_WORD + 1;
export const ALARM_TEXT_OFFSET = ALARM_OFFSET + COUNTER_LINE_LENGTH;
export const ALARM_TEXT_LENGTH = 1024;
/** Values of its state; 0 while all is well. Whoever claims it writes the text, then raises it. */
export const ALARM_CLAIMED = 1;
export const ALARM_RAISED = 2;

/** Behind the alarm, the put bell: a line of its own, +0 state. */
const BELL_OFFSET = ALARM_TEXT_OFFSET + ALARM_TEXT_LENGTH;
export const BELL_WORD = BELL_OFFSET / Int32Array.BYTES_PER_ELEMENT;

/**
 * Behind the bell, the send lane: a line of its own.
 *
 * ```text
 *   +0 state   +4 descriptor + 1; 0: none   +8 frame     +12 unsent   +16 errno      (rest: padding)
 *   i32        i32                          i32, bytes   i32, bytes   i32; 0: none
 * ```
 */
const LANE_OFFSET = BELL_OFFSET + COUNTER_LINE_LENGTH;
export const LANE_STATE_WORD = LANE_OFFSET / Int32Array.BYTES_PER_ELEMENT;
export const LANE_DESCRIPTOR_WORD = LANE_STATE_WORD + 1;
export const LANE_FRAME_WORD = LANE_STATE_WORD + 2;
export const LANE_UNSENT_WORD = LANE_STATE_WORD + 3;
export const LANE_ERRNO_WORD = LANE_STATE_WORD + 4;
/** Values of its state; 0 while it is closed. */
export const LANE_OPEN = 1;
export const LANE_IN_USE = 2;
export const LANE_WANTED = 3;
export const LANE_STUCK = 4;

export const CONTROL_BLOCK_LENGTH = LANE_OFFSET + COUNTER_LINE_LENGTH;

/** Index of a counter's first word in the control block seen as i32 words. */
export function counterWord(name: CounterName): number {
  return (NAMES.indexOf(name) * COUNTER_LINE_LENGTH) / Int32Array.BYTES_PER_ELEMENT;
}

/** Values of `storeState`; they only move forward. */
export const StoreState = { opening: 0, running: 1, fenced: 2, faulted: 3, closing: 4, closed: 5 } as const;
export type StoreStateValue = (typeof StoreState)[keyof typeof StoreState];

/** Values of `…State` of a service. */
export const ServiceState = { starting: 0, running: 1, waiting: 2, stopped: 3, failed: 4 } as const;
