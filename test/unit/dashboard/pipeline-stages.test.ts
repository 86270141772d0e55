import type { StoreStats } from "@millrace/store";
import test from "ava";
import { limitOf } from "#dashboard/pipeline-stages.js";
import { sampleStoreStats } from "../stats/sample-store-stats.js";

/** The sample at rest, and one second later with a change. */
function limitAfter(change: Record<string, object | string>): ReturnType<typeof limitOf> {
  const rest = sampleStoreStats();
  const before: StoreStats = {
    ...rest,
    state: "running",
    disk: { ...rest.disk, full: false },
    put: { ...rest.put, waiting: 0, inFlight: 5 },
    ring: { ...rest.ring, usedBytes: 0, usedFrames: 0 },
    dispatch: { ...rest.dispatch, behindBytes: 0 },
  };
  const now = { ...before } as unknown as Record<string, unknown>;
  for (const [name, value] of Object.entries(change))
    now[name] = typeof value === "string" ? value : { ...(now[name] as object), ...value };
  return limitOf({ before, now: now as unknown as StoreStats, seconds: 1 });
}

test("what limits is the last stage that has no time left, and nothing when puts are all that is missing", (t) => {
  const { forceUs } = sampleStoreStats().flush;
  const { put, append } = sampleStoreStats();
  const busy = { ...forceUs, count: forceUs.count + 20, mean: (forceUs.mean * forceUs.count + 800_000) / (forceUs.count + 20) };
  const limits = {
    store: { state: "fenced" },
    disk: { disk: { full: true } },
    allocate: { append: { stalls: append.stalls + 1 } },
    force: { flush: { forceUs: busy } },
    dispatch: { dispatch: { behindBytes: 100 * 1024 * 1024 } },
    append: { put: { waiting: 3 } },
    none: { put: { messages: put.messages + 10, inFlight: 5, waiting: 0 } },
  };
  for (const [stage, change] of Object.entries(limits)) t.is(limitAfter(change).stage, stage as "none", stage);
  t.is(limitAfter({ ...limits.append, ...limits.force }).stage, "force");
  t.is(limitAfter({ ...limits.force, ...limits.disk }).stage, "disk");
  t.is(limitAfter({}).reason, "nothing is put");
});
