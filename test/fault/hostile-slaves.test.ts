import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { MessageStore } from "@millrace/store";
import test from "ava";
import { chosenSeed, type Random, seededRandom } from "../support/random.js";
import { haPort, RawSlave, reportBytes } from "../support/raw-slave.js";
import { numbered, openStore } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const SYNC_MASTER = { brokerRole: "SYNC_MASTER", haListenPort: 0, slaveTimeout: 60_000 } as const;
const STRANGERS = Number(process.env.MILLRACE_STRANGERS ?? 300);
const AT_A_TIME = 30;
/** What all of them together may cost: each is given a frame of 32 KiB, and is gone again. */
const MEMORY_MOST = 96 * 2 ** 20;

async function strangerTo(store: MessageStore): Promise<Socket> {
  const socket = connect(haPort(store), "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

function randomBytes(random: Random, length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, () => random(256)));
}

/** What strangers do, each by itself. The last two are slow, and never read what they are sent. */
const KINDS: readonly ((socket: Socket, random: Random, end: number) => void)[] = [
  (socket, random) => socket.write(randomBytes(random, 1 + random(4000))),
  (socket, random) => socket.write(randomBytes(random, 1 + random(7))),
  (socket) => socket.write(Buffer.alloc(64, 0xff)),
  (socket, random, end) => socket.write(Buffer.concat([reportBytes(random(end)), reportBytes(end + 1 + random(1000))])),
  (socket, random, end) => socket.write(Buffer.concat([reportBytes(end), randomBytes(random, random(100))])),
  (socket, random, end) => socket.write(reportBytes(end + 1 + random(2 ** 31))),
  (socket) => socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
  (socket, random, end) => {
    const bytes = Buffer.concat([reportBytes(0), reportBytes(random(end))]);
    for (const byte of bytes) socket.write(Buffer.of(byte));
  },
  (socket) => {
    socket.pause();
    socket.write(reportBytes(0));
  },
];

test.serial("strangers who send rubbish are refused one by one, and neither puts nor a slave notice them", async (t) => {
  const seed = chosenSeed();
  t.log(`seed=${seed}`);
  const random = seededRandom(seed);
  const store = await openStore(t, SYNC_MASTER);
  const codes = new Set<string>();
  for (const name of ["error", "diverged"] as const) store.on(name, ({ code }) => codes.add(code));
  const slave = await RawSlave.connect(t, haPort(store));
  slave.report(0);
  await until(() => store.stats().ha?.inSyncSlaves === 1);
  const put = async (n: number): Promise<void> => {
    const results = await Promise.all(Array.from({ length: 20 }, (_, i) => store.putMessage(numbered(n + i, 1000))));
    t.deepEqual([...new Set(results.map(({ status }) => status))], ["PUT_OK"]);
  };
  await put(0);
  const before = process.memoryUsage.rss();
  for (let done = 0; done < STRANGERS; done += AT_A_TIME) {
    const sockets = await Promise.all(Array.from({ length: AT_A_TIME }, () => strangerTo(store)));
    for (const socket of sockets) KINDS[random(KINDS.length)]?.(socket, random, store.maxPhysicalOffset);
    await put(done);
    for (const socket of sockets) socket.destroy(); // what it has not read makes of its end a reset
  }
  await until(() => store.stats().ha?.slaves.length === 1);
  t.false(slave.isClosed);
  t.is(slave.end, store.maxPhysicalOffset);
  t.true(process.memoryUsage.rss() - before < MEMORY_MOST, `${process.memoryUsage.rss() - before}`);
  t.true(codes.size > 1, [...codes].join());
  t.deepEqual(
    [...codes].filter((code) => !code.startsWith("ERR_HA_")),
    [],
  );
  await t.notThrowsAsync(store.close());
});

test.serial("strangers who say nothing do not keep a slave out", async (t) => {
  const store = await openStore(t, SYNC_MASTER);
  const strangers = await Promise.all(Array.from({ length: 80 }, () => strangerTo(store)));
  t.teardown(() => strangers.map((socket) => socket.destroy()));
  const slave = await RawSlave.connect(t, haPort(store));
  slave.report(0);
  await until(() => store.stats().ha?.inSyncSlaves === 1);
  t.is((await store.putMessage(numbered(1))).status, "PUT_OK");
  t.false(slave.isClosed);
});
