import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { MessageStore, MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { follows, openSlave } from "../support/replica-pair.js";
import { setWallClock } from "../support/settable-wall-clock.js";
import { messagesOf } from "../support/stored-messages.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { numbered, numberOf, openStore } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const LEVELS: MessageStoreOptions = { messageDelayLevel: "0s 30d", flushDelayOffsetInterval: 10 };
const AT_ONCE = 1;
const MUCH_LATER = 2;
const STEP_MS = 10_000;

/** A master that goes on, ten seconds from one message to the next, and what it has put besides. */
class BusyMaster {
  readonly store: MessageStore;
  readonly #t: ExecutionContext;
  #aheadMs = 0;

  constructor(t: ExecutionContext, store: MessageStore) {
    this.#t = t;
    this.store = store;
  }

  async goOn(slave: MessageStore): Promise<void> {
    this.#aheadMs += STEP_MS;
    setWallClock(this.#t, this.#aheadMs);
    await this.store.putMessage(numbered(0, 4096, { topic: "Other" }));
    await follows(slave, this.store);
  }

  async delay(from: number, to: number, delayTimeLevel: number): Promise<void> {
    for (let n = from; n < to; n++) await this.store.putMessage(numbered(n, 512, { delayTimeLevel }));
  }

  async hasDelivered(count: number): Promise<void> {
    await until(() => this.store.getMaxOffsetInQueue("TopicA", 0) === count);
  }
}

async function openMaster(t: ExecutionContext): Promise<BusyMaster> {
  return new BusyMaster(t, await openStore(t, { ...LEVELS, haListenPort: 0, slaveTimeout: 60_000 }));
}

function savedOffsets(root: string): unknown {
  try {
    return JSON.parse(readFileSync(join(root, "config", "delayOffset.json"), "utf8")).offsetTable;
  } catch {
    return undefined;
  }
}

test.serial("a slave deletes segments whose delayed messages its master has delivered, and keeps those that wait", async (t) => {
  const master = await openMaster(t);
  const slave = await openSlave(t, master.store, { ...LEVELS, fileReservedTime: 0 });
  await master.delay(0, 5, AT_ONCE);
  await master.hasDelivered(5);
  await until(async () => {
    await master.goOn(slave);
    await slave.deleteExpiredFiles();
    return slave.minPhysicalOffset > 0;
  });
  await master.delay(5, 6, MUCH_LATER);
  await until(async () => {
    await master.goOn(slave);
    return (await slave.deleteExpiredFiles()).delayedFrom !== undefined;
  });
  t.true(slave.stats().disk.keptForDelay);
});

test.serial("a slave that becomes the master delivers what waits, and not again what was delivered long before", async (t) => {
  const master = await openMaster(t);
  const storePathRootDir = temporaryDirectory(t);
  const slave = await openSlave(t, master.store, { ...LEVELS, storePathRootDir });
  await master.delay(0, 5, AT_ONCE);
  await master.delay(5, 7, MUCH_LATER);
  await master.hasDelivered(5);
  await until(async () => {
    await master.goOn(slave);
    return JSON.stringify(savedOffsets(storePathRootDir)) === '{"1":5}';
  });
  await master.delay(7, 9, AT_ONCE);
  await master.hasDelivered(7);
  await follows(slave, master.store);
  await master.store.close();
  await slave.close();
  t.deepEqual(savedOffsets(storePathRootDir), { 1: 5 });
  setWallClock(t, 365 * 24 * 3_600_000);
  const promoted = await openStore(t, { ...LEVELS, storePathRootDir });
  const numbers = (): number[] => messagesOf(promoted).map(({ body }) => numberOf(body));
  await until(() => numbers().includes(5) && numbers().includes(6) && promoted.stats().schedule.delivered === 4);
  t.deepEqual(numbers().sort(), [0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 8]); // whether 7 and 8 were delivered, the slave could not be sure
});

test.serial("a slave that follows nobody does not judge what its directory's master has delivered", async (t) => {
  const master = await openMaster(t);
  await master.delay(0, 5, AT_ONCE);
  await master.hasDelivered(5);
  await master.delay(5, 6, MUCH_LATER);
  await master.store.close();
  const { storePathRootDir } = master.store.config;
  setWallClock(t, 365 * 24 * 3_600_000);
  const shown = await openStore(t, { ...LEVELS, storePathRootDir, brokerRole: "SLAVE", haMasterAddress: "none" });
  t.like(shown.stats().schedule, {
    levels: [
      { level: 1, delayOffset: 5 },
      { level: 2, delayOffset: 0 },
    ],
  });
  await shown.close();
  t.deepEqual(savedOffsets(storePathRootDir), { 1: 5 });
});
