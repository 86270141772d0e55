import { setImmediate } from "node:timers/promises";
import test from "ava";
import { PendingFlushes } from "#store/open/pending-flushes.js";

const CLOSED = new Error("closed");
const NEVER = new Promise<number>(() => {});

test("a flush resolves with the flusher's answer when that covers what was acknowledged", async (t) => {
  const flushes = new PendingFlushes();
  t.is(await flushes.add(100, Promise.resolve(100)), 100);
  t.is(await flushes.add(100, Promise.resolve(250)), 250);
});

test("a flusher that answers with less leaves the flush to the end of the pipeline", async (t) => {
  const flushes = new PendingFlushes();
  let isSettled = false;
  const flush = flushes.add(100, Promise.resolve(99)).finally(() => {
    isSettled = true;
  });
  await setImmediate();
  t.false(isSettled);
  flushes.end(100, CLOSED);
  t.is(await flush, 100);
});

test("a pipeline that has stopped well resolves the flushes that it covers, and rejects the others", async (t) => {
  const flushes = new PendingFlushes();
  const [covered, other] = [flushes.add(100, NEVER), flushes.add(101, Promise.resolve(0))];
  flushes.end(100, CLOSED);
  t.is(await covered, 100);
  t.is(await t.throwsAsync(other), CLOSED);
});

test("a failure rejects all that wait, whatever the flusher says later", async (t) => {
  const flushes = new PendingFlushes();
  let answer: (offset: number) => void = () => {};
  const late = new Promise<number>((resolve) => {
    answer = resolve;
  });
  const waiting = [flushes.add(1, late), flushes.add(1, Promise.reject(new Error("the force failed")))];
  await setImmediate();
  flushes.reject(CLOSED);
  answer(1);
  for (const flush of waiting) t.is(await t.throwsAsync(flush), CLOSED);
});
