import { setImmediate } from "node:timers/promises";
import type { ReadableCounter } from "@millrace/shared-memory";
import { monotonicUs } from "@millrace/shared-memory";
import test from "ava";
import { AckWaits } from "#store/put/ack-waits.js";
import { until } from "../../../support/until.js";

const FOR_EVER_US = 60_000_000;
const SHORT_US = 100;

/** A word and a ring whose sleepers are woken by the test, and by nobody else. */
class Waiting {
  isDue = false;
  isDueWithSleep = false;
  woken = 0;
  sleepers: (() => void)[] = [];
  readonly waits: AckWaits;

  constructor(spinUs: number, hasWord = true) {
    const word = { get: () => 0, waitAsync: this.#sleep } as unknown as ReadableCounter;
    this.waits = new AckWaits(
      { resultsLater: this.#sleep },
      hasWord ? [word] : [],
      () => this.isDue,
      () => this.woken++,
      spinUs,
    );
  }

  readonly #sleep = (): Promise<void> => {
    this.isDue ||= this.isDueWithSleep;
    return new Promise((resolve) => this.sleepers.push(resolve));
  };

  wakeAll(): void {
    for (const wake of this.sleepers.splice(0)) wake();
  }
}

async function turns(us: number): Promise<void> {
  const end = monotonicUs() + us;
  while (monotonicUs() < end) await setImmediate();
}

test("what is due soon is found without sleeping", async (t) => {
  const waiting = new Waiting(FOR_EVER_US);
  waiting.waits.arm();
  await setImmediate();
  t.is(waiting.woken, 0);
  waiting.isDue = true;
  await until(() => waiting.woken === 1);
  t.is(waiting.sleepers.length, 0);
});

test("what takes longer is slept for, and then at once", async (t) => {
  const waiting = new Waiting(SHORT_US);
  waiting.waits.arm();
  t.is(waiting.sleepers.length, 0);
  await until(() => waiting.sleepers.length === 2);
  await turns(10 * SHORT_US);
  waiting.wakeAll();
  await until(() => waiting.woken === 2);
  waiting.waits.arm();
  t.is(waiting.sleepers.length, 2);
});

test("what has become due with the last look is found when sleeping begins", async (t) => {
  const waiting = new Waiting(SHORT_US);
  waiting.isDueWithSleep = true;
  waiting.waits.arm();
  await until(() => waiting.woken === 1);
  t.is(waiting.sleepers.length, 2);
});

test("who waits for results only sleeps at once", (t) => {
  const waiting = new Waiting(FOR_EVER_US, false);
  waiting.waits.arm();
  t.is(waiting.sleepers.length, 1);
});

test("after close nobody is woken, and nothing is looked at", async (t) => {
  const waiting = new Waiting(SHORT_US);
  waiting.waits.arm();
  waiting.waits.close();
  waiting.isDue = true;
  await turns(10 * SHORT_US);
  t.deepEqual([waiting.woken, waiting.sleepers.length], [0, 0]);
});
