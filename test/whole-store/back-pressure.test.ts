import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate } from "node:timers/promises";
import type { Fault } from "@millrace/mapped-file";
import type { MessageStore, MessageStoreOptions, PutMessageResult } from "@millrace/store";
import { MessageProducer } from "@millrace/store/producer";
import test, { type ExecutionContext } from "ava";
import { readLog } from "../support/stored-log.js";
import { KIB, message, numbered, numberOf, openStore, outcomes } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const RING = 128 * KIB;
const BODY = 8000;
/** So many records of this size fill the ring. */
const FITS = 16;
const STALL_MS = 600;

/** For what main has to see before the stall is over, however seldom a busy machine gives it a core. */
const LONG_STALL_MS = 3000;

/** A store whose first write takes a while: what is put until then stays in the ring. */
async function stalledStore(t: ExecutionContext, options: MessageStoreOptions, stallMs = STALL_MS): Promise<MessageStore> {
  const slow: Fault = { operation: "write", path: "commitlog", after: 0, times: 1, delayMs: stallMs };
  return await openStore(
    t,
    { writeWithoutMmap: true, putRingSize: RING, maxMessageSize: 10_000, osPageCacheBusyTimeOutMills: 60_000, ...options },
    [slow],
  );
}

test.serial("a full ring makes puts wait, in order, and all of them arrive once", async (t) => {
  const store = await openStore(t, { putRingSize: RING, maxMessageSize: 10_000 });
  const puts = Array.from({ length: 300 }, (_, n) => store.putMessage(numbered(n, n % 3 === 0 ? BODY : 30)));
  t.true(store.stats().put.waiting > 0);
  const results = await Promise.all(puts);
  t.deepEqual(
    results.map(({ appendResult }) => appendResult?.queueOffset),
    results.map((_, n) => n),
  );
  await store.close();
  const { messages } = readLog(store.config.storePathRootDir);
  t.deepEqual(
    messages.map(({ body }) => numberOf(body)),
    messages.map((_, n) => n),
  );
  t.is(messages.length, 300);
  const { stalls, waiting, inFlight } = store.stats().put;
  t.true(stalls > 0);
  t.deepEqual([waiting, inFlight], [0, 0]);
});

test.serial("a full ring rejects at once where that is wanted, and takes puts again when there is room", async (t) => {
  const store = await stalledStore(t, { backPressure: "reject" });
  const puts = Array.from({ length: FITS + 3 }, (_, n) => store.putMessage(numbered(n, BODY)));
  const settled = await outcomes(puts);
  await t.throwsAsync(puts[FITS] as Promise<unknown>, { message: /putRingSize=131072 backPressure=reject$/ });
  t.true(settled.slice(0, FITS).every((outcome) => "status" in outcome && outcome.status === "PUT_OK"));
  t.deepEqual(settled.slice(FITS), Array(3).fill({ code: "ERR_RING_FULL", outcome: "none" }));
  t.is((await store.putMessage(numbered(FITS, BODY))).appendResult?.queueOffset, FITS);
  t.like(store.stats().put, { failed: 3, stalls: 3, messages: FITS + 1 });
});

test.serial(
  "a producer's puts that find its ring full, or wait in vain, are counted among the failed, when it is gone too",
  async (t) => {
    const store = await stalledStore(t, { maxAsyncPutMessageRequests: 2, putMessageTimeout: 100 }, LONG_STALL_MS);
    const producer = MessageProducer.attach(store.producerHandle());
    const puts = Array.from({ length: FITS + 5 }, (_, n) => producer.putMessage(numbered(n, BODY)));
    const settled = await outcomes(puts);
    const failed = settled.filter((outcome) => "code" in outcome).length;
    t.true(failed > 0);
    const { put, runtimeInfo } = store.stats();
    t.deepEqual([put.failed, put.messages], [failed, puts.length - failed]);
    t.is(runtimeInfo.putMessageFailedTimes, String(failed));
    await producer.close();
    t.is(store.stats().put.failed, failed);
  },
);

test.serial("a producer's first put to a queue waits for its slot, also where nothing waits for room", async (t) => {
  const store = await openStore(t, { backPressure: "reject" });
  await using producer = MessageProducer.attach(store.producerHandle());
  const settled = await outcomes([0, 1, 2].map((n) => producer.putMessage(numbered(n))));
  t.true(settled.every((outcome) => "status" in outcome && outcome.status === "PUT_OK"));
  t.is(store.stats().put.stalls, 0);
});

test.serial("no more puts wait than may", async (t) => {
  const store = await stalledStore(t, { maxAsyncPutMessageRequests: 2 });
  const puts = Array.from({ length: FITS + 5 }, (_, n) => store.putMessage(numbered(n, BODY)));
  const settled = await outcomes(puts);
  await t.throwsAsync(puts[FITS + 2] as Promise<unknown>, {
    message: /drained.*writable.*putRingSize=131072 maxAsyncPutMessageRequests=2 maxAsyncPutMessageBytes=268435456$/,
  });
  t.deepEqual(settled.slice(FITS + 2), Array(3).fill({ code: "ERR_RING_FULL", outcome: "none" }));
  t.true(settled.slice(0, FITS + 2).every((outcome) => "status" in outcome && outcome.status === "PUT_OK"));
});

test.serial("no more bytes wait than may; what is answered makes room again", async (t) => {
  const store = await stalledStore(t, { maxAsyncPutMessageBytes: 2 * BODY + 1000 });
  const puts = Array.from({ length: FITS + 5 }, (_, n) => store.putMessage(numbered(n, BODY)));
  const settled = await outcomes(puts);
  t.deepEqual(settled.slice(FITS + 2), Array(3).fill({ code: "ERR_RING_FULL", outcome: "none" }));
  t.true(settled.slice(0, FITS + 2).every((outcome) => "status" in outcome && outcome.status === "PUT_OK"));
  const again = await outcomes(Array.from({ length: FITS + 2 }, (_, n) => store.putMessage(numbered(n, BODY))));
  t.true(again.every((outcome) => "status" in outcome && outcome.status === "PUT_OK"));
});

test.serial("fifty thousand puts at once are all put, in order, and can be waited for", async (t) => {
  const store = await openStore(t, { mappedFileSizeCommitLog: 4096 * KIB, messageIndexEnable: false });
  const puts = Array.from({ length: 50_000 }, (_, n) => store.putMessage(numbered(n)));
  t.true(store.stats().put.waiting > 5000);
  await store.drained(1000);
  const { inFlight, waiting } = store.stats().put;
  t.true(inFlight + waiting <= 1000 && inFlight + waiting > 0, `inFlight=${inFlight} waiting=${waiting}`);
  await store.drained();
  t.like(store.stats().put, { inFlight: 0, waiting: 0, failed: 0, messages: 50_000 });
  const results = await Promise.all(puts);
  t.true(results.every(({ status, appendResult }, n) => status === "PUT_OK" && appendResult?.queueOffset === n));
  await t.throwsAsync(store.drained(-1), { code: "ERR_LIMIT_ILLEGAL" });
  await store.close();
  await store.drained();
});

test.serial("a stream of messages is put in order, slowed down by the store, and finishes when all are acknowledged", async (t) => {
  const store = await openStore(t, { putRingSize: RING, maxMessageSize: 10_000 });
  let most = 0;
  const source = Readable.from(
    (function* () {
      for (let n = 0; n < 3000; n++) {
        most = Math.max(most, store.stats().put.inFlight + store.stats().put.waiting);
        yield numbered(n, 100);
      }
    })(),
  );
  await pipeline(source, store.writable({ highWaterMark: 20 }));
  t.true(most > 1 && most <= 20, `most=${most}`);
  t.like(store.stats().put, { messages: 3000, failed: 0, inFlight: 0 });
  await store.close();
  t.deepEqual(
    readLog(store.config.storePathRootDir).messages.map(({ body }) => numberOf(body)),
    Array.from({ length: 3000 }, (_, n) => n),
  );
});

test.serial("a stream ends with the error of a message that is not put", async (t) => {
  const store = await openStore(t, { maxMessageSize: 10_000 });
  const bad = pipeline(Readable.from([numbered(0), numbered(1, 10_001), numbered(2)]), store.writable());
  await t.throwsAsync(bad, { code: "ERR_BODY_TOO_LARGE" });
  await t.throwsAsync(pipeline(Readable.from([message({ topic: "" })]), store.writable()), { code: "ERR_TOPIC_ILLEGAL" });
  t.throws(() => store.writable({ highWaterMark: 0 }), { code: "ERR_LIMIT_ILLEGAL" });
  t.throws(() => store.writable({ highWatermark: 1 } as never), { code: "ERR_LIMIT_ILLEGAL", message: /highWaterMark/ });
  await store.close();
  t.throws(() => store.writable(), { code: "ERR_STORE_CLOSED" });
});

test.serial("a stream in SYNC_FLUSH forces at its end what was not forced in time", async (t) => {
  const slow: Fault = { operation: "force", path: "commitlog/0", after: 0, times: 1, delayMs: 400 };
  const store = await openStore(t, { flushDiskType: "SYNC_FLUSH", syncFlushTimeout: 50 }, [slow]);
  await pipeline(Readable.from([numbered(0), numbered(1)]), store.writable());
  t.is(store.flushedOffset, store.maxPhysicalOffset);
});

test.serial("a put that waits too long for the ring is given up, and leaves nothing", async (t) => {
  const store = await stalledStore(t, { putMessageTimeout: 100 }, LONG_STALL_MS);
  const began = performance.now();
  const puts = Array.from({ length: FITS + 2 }, (_, n) => store.putMessage(numbered(n, BODY)));
  t.deepEqual(await outcomes(puts.slice(FITS)), Array(2).fill({ code: "ERR_PUT_TIMEOUT", outcome: "none" }));
  await t.throwsAsync(puts[FITS] as Promise<unknown>, {
    message: /drained.*writable.*: putRingSize=131072 putMessageTimeout=100$/,
  });
  const waited = performance.now() - began;
  t.true(waited >= 100 && waited < LONG_STALL_MS, `waited ms=${waited}`);
  t.true((await Promise.all(puts.slice(0, FITS))).every(({ status }) => status === "PUT_OK"));
  t.is((await store.putMessage(numbered(0))).appendResult?.queueOffset, FITS);
});

test.serial("a bad put is refused at once, even when others wait", async (t) => {
  const store = await stalledStore(t, {});
  const puts = Array.from({ length: FITS + 2 }, (_, n) => store.putMessage(numbered(n, BODY)));
  await t.throwsAsync(store.putMessage(message({ topic: "" })), { code: "ERR_TOPIC_ILLEGAL" });
  t.is((await store.putMessage(numbered(0, 10_001))).status, "MESSAGE_ILLEGAL");
  t.is(store.stats().put.waiting, 2);
  t.true((await Promise.all(puts)).every(({ status }) => status === "PUT_OK"));
});

test.serial("an appender that is stuck is told to the producers", async (t) => {
  const store = await stalledStore(t, { osPageCacheBusyTimeOutMills: 50 }, LONG_STALL_MS);
  const taken: Promise<PutMessageResult>[] = [];
  let refused: PutMessageResult | undefined;
  await until(async () => {
    const put = store.putMessage(numbered(taken.length));
    refused = (await Promise.race([put, setImmediate()])) ?? undefined;
    if (refused?.status !== "OS_PAGE_CACHE_BUSY") taken.push(put);
    return refused?.status === "OS_PAGE_CACHE_BUSY";
  });
  t.like(refused, { code: "ERR_OS_PAGE_CACHE_BUSY", appendResult: null });
  t.true((await Promise.all(taken)).every(({ status }) => status === "PUT_OK"));
  t.is((await store.putMessage(numbered(taken.length))).appendResult?.queueOffset, taken.length);
});

test.serial("closing lets waiting puts in before it ends", async (t) => {
  const store = await stalledStore(t, {});
  const puts = Array.from({ length: FITS + 20 }, (_, n) => store.putMessage(numbered(n, BODY)));
  await store.close();
  t.true((await Promise.all(puts)).every(({ status }) => status === "PUT_OK"));
  t.is(readLog(store.config.storePathRootDir).messages.length, FITS + 20);
});
