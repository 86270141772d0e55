import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { type MessageStoreOptions, MillraceError, type MillraceErrorCode, type StoreEventMap } from "@millrace/store";
import test from "ava";
import { haPort, RawSlave, reportBytes } from "../support/raw-slave.js";
import { message, numbered, openStore } from "../support/temporary-store.js";
import { until } from "../support/until.js";

/** The machine may be busy: nobody is late before a minute, unless a test says so. */
const SYNC_MASTER = { brokerRole: "SYNC_MASTER", haListenPort: 0, slaveTimeout: 60_000 } as const;

for (const flushDiskType of ["ASYNC_FLUSH", "SYNC_FLUSH"] as const) {
  test.serial(`a put of a SYNC_MASTER is acknowledged when a slave has it, ${flushDiskType}`, async (t) => {
    const store = await openStore(t, { ...SYNC_MASTER, flushDiskType });
    const { status, appendResult } = await store.putMessage(message());
    t.is(status, "SLAVE_NOT_AVAILABLE", "and it is in the log");
    t.is(appendResult?.wroteOffset, 0);
    const slave = await RawSlave.connect(t, haPort(store));
    slave.report(0);
    await until(() => slave.end === store.maxPhysicalOffset);
    const results = await Promise.all(Array.from({ length: 200 }, (_, n) => store.putMessage(numbered(n, 1000))));
    t.deepEqual([...new Set(results.map((result) => result.status))], ["PUT_OK"]);
    t.is(slave.end, store.maxPhysicalOffset);
    const { ha } = store.stats();
    t.is(ha?.replicatedOffset !== undefined, true);
    const segments = Math.ceil(slave.end / 65_536);
    t.true(segments > 2, "it has rolled");
    const log = Buffer.concat(
      Array.from({ length: segments }, (_, n) =>
        readFileSync(join(store.config.storePathCommitLog, String(n * 65_536).padStart(20, "0"))),
      ),
    );
    t.true(slave.log.equals(log.subarray(0, slave.end)), "byte for byte");
  });
}

test.serial("a slave that says nothing makes a put FLUSH_SLAVE_TIMEOUT, and hides that the disk was late", async (t) => {
  const store = await openStore(t, { ...SYNC_MASTER, slaveTimeout: 150 });
  const slave = await RawSlave.connect(t, haPort(store));
  slave.acknowledges = false;
  slave.report(0);
  await until(() => store.stats().ha?.slaves.length === 1);
  const began = performance.now();
  const [waits, doesNot] = [store.putMessage(message()), store.putMessage(message({ waitStoreMsgOK: false }))];
  t.is((await waits).status, "FLUSH_SLAVE_TIMEOUT");
  t.true(performance.now() - began >= 149);
  t.is((await doesNot).status, "PUT_OK", "it waits for nobody");
});

test.serial("what a slave acknowledges that came while a put waited is enough, whichever of two slaves it is", async (t) => {
  const store = await openStore(t, { ...SYNC_MASTER, inSyncReplicas: 3 });
  const slaves = [await RawSlave.connect(t, haPort(store)), await RawSlave.connect(t, haPort(store))];
  for (const slave of slaves) slave.report(0);
  await until(() => store.stats().ha?.inSyncSlaves === 2);
  t.is((await store.putMessage(message())).status, "PUT_OK");
  const [, second] = slaves as [RawSlave, RawSlave];
  second.acknowledges = false;
  const before = second.end;
  let isAnswered = false;
  const put = store.putMessage(message()).then((result) => {
    isAnswered = true;
    return result;
  });
  await until(() => second.end > before);
  t.false(isAnswered, "one of the two has not said that it has it");
  second.report(second.end);
  t.is((await put).status, "PUT_OK");
});

test.serial("a slave that leaves may come back while a put waits for it", async (t) => {
  const store = await openStore(t, SYNC_MASTER);
  const slave = await RawSlave.connect(t, haPort(store));
  slave.report(0);
  await until(() => store.stats().ha?.inSyncSlaves === 1);
  t.is((await store.putMessage(message())).status, "PUT_OK");
  slave.acknowledges = false;
  const before = slave.end;
  const put = store.putMessage(message());
  await until(() => slave.end > before);
  slave.socket.destroy();
  await until(() => store.stats().ha?.slaves.length === 0);
  const back = await RawSlave.connect(t, haPort(store));
  back.report(10);
  t.is((await put).status, "PUT_OK");
});

test.serial("below minInSyncReplicas nothing is put", async (t) => {
  const store = await openStore(t, { ...SYNC_MASTER, minInSyncReplicas: 2 });
  const refused = await store.putMessage(message());
  t.is(refused.status, "IN_SYNC_REPLICAS_NOT_ENOUGH");
  t.is(refused.code, "ERR_HA_REPLICAS");
  t.is(store.maxPhysicalOffset, 0);
  const slave = await RawSlave.connect(t, haPort(store));
  slave.report(0);
  await until(async () => (await store.putMessage(message())).status === "PUT_OK");
});

test.serial("enableAutoInSyncReplicas lets a put be acknowledged with those that are there", async (t) => {
  const store = await openStore(t, { ...SYNC_MASTER, inSyncReplicas: 3, enableAutoInSyncReplicas: true });
  t.is((await store.putMessage(message())).status, "PUT_OK");
  const slave = await RawSlave.connect(t, haPort(store));
  slave.report(0);
  await until(() => store.stats().ha?.inSyncSlaves === 1);
  await until(() => slave.end === store.maxPhysicalOffset);
  slave.acknowledges = false;
  const before = slave.end;
  let isAnswered = false;
  const put = store.putMessage(message()).then((result) => {
    isAnswered = true;
    return result;
  });
  await until(() => slave.end > before);
  t.false(isAnswered);
  slave.report(slave.end);
  t.is((await put).status, "PUT_OK");
});

test.serial("an ASYNC_MASTER waits for no slave, and sends without being asked twice", async (t) => {
  const store = await openStore(t, { haListenPort: 0 });
  const slave = await RawSlave.connect(t, haPort(store));
  slave.acknowledges = false;
  slave.report(0);
  await until(() => store.stats().ha?.slaves.length === 1);
  t.is((await store.putMessage(message())).status, "PUT_OK");
  await until(() => slave.end === store.maxPhysicalOffset);
});

const LIES: readonly [string, number[], MillraceErrorCode][] = [
  ["its first report is beyond the end", [9_999_999], "ERR_HA_DIVERGED"],
  ["it reports what was not sent", [1, 2_000_000], "ERR_HA_REPORT"],
  ["it is a handshake of controller mode", [0x1_0000_0000, 2], "ERR_HA_DIVERGED"],
  ["it is an HTTP request", [0x4745_5420_2f20_4800], "ERR_HA_REPORT"],
];

for (const [what, reports, code] of LIES) {
  test.serial(`a stranger is refused, and acknowledges nothing: ${what}`, async (t) => {
    const store = await openStore(t, { ...SYNC_MASTER, slaveTimeout: 100 });
    await store.putMessage(message());
    const failures: StoreEventMap["error"][] = [];
    store.on("error", (event) => failures.push(event));
    const stranger = await RawSlave.connect(t, haPort(store));
    stranger.socket.write(Buffer.concat(reports.map((offset) => reportBytes(offset))));
    await stranger.closed();
    await until(() => failures.length > 0);
    t.is(failures[0]?.code, code);
    const { status } = await store.putMessage(message());
    t.true(status === "SLAVE_NOT_AVAILABLE" || status === "FLUSH_SLAVE_TIMEOUT", status);
    t.is(store.stats().ha?.replicatedOffset, 0);
  });
}

test.serial("a slave that stays silent is given up, one that is idle is not", async (t) => {
  const store = await openStore(t, { haListenPort: 0, haHousekeepingInterval: 1500, haSendHeartbeatInterval: 50 });
  const [silent, idle] = [await RawSlave.connect(t, haPort(store)), await RawSlave.connect(t, haPort(store))];
  const reports = setInterval(() => idle.report(0), 50);
  await silent.closed();
  await until(() => idle.signsOfLife > 2);
  clearInterval(reports);
  t.false(idle.isClosed);
});

test.serial("whoever is not in haPeers is refused", async (t) => {
  const store = await openStore(t, { haListenPort: 0, haPeers: ["10.0.0.0/8", "::1"] });
  const stranger = await RawSlave.connect(t, haPort(store));
  await stranger.closed();
  const known = await openStore(t, { haListenPort: 0, haPeers: ["127.0.0.0/8"] });
  const slave = await RawSlave.connect(t, haPort(known));
  slave.report(0);
  await until(() => known.stats().ha?.slaves.length === 1);
  t.pass();
});

test.serial("a slave whose connection is reset is said to have left for that", async (t) => {
  const store = await openStore(t, { haListenPort: 0 });
  const reasons: string[] = [];
  store.on("slaveLeft", ({ reason }) => reasons.push(reason));
  const slave = await RawSlave.connect(t, haPort(store));
  slave.report(0);
  await until(() => store.stats().ha?.slaves.length === 1);
  slave.socket.resetAndDestroy();
  await until(() => reasons.length > 0);
  t.regex(reasons[0] ?? "", /ECONNRESET|EPIPE/);
});

test.serial("who is gone before it is accepted is nobody, and not said to be refused", async (t) => {
  const store = await openStore(t, { haListenPort: 0, haPeers: ["127.0.0.0/8"] });
  const refused: string[] = [];
  store.on("error", ({ code, message }) => {
    if (code !== "ERR_HA_SILENT") refused.push(message); // that is told to those who are there, and too many
  });
  const port = haPort(store);
  for (let round = 0; round < 5; round++) {
    const sockets = Array.from({ length: 100 }, () => connect(port, "127.0.0.1"));
    await Promise.all(sockets.map((socket) => once(socket, "connect").then(() => socket.resetAndDestroy())));
  }
  const slave = await RawSlave.connect(t, port);
  slave.report(0);
  await until(() => store.stats().ha?.slaves.length === 1);
  t.deepEqual(refused, []);
});

test.serial("slaves that join and leave are events, with where they begin and why they end", async (t) => {
  const store = await openStore(t, { haListenPort: 0 });
  const events: string[] = [];
  store.on("slaveJoined", ({ fromOffset }) => events.push(`joined ${fromOffset}`));
  store.on("slaveLeft", ({ reason }) => events.push(`left ${reason}`));
  const slave = await RawSlave.connect(t, haPort(store));
  slave.report(0);
  await until(() => events.length === 1);
  slave.socket.end(); // what it has not read would make it a reset
  await until(() => events.length === 2);
  t.deepEqual(events, ["joined 0", "left the connection was closed"]);
});

test.serial("a store that is closed ends its slaves, and puts that wait for them end too", async (t) => {
  const store = await openStore(t, { ...SYNC_MASTER, slaveTimeout: 300 });
  const slave = await RawSlave.connect(t, haPort(store));
  slave.acknowledges = false;
  slave.report(0);
  await until(() => store.stats().ha?.slaves.length === 1);
  const put = store.putMessage(message());
  await store.close();
  t.is((await put).status, "FLUSH_SLAVE_TIMEOUT");
  await slave.closed();
});

test.serial("a port that is taken fails the opening with its code, and leaves nothing open", async (t) => {
  const store = await openStore(t, { haListenPort: 0 });
  const options: MessageStoreOptions = { haListenPort: haPort(store) };
  const error = await t.throwsAsync<MillraceError>(() => openStore(t, options));
  t.is(error?.code, "ERR_PIPELINE_START");
  t.regex(error?.message ?? "", /haListenPort=\d+ reason=listen EADDRINUSE/);
});

const CONTRADICTIONS: readonly MessageStoreOptions[] = [
  { brokerRole: "SYNC_MASTER" },
  { brokerRole: "SLAVE" },
  { haMasterAddress: "127.0.0.1:10912" },
  { brokerRole: "SLAVE", haMasterAddress: "127.0.0.1:10912", haListenPort: 0 },
  { brokerRole: "SLAVE", haMasterAddress: "127.0.0.1:10912", transientStorePoolEnable: true },
  { ...SYNC_MASTER, minInSyncReplicas: 3 },
];

test.serial("options of replication that contradict each other are refused", async (t) => {
  for (const options of CONTRADICTIONS) {
    await t.throwsAsync(() => openStore(t, options), { instanceOf: MillraceError, code: "ERR_OPTION_CONTRADICTORY" });
  }
});

const ILLEGAL: readonly MessageStoreOptions[] = [
  { brokerRole: "MASTER" as never },
  { haListenPort: 65_536 },
  { haListenAddress: "localhost" },
  { haPeers: ["10.0.0.0/33"] },
  { haPeers: ["somewhere"] },
  { brokerRole: "SLAVE", haMasterAddress: "127.0.0.1" },
  { brokerRole: "SLAVE", haMasterAddress: "127.0.0.1:0" },
  { haTransferBatchSize: 0 },
  { haTransferBatchSize: 4 * 1024 * 1024 },
  { inSyncReplicas: 0 },
];

test.serial("options of replication that are none are refused", async (t) => {
  for (const options of ILLEGAL) {
    await t.throwsAsync(() => openStore(t, options), { instanceOf: MillraceError, code: "ERR_OPTION_ILLEGAL" });
  }
});
