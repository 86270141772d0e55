import test from "ava";
import { type LimitFacts, limitOf } from "#dashboard/sample/limit.js";

/** A store that takes puts, with room everywhere. */
const CALM: LimitFacts = {
  state: "running",
  failedService: undefined,
  isSync: false,
  isDiskFull: false,
  putsPerSecond: 1000,
  inFlight: 3,
  waiting: 0,
  ringStallsPerSecond: 0,
  ringFill: 0.1,
  appendStallsPerSecond: 0,
  forceBusy: 0.1,
  undurableBytes: 4096,
  isDurableMoving: true,
  dispatchFailures: 0,
  lateMs: 2,
};

const CASES: readonly (readonly [row: string, at: string | undefined, changes: Partial<LimitFacts>])[] = [
  ["fenced", "force", { state: "fenced", isDiskFull: true }],
  ["faulted", "force", { state: "faulted", failedService: "flush" }],
  ["faulted", "dispatch", { state: "faulted", failedService: "dispatch" }],
  ["faulted", undefined, { state: "faulted" }],
  ["not-running", undefined, { state: "closed" }],
  ["disk-full", "allocate", { isDiskFull: true, forceBusy: 1 }],
  ["dispatch-fails", "dispatch", { dispatchFailures: 3, forceBusy: 1 }],
  ["idle", undefined, { putsPerSecond: 0, inFlight: 0, forceBusy: 1 }],
  ["no-ready-bytes", "allocate", { appendStallsPerSecond: 2, forceBusy: 1, ringFill: 1 }],
  ["forces", "force", { isSync: true, forceBusy: 0.5, ringFill: 1 }],
  ["forces", "force", { forceBusy: 0.8, waiting: 2 }],
  ["force-hangs", "force", { isSync: true, isDurableMoving: false, forceBusy: 0 }],
  ["ring-full", "append", { ringFill: 0.9, lateMs: 5000 }],
  ["ring-full", "append", { waiting: 1 }],
  ["ring-full", "append", { ringStallsPerSecond: 4 }],
  ["dispatch-late", "dispatch", { lateMs: 1000 }],
  ["dispatch-late", "dispatch", { putsPerSecond: 0, inFlight: 0, lateMs: 1000 }],
  ["producers", "producers", {}],
  ["producers", "producers", { forceBusy: 0.7 }],
  ["producers", "producers", { isDurableMoving: false }],
];

for (const [row, at, changes] of CASES) {
  test(`what limits is ${row} at ${at ?? "nothing"} when ${JSON.stringify(changes)}`, (t) => {
    const limit = limitOf({ ...CALM, ...changes });
    t.is(limit.row, row);
    t.is(limit.at, at as typeof limit.at);
    t.regex(limit.reason, /^[A-Z].*\.$/);
  });
}
