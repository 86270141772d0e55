import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { DispatcherBell } from "#store/append/dispatcher-bell.js";
import { emptyPipelineData, wordsOf } from "../../../support/pipeline-on-this-thread.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { until } from "../../../support/until.js";

test("the dispatcher is woken once for what is there, and may be kept waiting for a millisecond, but not with much", async (t) => {
  const data = emptyPipelineData({ storePathRootDir: temporaryDirectory(t) }, { kind: "real" });
  const { wroteOffset } = wordsOf(data, "append").counters;
  const bell = new DispatcherBell(wroteOffset);
  t.is(bell.restMs, 0, "there is nothing to be woken for");

  wroteOffset.set(100);
  t.is(bell.restMs, 0, "it has not been woken for long");
  const woken = wroteOffset.waitAsync(100);
  bell.ring();
  t.is(await woken, "ok");

  const sleeper = wroteOffset.waitAsync(100);
  bell.ring();
  const asleep = Symbol("asleep");
  t.is(await Promise.race([sleeper, sleep(20, asleep)]), asleep, "it knows of all there is");

  wroteOffset.set(200);
  await sleep(2);
  t.is(bell.restMs, 0, "others have been first for a millisecond");
  await until(() => {
    bell.ring();
    wroteOffset.add(1);
    return bell.restMs > 0; // but on a machine that stands still for a millisecond just now
  });
  wroteOffset.add(256 * 1024);
  t.true(bell.isUrgent);
  t.is(bell.restMs, 0);
});
