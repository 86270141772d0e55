import type { Worker } from "node:worker_threads";
import type { Fault } from "@millrace/mapped-file";
import type { MessageStoreOptions } from "@millrace/store";
import test from "ava";
import { haPort, RawSlave } from "../support/raw-slave.js";
import { readLog } from "../support/stored-log.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { message, numbered, openStore, outcomes } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const FAULTED = { code: "ERR_STORE_FAULTED", outcome: "unknown" };

/** Each of these ends a service in the middle of its work. */
const deaths: { service: string; options: MessageStoreOptions; fault: Fault }[] = [
  {
    service: "append",
    options: { writeWithoutMmap: true },
    fault: { operation: "write", path: "commitlog", after: 30, code: "EIO" },
  },
  { service: "append", options: {}, fault: { operation: "map", path: "commitlog", after: 0, code: "EIO" } },
  {
    service: "flush",
    options: { transientStorePoolEnable: true, commitIntervalCommitLog: 1, commitCommitLogLeastPages: 0 },
    fault: { operation: "write", path: "commitlog", after: 30, code: "EIO" },
  },
];

/** On a busy machine, too; far below the time-outs by which a put would settle otherwise. */
const SOON_MS = 6000;
const LANE_PUTS = 50;

for (const { service, options, fault } of deaths) {
  test.serial(`${service} dies of ${fault.operation}: the store is faulted, and every put settles soon`, async (t) => {
    const store = await openStore(t, options, [fault]);
    let refused = 0;
    let lastAccepted = 0;
    for (let n = 0; refused === 0 && n < 300; n++) {
      const began = performance.now();
      const settled = await outcomes([store.putMessage(numbered(n)), store.putMessages([numbered(n), numbered(n)])]);
      t.true(performance.now() - began < SOON_MS);
      for (const outcome of settled) {
        if (!("status" in outcome)) t.deepEqual(outcome, FAULTED);
        if (!("status" in outcome)) refused++;
        else lastAccepted = outcome.appendResult?.wroteOffset ?? 0;
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    t.true(refused > 0);
    t.deepEqual(await outcomes([store.putMessage(numbered(0))]), [FAULTED]);
    await t.throwsAsync(store.flush(), { code: "ERR_STORE_FAULTED", message: new RegExp(`service=${service}`) });
    t.is(store.stats().state, "faulted");
    t.is(store.stats().services.find(({ name }) => name === service)?.state, "failed");
    await t.throwsAsync(store.close(), { code: "ERR_STORE_FAULTED" });
    const reopened = await openStore(t, { storePathRootDir: store.config.storePathRootDir });
    t.false(reopened.recovery.lastExitOk);
    if (options.transientStorePoolEnable !== true) t.true(lastAccepted === 0 || reopened.maxPhysicalOffset > lastAccepted);
    t.is((await reopened.putMessage(numbered(0))).status, "PUT_OK");
    await reopened.close();
    t.is(readLog(store.config.storePathRootDir).ending, "EMPTY");
  });
}

test.serial("puts in flight when the appender dies are unknown, those behind them too", async (t) => {
  const fault: Fault = { operation: "write", path: "commitlog", after: 20, code: "EIO", partialBytes: 100 };
  const store = await openStore(t, { writeWithoutMmap: true, flushDiskType: "SYNC_FLUSH" }, [fault]);
  for (let n = 0; n < 10; n++) await store.putMessage(message());
  const began = performance.now();
  const all = [];
  for (let round = 0; round < 40; round++) {
    for (let n = 0; n < 50; n++) all.push(store.putMessage(numbered(n, 100)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const settled = await outcomes(all);
  t.true(performance.now() - began < SOON_MS);
  const firstRefused = settled.findIndex((outcome) => "code" in outcome);
  t.true(firstRefused >= 0);
  t.deepEqual(settled.slice(firstRefused), Array(settled.length - firstRefused).fill(FAULTED));
  t.true(settled.slice(0, firstRefused).every((outcome) => "status" in outcome && outcome.status === "PUT_OK"));
});

test.serial("an allocator that cannot clean up behind itself is told when the store closes, and nothing is lost", async (t) => {
  const store = await openStore(t, {}, [{ operation: "remove", path: "commitlog/0", after: 0, code: "EROFS" }]);
  for (let n = 0; n < 10; n++) await store.putMessage(numbered(n));
  await t.throwsAsync(store.close(), { code: "ERR_STORE_FAULTED", message: /service=allocate code=EROFS/ });
  const reopened = await openStore(t, { storePathRootDir: store.config.storePathRootDir });
  t.is(reopened.recovery.messages, 10);
  t.true(reopened.recovery.emptySegmentsRemoved.length > 0);
});

for (const brokerRole of ["ASYNC_MASTER", "SYNC_MASTER"] as const) {
  test.serial(
    `a ${brokerRole} whose replicate thread dies is faulted, and every put settles: nobody else would say it`,
    async (t) => {
      const threads: Worker[] = [];
      const onThread = (thread: Worker): number => threads.push(thread);
      process.on("worker", onThread);
      const store = await openStore(t, { brokerRole, haListenPort: 0, slaveTimeout: 60_000 });
      process.off("worker", onThread);
      const slave = await RawSlave.connect(t, haPort(store));
      slave.report(0);
      await until(() => store.stats().ha?.inSyncSlaves === 1);
      // So many that the appender sends itself, and has the slave's socket.
      for (let n = 0; n < LANE_PUTS; n++) t.is((await store.putMessage(numbered(n))).status, "PUT_OK");
      slave.acknowledges = false;
      const told: string[] = [];
      store.on("faulted", ({ service, code }) => told.push(`${service} ${code}`));
      const waiting = outcomes([store.putMessage(numbered(1)), store.putMessages([numbered(2), numbered(3)])]);
      await until(() => slave.end === store.maxPhysicalOffset && store.stats().append.messages === LANE_PUTS + 3);
      await threads.at(-1)?.terminate();
      for (const outcome of await waiting) {
        if (brokerRole === "SYNC_MASTER") t.deepEqual(outcome, FAULTED);
        else t.like(outcome, { status: "PUT_OK" });
      }
      await until(() => told.length > 0);
      t.is(store.stats().state, "faulted");
      t.deepEqual(told, ["replicate ERR_STORE_FAULTED"]);
      t.deepEqual(await outcomes([store.putMessage(numbered(4))]), [FAULTED]);
      await slave.closed();
      await t.throwsAsync(store.close(), { code: "ERR_STORE_FAULTED", message: /service=replicate code=ERR_SERVICE_DIED/ });
      const reopened = await openStore(t, { storePathRootDir: store.config.storePathRootDir });
      t.is(reopened.getMaxOffsetInQueue("TopicA", 0), LANE_PUTS + 3);
    },
  );
}

test.serial("a store whose threads cannot start says so, and gives the lock back", async (t) => {
  const root = temporaryDirectory(t);
  const fault: Fault = { operation: "open", path: "millrace.watermark", after: 1, code: "EMFILE" };
  await t.throwsAsync(openStore(t, { storePathRootDir: root }, [fault]), { code: "ERR_PIPELINE_START", message: /EMFILE/ });
  const store = await openStore(t, { storePathRootDir: root });
  t.is((await store.putMessage(numbered(1))).status, "PUT_OK");
});
