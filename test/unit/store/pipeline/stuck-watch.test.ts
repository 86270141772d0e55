import type { FailedService } from "@millrace/shared-memory";
import test from "ava";
import { StuckWatch } from "#store/pipeline/stuck-watch.js";
import { until } from "../../../support/until.js";

const LOOK_MS = 1;
const LOOKS = 60;

test("a service without a heartbeat is given up once, and one that shows any is not, however long it takes", async (t) => {
  const given: FailedService[] = [];
  const giveUp = (failure: FailedService): number => given.push(failure);
  let looks = 0;
  let slowBeats = 0;
  const slow = (): number => {
    if (++looks % (LOOKS - 1) === 0) slowBeats++;
    return slowBeats;
  };
  using _watch = new StuckWatch(
    [
      { name: "slow", heartbeatUs: { get: slow }, giveUp },
      { name: "stuck", heartbeatUs: { get: () => 7 }, giveUp },
    ],
    LOOK_MS,
  );
  await until(() => looks > 5 * LOOKS);
  t.deepEqual(given, [
    { ok: false, service: "stuck", code: "ERR_SERVICE_STUCK", message: "the service shows no sign of life: service=stuck" },
  ]);
});

test("what is not watched any more is not given up", async (t) => {
  let given = 0;
  let looks = 0;
  const heartbeatUs = { get: () => 7 };
  const giveUp = (): number => given++;
  const other = { get: () => ++looks };
  {
    using _watch = new StuckWatch([{ name: "stuck", heartbeatUs, giveUp }], LOOK_MS);
  }
  using _watch = new StuckWatch([{ name: "other", heartbeatUs: other, giveUp }], LOOK_MS);
  await until(() => looks > 2 * LOOKS);
  t.is(given, 0);
});
