import { monotonicUs } from "@millrace/shared-memory";
import test from "ava";
import { AcknowledgementLog } from "#scripts/load-generator/acknowledgement-log.js";
import { LoadDriver, type LoadPlan } from "#scripts/load-generator/load-driver.js";
import type { LoadMessage, LoadPutResult, LoadTarget } from "#scripts/load-generator/load-target.js";
import { MessageContent } from "#scripts/load-generator/message-content.js";
import { FixedRate, UNPACED } from "#scripts/load-generator/pace.js";
import { SentTimes } from "#scripts/load-generator/sent-times.js";

const CONTENT = { topic: "T", topics: 1, queues: 1, tags: 0, keyEnable: false, messageSize: 16, batchSize: 1 };

type Answer = (index: number) => LoadPutResult | Error;

/** Answers puts in later turns, in an order that `answerOrder` may change, and notes what it saw. */
class FakeStore implements LoadTarget {
  inFlightMax = 0;
  readonly bodies: Uint8Array[] = [];
  #pending: (() => void)[] = [];
  readonly #answer: Answer;
  readonly #reverse: boolean;

  constructor(answer: Answer = (index) => ok(index), reverse = false) {
    this.#answer = answer;
    this.#reverse = reverse;
  }

  putMessage(message: LoadMessage): Promise<LoadPutResult> {
    const index = this.bodies.push(Uint8Array.from(message.body)) - 1;
    return new Promise((resolve, reject) => {
      this.#pending.push(() => {
        const answer = this.#answer(index);
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      });
      this.inFlightMax = Math.max(this.inFlightMax, this.#pending.length);
      if (this.#pending.length === 1) setImmediate(this.#settle);
    });
  }

  putMessages(batch: readonly LoadMessage[]): Promise<LoadPutResult> {
    return this.putMessage(batch[0] as LoadMessage);
  }

  stats(): never {
    throw new Error("not asked for here");
  }

  async close(): Promise<void> {}

  readonly #settle = (): void => {
    const pending = this.#pending;
    this.#pending = [];
    for (const settle of this.#reverse ? pending.reverse() : pending) settle();
  };
}

function ok(index: number): LoadPutResult {
  return { status: "PUT_OK", appendResult: { wroteOffset: index * 10, queueOffset: index } };
}

function drive(store: LoadTarget, plan: Partial<LoadPlan>, acks = new AcknowledgementLog()): LoadDriver {
  return new LoadDriver(store, new MessageContent(CONTENT), acks, {
    pace: UNPACED,
    slots: 8,
    units: Number.POSITIVE_INFINITY,
    deadlineUs: Number.POSITIVE_INFINITY,
    ...plan,
  });
}

test("the window is filled and never exceeded, and every unit is sent once", async (t) => {
  const store = new FakeStore();
  const driver = drive(store, { units: 1000 });
  await driver.run();
  t.is(store.inFlightMax, 8);
  t.is(driver.ackedUnits, 1000);
  t.is(driver.latencyUs.snapshot().count, 1000);
  const content = new MessageContent(CONTENT);
  store.bodies.forEach((body, number) => {
    if (!content.bodyMatches(number, body, 0, body.length)) t.fail(`body ${number}`);
  });
});

test("acknowledgements that come out of order are noted under their own unit", async (t) => {
  const acks = new AcknowledgementLog();
  await drive(new FakeStore(ok, true), { units: 50 }, acks).run();
  for (let unit = 0; unit < 50; unit++) t.deepEqual([acks.physicalOffsetOf(unit), acks.queueOffsetOf(unit)], [unit * 10, unit]);
  t.is(acks.physicalOffsetOf(50), -1);
  t.is(acks.physicalOffsetOf(1e7), -1);
});

test("refused and rejected puts count as failed, and the first reason is kept", async (t) => {
  const answer: Answer = (index) => {
    if (index === 3) return { status: "MESSAGE_ILLEGAL", appendResult: null, code: "ERR_X", reason: "because n=1" };
    if (index === 4) return new Error("gone");
    return index === 5 ? { ...ok(5), status: "FLUSH_DISK_TIMEOUT" } : ok(index);
  };
  const acks = new AcknowledgementLog();
  const driver = drive(new FakeStore(answer), { units: 20 }, acks);
  await driver.run();
  t.deepEqual([driver.ackedUnits, driver.failedUnits], [17, 3]);
  t.is(driver.firstFailure, "status=MESSAGE_ILLEGAL, ERR_X because n=1");
  t.is(acks.physicalOffsetOf(5), -1);
});

test("a store that fails every put ends the load instead of spinning", async (t) => {
  const driver = drive(new FakeStore(() => new Error("fenced")), {});
  await driver.run();
  t.true(driver.failedUnits >= 1000 && driver.failedUnits < 2000);
});

test("stop lets what is in flight settle and sends nothing more", async (t) => {
  const store = new FakeStore();
  const driver = drive(store, {});
  const done = driver.run();
  await new Promise((resolve) => setImmediate(resolve));
  driver.stop();
  const sent = driver.sentUnits;
  await done;
  t.is(driver.sentUnits, sent);
  t.is(driver.ackedUnits, sent);
  t.is(driver.inFlight, 0);
});

test("the deadline ends a load without a quantity", async (t) => {
  const driver = drive(new FakeStore(), { deadlineUs: monotonicUs() + 200_000 });
  await driver.run();
  t.true(driver.ackedUnits > 0);
});

test("at a fixed rate latency counts from the intended send time, not from the send", async (t) => {
  // 50 units were due in the past: all are sent at once, and their latency is how late they are.
  const driver = drive(new FakeStore(), { pace: new FixedRate(monotonicUs() - 500_000, 100), units: 50, slots: 64 });
  await driver.run();
  const { max, p50, count } = driver.latencyUs.snapshot();
  t.is(count, 50);
  t.true(max >= 500_000, `max=${max}`);
  t.true(p50 >= 240_000, `p50=${p50}`);
});

test("at a fixed rate no more is sent than is due", (t) => {
  const pace = new FixedRate(1000, 1000);
  t.is(pace.unitsDue(999), 0);
  t.is(pace.unitsDue(1000), 1);
  t.is(pace.unitsDue(3999), 3);
  t.is(pace.unitsDue(4000), 4);
  t.is(pace.sentUs(3), 4000);
});

test("a load goes on in another store with the next unit", async (t) => {
  const [first, second] = [new FakeStore(), new FakeStore()];
  const sent = new SentTimes();
  const driver = drive(first, { units: 20, sent });
  await driver.run();
  await driver.goOn(second, { pace: UNPACED, slots: 8, units: 50, deadlineUs: Number.POSITIVE_INFINITY, sent });
  t.deepEqual([first.bodies.length, second.bodies.length, driver.ackedUnits], [20, 30, 50]);
  const content = new MessageContent(CONTENT);
  t.deepEqual(
    second.bodies.map((body) => content.numberOf(body)),
    Array.from({ length: 30 }, (_, index) => 20 + index),
  );
  t.true(sent.of(0) > 0 && sent.of(49) >= sent.of(0));
  t.is(sent.of(50), -1);
});

test("a load that was stopped does not go on, and one that is stopped before it runs sends nothing", async (t) => {
  const store = new FakeStore();
  const driver = drive(store, { units: 20 });
  driver.stop();
  await driver.run();
  await driver.goOn(store, { pace: UNPACED, slots: 8, units: 50, deadlineUs: Number.POSITIVE_INFINITY });
  t.is(driver.sentUnits, 0);
});

test("a load that is stopped while nothing is due leaves no timer that keeps the process alive", async (t) => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  const driver = drive(new FakeStore(), { pace: new FixedRate(monotonicUs(), 0.001) });
  const done = driver.run();
  await new Promise((resolve) => setImmediate(resolve));
  driver.stop();
  await done;
  t.is(timers(), before);
});
