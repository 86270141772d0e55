import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import type { MessageStore, StoreEventMap } from "@millrace/store";
import test from "ava";
import { liftStoreFence, writeStoreFence } from "#store/marks/store-fence.js";
import { chosenSeed, seededRandom } from "../support/random.js";
import { haPort } from "../support/raw-slave.js";
import { follows, logBytes, openSlave } from "../support/replica-pair.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { message, numbered, openStore } from "../support/temporary-store.js";
import { dispatchedAll, stays, until } from "../support/until.js";

/** The machine may be busy: nobody is late before a minute. */
const MASTER = { haListenPort: 0, slaveTimeout: 60_000 } as const;

/** All segments but the last one go. */
async function expireAll(store: MessageStore): Promise<void> {
  await store.flush();
  await dispatchedAll(store);
  await until(async () => {
    await store.deleteExpiredFiles();
    return store.minPhysicalOffset > 0;
  });
}

for (const flushDiskType of ["ASYNC_FLUSH", "SYNC_FLUSH"] as const) {
  test.serial(
    `a slave has the master's log byte for byte, over many segments, and its readers what the master's have, ${flushDiskType}`,
    async (t) => {
      const master = await openStore(t, { ...MASTER, brokerRole: "SYNC_MASTER", flushDiskType });
      const slave = await openSlave(t, master, { flushDiskType });
      await until(() => master.stats().ha?.inSyncSlaves === 1);
      const puts = Array.from({ length: 600 }, (_, n) =>
        master.putMessage(numbered(n, 100 + ((n * 37) % 900), { queueId: n % 3, tags: `tag${n % 5}`, keys: `key${n}` })),
      );
      t.deepEqual([...new Set((await Promise.all(puts)).map(({ status }) => status))], ["PUT_OK"]);
      await follows(slave, master);
      await dispatchedAll(master); // it may be later than its slave
      const end = master.maxPhysicalOffset;
      t.true(end > 4 * 65_536);
      t.true(logBytes(slave, 0, end).equals(logBytes(master, 0, end)));
      for (let queueId = 0; queueId < 3; queueId++) {
        t.is(slave.getMaxOffsetInQueue("TopicA", queueId), master.getMaxOffsetInQueue("TopicA", queueId));
        t.is(slave.getMaxOffsetInQueue("TopicA", queueId), 200);
      }
      const [found] = slave.queryMessage({ topic: "TopicA", key: "key599" }).messages;
      t.is(found?.queueOffset, 199);
      await until(() => slave.stats().ha?.master?.state === "following"); // said once a second
    },
  );
}

test.serial("a slave refuses puts, and says why", async (t) => {
  const master = await openStore(t, MASTER);
  const slave = await openSlave(t, master);
  const { status, code } = await slave.putMessage(message());
  t.is(status, "SERVICE_NOT_AVAILABLE");
  t.is(code, "ERR_HA_SLAVE");
  await t.throwsAsync(slave.deleteTopic("TopicA"), { code: "ERR_HA_SLAVE" });
});

test.serial(
  "a slave that follows nobody shows what is there, and neither puts nor connects; without saying so it is refused",
  async (t) => {
    const written = await openStore(t);
    for (let n = 0; n < 10; n++) await written.putMessage(numbered(n));
    await written.close();
    const store = await openStore(t, { ...written.config, brokerRole: "SLAVE", haMasterAddress: "none" });
    t.is(store.getMaxOffsetInQueue("TopicA", 0), 10);
    t.is((await store.putMessage(message())).code, "ERR_HA_SLAVE");
    t.is(store.stats().ha?.master, undefined);
    t.is(store.stats().state, "running");
    await store.close();
    t.true((await openStore(t, written.config)).recovery.lastExitOk);
  },
);

test.serial("a slave that was closed goes on where it was, and one that was closed opens as master with everything", async (t) => {
  const master = await openStore(t, MASTER);
  const first = await openSlave(t, master);
  for (let n = 0; n < 100; n++) await master.putMessage(numbered(n, 1000));
  await follows(first, master);
  await first.close();
  for (let n = 100; n < 200; n++) await master.putMessage(numbered(n, 1000));
  const { storePathRootDir } = first.config;
  const second = await openSlave(t, master, { storePathRootDir });
  await follows(second, master);
  await second.close();
  await master.close();
  const promoted = await openStore(t, { storePathRootDir });
  t.is(promoted.getMaxOffsetInQueue("TopicA", 0), 200);
  const { appendResult } = await promoted.putMessage(numbered(200));
  t.is(appendResult?.queueOffset, 200);
});

test.serial("a slave waits for a master that is not there yet, and comes back to one that was away", async (t) => {
  const gone = await openStore(t, MASTER);
  const port = haPort(gone);
  const { storePathRootDir } = gone.config;
  await gone.close();
  const slave = await openSlave(t, port);
  for (let life = 0; life < 3; life++) {
    const master = await openStore(t, { ...MASTER, storePathRootDir, haListenPort: port });
    for (let n = 0; n < 20; n++) await master.putMessage(numbered(20 * life + n, 500));
    await follows(slave, master);
    await master.close();
  }
  t.is(slave.getMaxOffsetInQueue("TopicA", 0), 60);
});

test.serial("a master of another history is refused, with both sides' bytes, and the slave's log stays as it was", async (t) => {
  const master = await openStore(t, MASTER);
  const slave = await openSlave(t, master);
  for (let n = 0; n < 10; n++) await master.putMessage(numbered(n));
  await follows(slave, master);
  const end = slave.maxPhysicalOffset;
  await slave.close();
  const other = await openStore(t, MASTER);
  for (let n = 0; n < 30; n++) await other.putMessage(numbered(n + 1000));
  const { storePathRootDir } = slave.config;
  const again = await openSlave(t, other, { storePathRootDir });
  const events: StoreEventMap["diverged"][] = [];
  again.on("diverged", (event) => events.push(event));
  await until(() => events.length > 0);
  t.is(events[0]?.code, "ERR_HA_DIVERGED");
  t.regex(events[0]?.message ?? "", /offset=\d+ own=[0-9a-f]+ master=[0-9a-f]+/);
  t.true(await stays(() => again.maxPhysicalOffset === end && events.length === 1));
  t.is(again.getMaxOffsetInQueue("TopicA", 0), 10);
});

test.serial("a master that is shorter than its slave is refused by both", async (t) => {
  const master = await openStore(t, MASTER);
  const slave = await openSlave(t, master);
  for (let n = 0; n < 10; n++) await master.putMessage(numbered(n));
  await follows(slave, master);
  await slave.close();
  const shorter = await openStore(t, { ...MASTER, haSendHeartbeatInterval: 50 });
  const told: string[] = [];
  shorter.on("diverged", ({ message }) => told.push(message));
  const again = await openSlave(t, shorter, { storePathRootDir: slave.config.storePathRootDir });
  await until(() => told.length > 0);
  t.regex(told[0] ?? "", /goes on after this one ends/);
  // Long enough to be asked for the beginning of the slave's last bytes, and not to have all of them.
  for (let n = 0; n < 3; n++) await shorter.putMessage(numbered(n));
  const events: StoreEventMap["diverged"][] = [];
  again.on("diverged", (event) => events.push(event));
  await until(() => events.length > 0);
  t.pass();
});

test.serial("a slave acknowledges in SYNC_FLUSH what it has forced, so a put is durable on both", async (t) => {
  const master = await openStore(t, { ...MASTER, brokerRole: "SYNC_MASTER", flushDiskType: "SYNC_FLUSH" });
  const slave = await openSlave(t, master, { flushDiskType: "SYNC_FLUSH" });
  await until(() => master.stats().ha?.inSyncSlaves === 1);
  for (let n = 0; n < 30; n++) {
    const { status } = await master.putMessage(numbered(n));
    t.is(status, "PUT_OK");
    t.is(slave.flushedOffset, master.maxPhysicalOffset);
  }
});

test.serial("messages of every kind follow: batches, delayed ones, prepared ones; the slave delivers none of them", async (t) => {
  const seed = chosenSeed();
  t.log(`MILLRACE_SEED=${seed}`);
  const random = seededRandom(seed);
  const master = await openStore(t, { ...MASTER, messageDelayLevel: "1s 2s" });
  const slave = await openSlave(t, master);
  for (let n = 0; n < 60; n++) {
    const topic = `Topic${random(5)}`;
    const kind = random(4);
    if (kind === 0) await master.putMessages([numbered(n, 40, { topic }), numbered(n, 60, { topic })]);
    else if (kind === 1) await master.putMessage(numbered(n, 40, { topic, delayTimeLevel: 1 }));
    else if (kind === 2) await master.prepareMessage(numbered(n, 40, { topic }));
    else await master.putMessage(numbered(n, 40, { topic }));
  }
  await until(() => master.stats().schedule.delivered > 0);
  await follows(slave, master);
  t.is(slave.stats().schedule.delivered, 0);
  const end = Math.min(master.maxPhysicalOffset, slave.maxPhysicalOffset);
  t.true(logBytes(slave, 0, end).equals(logBytes(master, 0, end)));
});

test.serial(
  "an empty slave begins where the log of its master begins, and goes on from there when it is opened again",
  async (t) => {
    const master = await openStore(t, { ...MASTER, fileReservedTime: 0, deleteCommitLogFilesInterval: 0 });
    for (let n = 0; n < 300; n++) await master.putMessage(numbered(n, 1000));
    await expireAll(master);
    const { minOffset } = master.stats().offsets;
    t.true(minOffset > 0);
    const slave = await openSlave(t, master);
    await follows(slave, master);
    t.is(slave.stats().offsets.minOffset, minOffset);
    const end = master.maxPhysicalOffset;
    t.true(logBytes(slave, minOffset, end).equals(logBytes(master, minOffset, end)));
    t.is(slave.getMinOffsetInQueue("TopicA", 0), master.getMinOffsetInQueue("TopicA", 0));
    t.is(slave.getMaxOffsetInQueue("TopicA", 0), 300);
    await slave.close();
    await master.putMessage(numbered(300));
    const again = await openSlave(t, master, { storePathRootDir: slave.config.storePathRootDir });
    await follows(again, master);
    t.is(again.getMaxOffsetInQueue("TopicA", 0), 301);
  },
);

test.serial("an empty slave that found no master says so when the master's log begins elsewhere", async (t) => {
  const master = await openStore(t, { ...MASTER, fileReservedTime: 0, deleteCommitLogFilesInterval: 0 });
  for (let n = 0; n < 200; n++) await master.putMessage(numbered(n, 1000));
  await expireAll(master);
  const { storePathRootDir } = master.config;
  const port = haPort(master);
  await master.close();
  const slave = await openSlave(t, port);
  const failures: StoreEventMap["error"][] = [];
  slave.on("error", (event) => failures.push(event));
  await openStore(t, { ...MASTER, haListenPort: port, storePathRootDir });
  await until(() => failures.length > 0);
  t.is(failures[0]?.code, "ERR_HA_START");
  t.is(slave.maxPhysicalOffset, 0);
});

test.serial("a fenced slave appends nothing, until the fence is lifted", async (t) => {
  const master = await openStore(t, MASTER);
  const first = await openSlave(t, master);
  await master.putMessage(numbered(0));
  await follows(first, master);
  await first.close();
  const { storePathRootDir } = first.config;
  const storage = createStorage({ kind: "real" });
  const { fence } = storePaths(storePathRootDir);
  writeStoreFence(storage, fence, { reason: "EIO", offset: first.maxPhysicalOffset, time: Date.now() });
  const fenced = await openSlave(t, master, { storePathRootDir });
  await master.putMessage(numbered(1));
  t.is(fenced.stats().state, "fenced");
  t.true(await stays(() => fenced.getMaxOffsetInQueue("TopicA", 0) === 1, 500));
  await fenced.close();
  liftStoreFence(storage, fence);
  const lifted = await openSlave(t, master, { storePathRootDir });
  await follows(lifted, master);
  t.is(lifted.getMaxOffsetInQueue("TopicA", 0), 2);
});

test.serial("a directory of a controller group does not follow a plain master", async (t) => {
  const storePathRootDir = temporaryDirectory(t);
  writeFileSync(join(storePathRootDir, "epochFileCheckpoint"), "1\n0\n1-0\n");
  await t.throwsAsync(openSlave(t, 1, { storePathRootDir }), { code: "ERR_HA_CONTROLLER" });
});
