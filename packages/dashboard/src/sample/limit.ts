/** What a put passes on its way; `producers` are those who put. */
export type StageName = "producers" | "ring" | "append" | "force" | "dispatch" | "allocate";

/** What decides which stage limits the pipeline: figures of the last second. */
export interface LimitFacts {
  readonly state: string;
  /** The service thread that has ended, if one has. */
  readonly failedService: string | undefined;
  /** Puts are answered when they are durable. */
  readonly isSync: boolean;
  readonly isDiskFull: boolean;
  readonly putsPerSecond: number;
  readonly inFlight: number;
  /** Puts that wait for room in the ring, and how often one found it full. */
  readonly waiting: number;
  readonly ringStallsPerSecond: number;
  /** 0 to 1. */
  readonly ringFill: number;
  /** Times the appender found no ready bytes. */
  readonly appendStallsPerSecond: number;
  /** Share of the time in which a force was under way, 0 to 1. */
  readonly forceBusy: number;
  readonly undurableBytes: number;
  /** Whether anything has become durable. */
  readonly isDurableMoving: boolean;
  readonly dispatchFailures: number;
  readonly lateMs: number;
}

export interface Limit {
  /** Name of the row that has decided. */
  readonly row: string;
  /** Undefined: nothing limits. */
  readonly at: StageName | undefined;
  /** One sentence. */
  readonly reason: string;
}

interface LimitRow {
  readonly name: string;
  readonly applies: (facts: LimitFacts) => boolean;
  readonly at: StageName | undefined | ((facts: LimitFacts) => StageName | undefined);
  readonly reason: (facts: LimitFacts) => string;
}

const STAGES_OF_SERVICES: Readonly<Record<string, StageName>> = {
  append: "append",
  flush: "force",
  dispatch: "dispatch",
  allocate: "allocate",
};
/** A force is what a synchronous put waits for; otherwise only a disk that never rests holds anything up. */
const SYNC_BUSY = 0.5;
const ASYNC_BUSY = 0.8;
const RING_FULL = 0.9;
/** Readers see messages so much later. */
const LATE_MS = 1000;

/** The first row that applies decides; the last one always does. */
const LIMIT_ROWS: readonly LimitRow[] = [
  {
    name: "fenced",
    applies: ({ state }) => state === "fenced",
    at: "force",
    reason: () => "A force has failed: no puts are taken until an operator has looked at the disk.",
  },
  {
    name: "faulted",
    applies: ({ state }) => state === "faulted",
    at: ({ failedService }) => STAGES_OF_SERVICES[failedService ?? ""],
    reason: ({ failedService }) =>
      `${failedService === undefined ? "A service thread" : `The ${failedService} thread`} has ended: no puts are taken.`,
  },
  {
    name: "not-running",
    applies: ({ state }) => state !== "running",
    at: undefined,
    reason: ({ state }) => `The store is ${state}.`,
  },
  {
    name: "disk-full",
    applies: ({ isDiskFull }) => isDiskFull,
    at: "allocate",
    reason: () => "The disk is full: puts are refused until there is room.",
  },
  {
    name: "dispatch-fails",
    applies: ({ dispatchFailures }) => dispatchFailures > 0,
    at: "dispatch",
    reason: ({ dispatchFailures }) =>
      `Dispatching has failed ${dispatchFailures} times one after another: readers see nothing new.`,
  },
  {
    name: "idle",
    applies: ({ putsPerSecond, inFlight, waiting, lateMs }) =>
      putsPerSecond === 0 && inFlight === 0 && waiting === 0 && lateMs < LATE_MS,
    at: undefined,
    reason: () => "Nothing is put.",
  },
  {
    name: "no-ready-bytes",
    applies: ({ appendStallsPerSecond }) => appendStallsPerSecond > 0,
    at: "allocate",
    reason: () => "The appender waits for ready bytes: the allocate thread, or the disk, cannot keep ahead.",
  },
  {
    name: "forces",
    applies: ({ isSync, forceBusy }) => forceBusy >= (isSync ? SYNC_BUSY : ASYNC_BUSY),
    at: "force",
    reason: ({ isSync, forceBusy }) => {
      const waits = isSync ? "puts wait for" : "all that is to be durable waits for";
      return `Forces take ${Math.round(100 * forceBusy)} % of the time: the disk is what ${waits}.`;
    },
  },
  {
    name: "force-hangs",
    applies: ({ isSync, inFlight, undurableBytes, isDurableMoving }) =>
      isSync && inFlight > 0 && undurableBytes > 0 && !isDurableMoving,
    at: "force",
    reason: () => "Puts wait for a force, and nothing became durable in the last second.",
  },
  {
    name: "ring-full",
    applies: ({ ringFill, waiting, ringStallsPerSecond }) => ringFill >= RING_FULL || waiting > 0 || ringStallsPerSecond > 0,
    at: "append",
    reason: () => "The ring is full: puts come faster than the appender takes them.",
  },
  {
    name: "dispatch-late",
    applies: ({ lateMs }) => lateMs >= LATE_MS,
    at: "dispatch",
    reason: ({ lateMs }) => `Readers see messages ${Math.round(lateMs / 1000)} s late: dispatching is slower than appending.`,
  },
  {
    name: "producers",
    applies: () => true,
    at: "producers",
    reason: () => "Every stage has room: the pipeline waits for puts.",
  },
];

/** The stage that limits the pipeline now, and why. Pure. */
export function limitOf(facts: LimitFacts): Limit {
  const row = LIMIT_ROWS.find(({ applies }) => applies(facts)) as LimitRow;
  return { row: row.name, at: typeof row.at === "function" ? row.at(facts) : row.at, reason: row.reason(facts) };
}
