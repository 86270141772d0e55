import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { COUNTERS, ControlBlock, InvariantError } from "@millrace/shared-memory";
import test from "ava";
import { CROSSINGS, STEP, STEPS_AROUND } from "./counting-worker.js";

const WORKER = join(import.meta.dirname, "counting-worker.js");

test("a counter has one owner: another thread's claim throws", async (t) => {
  const buffer = ControlBlock.create({});
  ControlBlock.attach(buffer, "append");
  t.notThrows(() => ControlBlock.attach(buffer, "append"), "the same thread may look twice");
  const worker = new Worker(WORKER, { workerData: { buffer, act: "claim" } });
  const answer = await new Promise<string>((resolve) => worker.once("message", resolve));
  t.regex(answer, /one writer: word=\w+ owner=\d+ claimant=\d+$/);
});

test("each thread may set its own counters only", (t) => {
  const { counters } = ControlBlock.attach(ControlBlock.create({}), "flush");
  t.true("set" in counters.flushedOffset);
  t.false("set" in counters.wroteOffset);
  t.false("set" in counters.storeState);
});

test("a reader in another thread sees every value whole, across 2^31 and 2^32, and never an older one", async (t) => {
  const buffer = ControlBlock.create({});
  const { wroteOffset: counter, queueSlots } = ControlBlock.attach(buffer, "main").counters;
  const worker = new Worker(WORKER, { workerData: { buffer, act: "count" } });
  const ended = new Promise((resolve) => worker.once("exit", resolve));
  await new Promise((resolve) => worker.once("online", resolve));
  queueSlots.publish(1);
  let [last, strange, older, distinct] = [0, 0, 0, 0];
  const deadline = performance.now() + 20_000;
  while (last < CROSSINGS * STEP && performance.now() < deadline) {
    for (let i = 0; i < 1000; i++) {
      const value = counter.get();
      const distance = (value + STEPS_AROUND) % STEP;
      if (distance > 2 * STEPS_AROUND && value !== 0) strange++;
      if (value < last) older++;
      if (value !== last) distinct++;
      last = value;
    }
  }
  await ended;
  t.deepEqual({ strange, older }, { strange: 0, older: 0 });
  t.true(distinct > 10, `seen=${distinct}`);
  t.is(counter.get(), CROSSINGS * STEP + STEPS_AROUND);
});

for (const [name, value] of Object.entries({ "2^31": 2 ** 31, "2^32": 2 ** 32, "2^33": 2 ** 33, "2^52": 2 ** 52 })) {
  test(`a counter counts across ${name}`, (t) => {
    const { queueSlots } = ControlBlock.attach(ControlBlock.create({ queueSlots: value - 2 }), "main").counters;
    for (let expected = value - 2; expected < value + 2; expected++) {
      t.is(queueSlots.get(), expected);
      t.is(queueSlots.value, expected);
      queueSlots.add(1);
    }
  });

  test(`a gauge goes down across ${name}`, (t) => {
    const { wroteStoreTimestamp } = ControlBlock.attach(ControlBlock.create({ wroteStoreTimestamp: value }), "append").counters;
    for (const expected of [value - 1, value + 1, 0]) {
      wroteStoreTimestamp.publish(expected);
      t.is(wroteStoreTimestamp.get(), expected);
    }
  });
}

for (const kind of ["position", "total"] as const) {
  test(`a ${kind} that would go back breaks an invariant, and stays`, (t) => {
    const { wroteOffset, appendMessages } = ControlBlock.attach(ControlBlock.create({}), "append").counters;
    const counter = kind === "position" ? wroteOffset : appendMessages;
    counter.set(5);
    counter.set(5);
    const back = { instanceOf: InvariantError, code: "ERR_INVARIANT", message: /went back: word=\w+ value=4 before=5$/ };
    for (const act of [() => counter.set(4), () => counter.publish(4), () => counter.add(-1)]) t.throws(act, back);
    t.deepEqual([counter.get(), counter.value], [5, 5]);
  });
}

test("where a position begins can be corrected downwards, until it has moved", (t) => {
  const { reputFromOffset } = ControlBlock.attach(ControlBlock.create({ reputFromOffset: 900 }), "dispatch").counters;
  t.throws(() => reputFromOffset.beginAt(901), { code: "ERR_INVARIANT" });
  reputFromOffset.beginAt(900);
  reputFromOffset.beginAt(300);
  t.is(reputFromOffset.get(), 300);
  t.throws(() => reputFromOffset.beginAt(299), { code: "ERR_INVARIANT" });
  reputFromOffset.publish(400);
  t.is(reputFromOffset.get(), 400);
});

test("every word has a sentence, its owner's name where it is a service's, and one owner", (t) => {
  for (const [name, { owner, help }] of Object.entries(COUNTERS)) {
    t.regex(help, /^[A-Z0-9].*[^.]\.$/, name);
    const service = /^(append|flush|dispatch|allocate)(?=[A-Z])/.exec(name)?.[0];
    if (service !== undefined) t.is<string, string>(owner, service, name);
  }
});

test("at 2^53 a counter refuses to go on, and keeps its value", (t) => {
  const { queueSlots } = ControlBlock.attach(ControlBlock.create({ queueSlots: Number.MAX_SAFE_INTEGER - 1 }), "main").counters;
  queueSlots.add(1);
  t.is(queueSlots.get(), Number.MAX_SAFE_INTEGER);
  t.throws(() => queueSlots.add(1), { instanceOf: RangeError });
  for (const bad of [-1, Number.NaN, 2 ** 53]) t.throws(() => queueSlots.publish(bad), { instanceOf: RangeError });
  t.is(queueSlots.get(), Number.MAX_SAFE_INTEGER);
  t.is(queueSlots.value, Number.MAX_SAFE_INTEGER);
});

test("counters do not share a line", (t) => {
  const buffer = ControlBlock.create({});
  const { counters } = ControlBlock.attach(buffer, "append");
  counters.wroteOffset.set(2 ** 40 + 7);
  const touched = [...new Int32Array(buffer).entries()]
    .filter(([, word]) => word === 7 || word === 2 ** 8)
    .map(([index]) => Math.floor(index / 32));
  t.is(new Set(touched).size, 1);
  t.is(touched.length, 3);
});
