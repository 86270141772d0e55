import { getActiveResourcesInfo } from "node:process";
import { setImmediate } from "node:timers/promises";
import test from "ava";
import { Pause } from "#store/clean/pause.js";

const LONG_MS = 3_600_000;

/** Timers that keep the process alive. */
function timers(): number {
  return getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}

test.serial("a pause keeps the process alive while a call is waited for, one that began before it, too", async (t) => {
  const pause = new Pause();
  const before = timers();
  const background = pause.for(LONG_MS);
  t.is(timers(), before);
  let settle = (): void => {};
  const held = pause.held(new Promise<void>((resolve) => (settle = resolve)));
  t.is(timers(), before + 1);
  const own = pause.for(LONG_MS);
  t.is(timers(), before + 2);
  settle();
  await held;
  t.is(timers(), before);
  pause.stop();
  t.deepEqual(await Promise.all([background, own]), [false, false]);
});

test.serial("of two calls that are waited for the second holds its pauses when the first has failed", async (t) => {
  const pause = new Pause();
  const before = timers();
  let settle = (): void => {};
  const second = pause.held(new Promise<void>((resolve) => (settle = resolve)));
  const paused = pause.for(LONG_MS);
  await t.throwsAsync(pause.held(Promise.reject(new Error("told to"))), { message: "told to" });
  await setImmediate();
  t.is(timers(), before + 1);
  pause.stop();
  t.false(await paused);
  settle();
  await second;
});
