import { createStorage } from "@millrace/mapped-file";
import test, { type ExecutionContext } from "ava";
import { DelayLevels } from "#format/delay-levels.js";
import { DelayOffsets } from "#store/broker/delay/delay-offsets.js";
import { MessageScheduler } from "#store/broker/delay/message-scheduler.js";
import { FakeClock, FakeScheduleStore } from "../../../../support/fake-schedule-store.js";
import { temporaryDirectory } from "../../../../support/temporary-directory.js";

const HOUR = 3_600_000;
const SECOND = 1000;
const DELAY = 10 * SECOND;

/** A slave with messages of level 2. */
class Slave {
  readonly store = new FakeScheduleStore();
  readonly clock = new FakeClock();
  readonly saved: string[] = [];
  readonly scheduler: MessageScheduler;
  /** Newest store timestamp. */
  newest = this.clock.now();

  constructor(t: ExecutionContext) {
    const save = async (content: Uint8Array): Promise<void> => {
      this.saved.push(JSON.stringify(JSON.parse(new TextDecoder().decode(content)).offsetTable));
    };
    const offsets = DelayOffsets.open(createStorage({ kind: "real" }), `${temporaryDirectory(t)}/delayOffset.json`, save);
    this.store.queue(2);
    this.scheduler = new MessageScheduler(DelayLevels.parse("1s 10s 2h"), offsets, this.store, HOUR, this.clock);
    this.scheduler.follow(() => this.newest);
    t.teardown(() => this.scheduler.close());
  }

  /** Put by the master now, by its clock. */
  put(atMs = this.newest): number {
    return this.store.schedule(2, atMs + DELAY);
  }

  /** The log goes on, by the second. */
  goesOn(durationMs: number): void {
    for (let ms = 0; ms < durationMs; ms += SECOND) {
      this.clock.pass(SECOND);
      this.newest += SECOND;
      while (this.scheduler.passDelivered(this.newest)) {}
    }
  }

  get delayOffset(): number | undefined {
    return this.scheduler.stats().levels[0]?.delayOffset;
  }
}

test("a slave puts nothing, and passes over what its master has delivered five minutes of the log before", async (t) => {
  const slave = new Slave(t);
  slave.put();
  slave.goesOn(SECOND);
  slave.put();
  slave.goesOn(8 * SECOND + 300 * SECOND);
  t.is(slave.delayOffset, 0);
  slave.goesOn(SECOND);
  t.is(slave.delayOffset, 1);
  slave.goesOn(SECOND);
  t.is(slave.delayOffset, 2);
  await slave.scheduler.save();
  t.deepEqual(slave.saved, ['{"2":2}']);
  t.is(slave.store.flushes, 1); // what was delivered is on the slave's disk before it is called delivered
  t.deepEqual(slave.store.put, []);
});

test("what a slave keeps of the log does not wait for a save", (t) => {
  const slave = new Slave(t);
  slave.put();
  t.is(slave.scheduler.delayedFrom(), 0);
  slave.goesOn(400 * SECOND);
  t.is(slave.scheduler.delayedFrom(), undefined);
  t.deepEqual(slave.saved, []);
});

test("a message that was put while the master's clock was ahead is passed over when a clock set back cannot make it wait", (t) => {
  const slave = new Slave(t);
  slave.put(slave.newest + 1000 * HOUR);
  slave.put();
  slave.goesOn(2 * DELAY + 299 * SECOND);
  t.is(slave.delayOffset, 0);
  slave.goesOn(2 * SECOND);
  t.is(slave.delayOffset, 2);
});

test("many thousand messages that were delivered long ago are passed over in several goes", (t) => {
  const slave = new Slave(t);
  const longAgo = slave.newest - HOUR;
  const { units } = slave.store.queue(2);
  for (let n = 0; n < 40_000; n++) units.push({ physicalOffset: n, size: 1, tagsCode: longAgo });
  slave.goesOn(299 * SECOND);
  slave.clock.pass(SECOND);
  slave.newest += SECOND;
  t.true(slave.scheduler.passDelivered(slave.newest));
  t.true((slave.delayOffset ?? 0) < 40_000);
  t.true(slave.scheduler.passDelivered(slave.newest));
  t.false(slave.scheduler.passDelivered(slave.newest));
  t.is(slave.delayOffset, 40_000);
});

test("of a queue whose head is gone a slave passes over what is gone", (t) => {
  const slave = new Slave(t);
  for (let n = 0; n < 3; n++) slave.put();
  slave.store.queue(2).minOffset = 2;
  slave.goesOn(320 * SECOND);
  t.is(slave.delayOffset, 3);
});
