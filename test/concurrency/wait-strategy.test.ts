import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { ControlBlock, type ControlBlockBuffer, type OwnedCounter, WaitStrategy } from "@millrace/shared-memory";
import test, { type ExecutionContext } from "ava";

interface Sleeper {
  readonly counter: OwnedCounter;
  /** How long the other thread slept, in milliseconds. */
  readonly slept: Promise<number>;
}

/** Another thread that waits for the counter to leave `value`, for ten seconds. */
async function startSleeper(t: ExecutionContext, value: number): Promise<Sleeper> {
  const buffer: ControlBlockBuffer = ControlBlock.create({ queueSlots: value });
  const worker = new Worker(join(import.meta.dirname, "sleeping-worker.js"), { workerData: { buffer } });
  t.teardown(() => worker.terminate());
  await new Promise((resolve) => worker.once("message", resolve));
  const slept = new Promise<number>((resolve) => worker.once("message", resolve));
  return { counter: ControlBlock.attach(buffer, "main").counters.queueSlots, slept };
}

for (const [name, value] of Object.entries({ "0": 0, "2^31": 2 ** 31 - 1, "2^32": 2 ** 32 - 1, "2^52": 2 ** 52 + 2 ** 31 })) {
  test(`a publish wakes a sleeper at ${name}`, async (t) => {
    const { counter, slept } = await startSleeper(t, value);
    setTimeout(() => counter.publish(value + 1), 100);
    const ms = await slept;
    t.true(ms >= 50 && ms < 5000, `slept ms=${ms}`);
  });
}

test("a nudge wakes a sleeper although nothing moved", async (t) => {
  const { counter, slept } = await startSleeper(t, 5);
  setTimeout(() => counter.nudge(), 100);
  const ms = await slept;
  t.true(ms >= 50 && ms < 5000, `slept ms=${ms}`);
});

test("a wait ends by itself, and at once when the counter has moved already", (t) => {
  const { queueSlots } = ControlBlock.attach(ControlBlock.create({ queueSlots: 2 ** 32 }), "main").counters;
  const strategy = new WaitStrategy(20);
  for (const [seen, timeoutMs, least] of [
    [2 ** 32, 51, 50],
    [2 ** 32 - 1, 10_000, 0],
  ] as const) {
    const began = performance.now();
    strategy.wait(queueSlots, seen, timeoutMs);
    const ms = performance.now() - began;
    t.true(ms >= least && ms < 5000, `seen=${seen} ms=${ms}`);
  }
});

test("an asynchronous wait is woken by a publish, and not begun when the counter has moved already", async (t) => {
  const { queueSlots } = ControlBlock.attach(ControlBlock.create({ queueSlots: 2 ** 31 }), "main").counters;
  t.is(queueSlots.waitAsync(2 ** 31 - 1), undefined);
  const woken = queueSlots.waitAsync(2 ** 31);
  setTimeout(() => queueSlots.publish(2 ** 31 + 1), 20);
  t.is(await woken, "ok");
});
