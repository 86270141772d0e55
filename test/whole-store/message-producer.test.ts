import { once } from "node:events";
import { join } from "node:path";
import { type MessagePort, Worker } from "node:worker_threads";
import { ControlPort } from "@millrace/shared-memory";
import { MessageStore, type MessageStoreOptions } from "@millrace/store";
import { MessageProducer } from "@millrace/store/producer";
import test, { type ExecutionContext } from "ava";
import type { StoreFace } from "#store/produce/producer-handle.js";
import { PATIENCE } from "../support/patience.js";
import { chosenSeed, seededRandom } from "../support/random.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { dispatchedAll, until } from "../support/until.js";
import type { Acknowledged, ProducingOrder } from "./producing-worker.js";

const PRODUCING = join(import.meta.dirname, "producing-worker.js");
const BUSY = join(import.meta.dirname, "busy-producer-worker.js");
/** MILLRACE_PRODUCER_KILLS asks for hundreds. */
const KILLS = Number(process.env.MILLRACE_PRODUCER_KILLS ?? 12);
const MIB = 1024 * 1024;

interface Ended {
  readonly acknowledged: Acknowledged[];
  readonly failure: { code: string | undefined; message: string } | undefined;
}

class Producing {
  readonly worker = new Worker(PRODUCING);
  readonly acknowledged: Acknowledged[] = [];
  readonly ended: Promise<Ended>;

  constructor(store: MessageStore, name: string, order: Partial<ProducingOrder> = {}) {
    const handle = store.producerHandle();
    const all = { name, topic: "P", queues: 3, count: 500, window: 100, bodyLength: 100, closes: true, ...order };
    this.ended = new Promise((resolve, reject) => {
      this.worker.on("error", reject);
      this.worker.on("exit", () => resolve({ acknowledged: this.acknowledged, failure: undefined }));
      this.worker.on("message", (message: Acknowledged | { end: string; failure: Ended["failure"] }) => {
        if ("end" in message) resolve({ acknowledged: this.acknowledged, failure: message.failure });
        else this.acknowledged.push(message);
      });
    });
    this.worker.postMessage({ handle, ...all }, handle.transferList);
  }
}

async function openStore(t: ExecutionContext, options: MessageStoreOptions = {}): Promise<MessageStore> {
  const storePathRootDir = temporaryDirectory(t);
  const store = await MessageStore.open({ ...PATIENCE, storePathRootDir, mappedFileSizeCommitLog: 4 * MIB, ...options });
  t.teardown(() => store.close().catch(() => {}));
  return store;
}

/** Every acknowledged message is where it was said to be; each producer's are in order, once. */
async function checkStored(
  t: ExecutionContext,
  store: MessageStore,
  names: readonly string[],
  acknowledged: Acknowledged[],
): Promise<void> {
  await dispatchedAll(store);
  const keys = new Map<string, string>();
  const lastOf = new Map<string, number>();
  for (let queueId = 0; queueId < 3; queueId++) {
    for (let offset = 0; offset < store.getMaxOffsetInQueue("P", queueId); offset++) {
      const { messages } = store.getMessage({ topic: "P", queueId, queueOffset: offset, maxMessages: 1 });
      const key = messages[0]?.keys[0] ?? "";
      const [name = "", sequence = ""] = key.split(":");
      if (!names.includes(name) || keys.has(key)) return t.fail(`stored twice, or nobody's: ${key}`);
      const last = lastOf.get(`${name} ${queueId}`) ?? -1;
      if (Number(sequence) <= last) return t.fail(`out of order: ${key} after ${last}`);
      lastOf.set(`${name} ${queueId}`, Number(sequence));
      keys.set(key, `${queueId} ${offset}`);
    }
  }
  for (const { name, sequence, queueId, queueOffset } of acknowledged) {
    if (keys.get(`${name}:${sequence}`) !== `${queueId} ${queueOffset}`)
      return t.fail(`acknowledged, and not there: ${name}:${sequence}`);
  }
}

test("a store can be closed, and a topic deleted, while producers are just going", async (t) => {
  for (let life = 0; life < 3; life++) {
    const store = await openStore(t);
    const producing = Array.from({ length: 4 }, (_, n) => new Producing(store, `p${n}`, { count: 20 }));
    await Promise.race(producing.map(({ ended }) => ended));
    await store.deleteTopic("Nothing");
    await t.notThrowsAsync(store.close());
    await Promise.all(producing.map(({ worker }) => worker.terminate()));
  }
});

for (const flushDiskType of ["ASYNC_FLUSH", "SYNC_FLUSH"] as const) {
  test(`threads put beside the store's own, each in its order, and every message is found: ${flushDiskType}`, async (t) => {
    const store = await openStore(t, { flushDiskType });
    const producing = ["a", "b", "c"].map((name) => new Producing(store, name));
    const own = await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        store.putMessage({ topic: "P", queueId: i % 3, body: Buffer.alloc(50), keys: `main:${i}` }),
      ),
    );
    const ended = await Promise.all(producing.map((one) => one.ended));
    for (const { acknowledged, failure } of ended) {
      t.is(failure, undefined);
      t.deepEqual(
        acknowledged.map(({ sequence }) => sequence),
        Array.from({ length: 500 }, (_, i) => i),
        "acknowledged in order",
      );
    }
    t.true(own.every(({ status }) => status === "PUT_OK"));
    await checkStored(
      t,
      store,
      ["main", "a", "b", "c"],
      ended.flatMap(({ acknowledged }) => acknowledged),
    );
    const { put } = store.stats();
    t.deepEqual([put.messages, put.topics.find(({ topic }) => topic === "P")?.messages], [1800, 1800]);
  });
}

test("a producer that is killed has put nothing half, and its ring serves the next one", async (t) => {
  const seed = chosenSeed();
  t.log(`seed=${seed} kills=${KILLS}`);
  const random = seededRandom(seed);
  const store = await openStore(t, { putRingSize: 128 * 1024, maxMessageSize: 1024, mappedFileSizeCommitLog: MIB });
  const names: string[] = [];
  const acknowledged: Acknowledged[] = [];
  for (let round = 0; round < KILLS; round++) {
    const two = ["x", "y"].map((letter) => {
      const name = `${letter}${round}`;
      names.push(name);
      return new Producing(store, name, { count: 0, window: 1 + random(200), bodyLength: random(900) });
    });
    const deadline = Date.now() + 10_000;
    const enough = random(300);
    while (two.some((one) => one.acknowledged.length < enough) && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 1));
    await Promise.all(two.map((one) => one.worker.terminate()));
    for (const one of two) acknowledged.push(...one.acknowledged);
  }
  t.true(acknowledged.length > 0);
  await checkStored(t, store, names, acknowledged);
});

test("close refuses what producers put from then on, and keeps what they have put", async (t) => {
  const storePathRootDir = temporaryDirectory(t);
  const store = await MessageStore.open({ storePathRootDir });
  const producing = new Producing(store, "late", { count: 0, closes: false });
  while (producing.acknowledged.length < 200) await new Promise((resolve) => setTimeout(resolve, 1));
  await store.close();
  const { acknowledged, failure } = await producing.ended;
  t.is(failure?.code, "ERR_STORE_CLOSED");
  await producing.worker.terminate();
  const again = await MessageStore.open({ storePathRootDir });
  t.teardown(() => again.close());
  await checkStored(t, again, ["late"], acknowledged);
});

test("a topic that is deleted begins again at 0 for producers too", async (t) => {
  const store = await openStore(t);
  const handle = store.producerHandle();
  const producer = MessageProducer.attach(handle);
  const put = (topic: string) => producer.putMessage({ topic, queueId: 0, body: Buffer.from("x") });
  const offsets = async (topic: string): Promise<unknown[]> =>
    (await Promise.all([put(topic), put(topic)])).map(({ appendResult }) => appendResult?.queueOffset);
  t.deepEqual(await offsets("T"), [0, 1]);
  t.deepEqual(await offsets("U"), [0, 1]);
  await store.deleteTopic("T");
  t.deepEqual(await offsets("T"), [0, 1]);
  t.deepEqual(await offsets("U"), [2, 3]);
  await producer.close();
  await t.throwsAsync(put("T"), { code: "ERR_STORE_CLOSED" });
});

test("a handle that nobody attaches, and a busy producer of other topics, keep neither a deletion nor a close waiting", async (t) => {
  const store = await openStore(t);
  store.producerHandle();
  const busy = new Worker(BUSY);
  const handle = store.producerHandle();
  const released = new Int32Array(new SharedArrayBuffer(4));
  busy.postMessage({ handle, topic: "Busy", released }, handle.transferList);
  await once(busy, "message");
  const own = { topic: "T", queueId: 0, body: Buffer.from("x") };
  await store.putMessage(own);
  await store.deleteTopic("T");
  t.is((await store.putMessage(own)).appendResult?.queueOffset, 0);
  await t.throwsAsync(store.deleteTopic("Busy"), { code: "ERR_TOPIC_NOT_DELETED", message: /event loop/ });
  t.is(store.getMaxOffsetInQueue("Busy", 0, false), 1);
  Atomics.store(released, 0, 1);
  Atomics.notify(released, 0);
  await once(busy, "message"); // it puts again
  await store.deleteTopic("Busy");
  await busy.terminate();
  await store.close();
});

test("a deletion that a silent producer keeps from being done waits for it once; the others put again when it has failed", async (t) => {
  const store = await openStore(t);
  const silent = fakeProducer(store, { suspend: () => new Promise(() => {}), resume: () => new Promise(() => {}) });
  const events: string[] = [];
  const answering = fakeProducer(store, { suspend: () => events.push("suspended"), resume: () => events.push("resumed") });
  for (const { remote } of [silent, answering]) t.is(await remote.slot("T", 0), 0);
  const began = performance.now();
  await t.throwsAsync(store.deleteTopic("T"), { code: "ERR_TOPIC_NOT_DELETED", message: /event loop/ });
  t.true(performance.now() - began < 10_000);
  t.deepEqual(events, ["suspended", "resumed"]);
  for (const { close } of [silent, answering]) close();
  await store.deleteTopic("T");
  await store.close();
});

/** On this thread, with these answers to what the store asks. */
function fakeProducer(store: MessageStore, face: object): { remote: ControlPort<StoreFace>["remote"]; close: () => void } {
  const [port] = store.producerHandle().transferList;
  const { remote } = new ControlPort<StoreFace>(port as MessagePort, face);
  return { remote, close: () => port?.close() };
}

test("who asks for its first slot when the store is just being closed gets none, because nobody waits for its puts", async (t) => {
  const store = await openStore(t);
  const [port, other] = [store.producerHandle(), store.producerHandle()].map(({ transferList }) => transferList[0] as MessagePort);
  const slot = new Promise((resolve) => {
    const refuse = async (): Promise<void> => resolve(await producer.remote.slot("T", 0));
    const producer = new ControlPort<StoreFace>(port as MessagePort, { refuse });
  });
  // One that has a slot is waited for: the store does not close its ports before the answer has come.
  const waitedFor = new ControlPort<StoreFace>(other as MessagePort, { refuse: async () => void (await slot) });
  await waitedFor.remote.slot("T", 0);
  await store.close();
  t.like(await slot, { code: "ERR_STORE_CLOSED", outcome: "none" });
});

test("a put after the store was closed in good order was not put, and nothing else is said to be possible", async (t) => {
  const store = await openStore(t);
  const body = new Uint8Array(1);
  const handles = [store.producerHandle(), store.producerHandle()];
  let closed = 0;
  for (const { transferList } of handles) transferList[0]?.once("close", () => closed++);
  const producers = handles.map((handle) => MessageProducer.attach(handle));
  t.is((await producers[0]?.putMessage({ topic: "T", queueId: 0, body }))?.status, "PUT_OK"); // the other one has put nothing before
  await store.close();
  await until(() => closed === 2); // the ports keep nothing alive
  for (const producer of producers) {
    const error = await t.throwsAsync(producer.putMessage({ topic: "T", queueId: 0, body }), { code: "ERR_STORE_CLOSED" });
    t.like(error, { outcome: "none", status: "SERVICE_NOT_AVAILABLE" });
    t.notRegex(error.message, /thread has ended/);
    await producer.close();
    await t.throwsAsync(producer.putMessage({ topic: "T", queueId: 0, body }), { message: /the producer is closed/ });
  }
});

test("what is no message, no topic and no handle is refused on the producer's thread", async (t) => {
  const store = await openStore(t);
  const handle = store.producerHandle();
  await using producer = MessageProducer.attach(handle);
  const body = Buffer.from("x");
  t.throws(() => MessageProducer.attach(handle), { code: "ERR_PRODUCER_ILLEGAL" });
  t.throws(() => MessageProducer.attach({} as never), { code: "ERR_PRODUCER_ILLEGAL" });
  await t.throwsAsync(producer.putMessage({ topic: "a b", queueId: 0, body }), { code: "ERR_TOPIC_ILLEGAL" });
  await t.throwsAsync(producer.putMessage({ topic: "T", queueId: -1, body }), { code: "ERR_QUEUE_ILLEGAL" });
  await t.throwsAsync(producer.putMessage({ topic: "T", queueId: 0, body: "x" as never }), { code: "ERR_MESSAGE_ILLEGAL" });
  await t.throwsAsync(producer.drained(-1), { code: "ERR_LIMIT_ILLEGAL" });
  const batch = await producer.putMessages([1, 2, 3].map(() => ({ topic: "T", queueId: 1, body })));
  t.deepEqual([batch.status, batch.appendResult?.msgCount], ["PUT_OK", 3]);
});

test("rings for which there is no memory are refused by a code, until a producer gives its own back", async (t) => {
  const store = await openStore(t, { putRingSize: 1024 * MIB });
  const producers: MessageProducer[] = [];
  const refused = t.throws(() => {
    while (producers.length < 4) producers.push(MessageProducer.attach(store.producerHandle()));
  });
  t.like(refused, { code: "ERR_TOO_MANY_PRODUCERS" });
  t.regex(refused?.message ?? "", /putRingSize=1073741824/);
  t.true(producers.length > 0);
  await producers.pop()?.close();
  await until(() => {
    try {
      producers.push(MessageProducer.attach(store.producerHandle()));
      return true;
    } catch {
      return false; // the ring is still being taken back
    }
  });
  t.is((await producers.at(-1)?.putMessage({ topic: "P", queueId: 0, body: Buffer.from("x") }))?.status, "PUT_OK");
  for (const producer of producers) await producer.close();
});

test("a message delayed by a producer is delivered", async (t) => {
  const store = await openStore(t, { messageDelayLevel: "1s" });
  await using producer = MessageProducer.attach(store.producerHandle());
  await producer.putMessage({ topic: "D", queueId: 0, body: Buffer.from("x"), delayTimeLevel: 1 });
  const deadline = Date.now() + 20_000;
  while (store.getMaxOffsetInQueue("D", 0) === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  t.is(store.getMaxOffsetInQueue("D", 0), 1);
});
