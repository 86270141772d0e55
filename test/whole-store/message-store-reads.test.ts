import { setTimeout } from "node:timers/promises";
import type { MessageStore, MessageStoreOptions } from "@millrace/store";
import test from "ava";
import { message, numbered, numberOf, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";
import { dispatchedAll, until } from "../support/until.js";

const DEADLINE_MS = 20_000;
const QUEUE = { topic: "TopicA", queueId: 0 };

/** The numbers of all messages of a queue, by gets of up to 32. */
function numbersOf(store: MessageStore, queueId = 0): number[] {
  const numbers: number[] = [];
  for (let queueOffset = 0; ; ) {
    using found = store.getMessage({ topic: "TopicA", queueId, queueOffset });
    numbers.push(...found.messages.map(({ body }) => numberOf(body)));
    queueOffset = found.nextBeginOffset;
    if (found.status === "OFFSET_OVERFLOW_ONE" || found.status === "NO_MESSAGE_IN_QUEUE") return numbers;
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

const modes: [name: string, options: MessageStoreOptions][] = [
  ["ASYNC_FLUSH", {}],
  ["SYNC_FLUSH", { flushDiskType: "SYNC_FLUSH" }],
  ["transient store pool", { transientStorePoolEnable: true, transientStorePoolSize: 3 }],
  ["writeWithoutMmap", { writeWithoutMmap: true }],
];

for (const [name, options] of modes) {
  test.serial(`what is put is read, in order, over rolling segments, now and after a restart: ${name}`, async (t) => {
    const sizes = { mappedFileSizeConsumeQueue: 2000, ...options };
    const store = await openStore(t, sizes);
    await Promise.all(upTo(1000).map((n) => store.putMessage(numbered(n, 256))));
    await dispatchedAll(store);
    t.true(store.maxPhysicalOffset > 4 * SEGMENT_SIZE);
    t.deepEqual(numbersOf(store), upTo(1000));
    const root = store.config.storePathRootDir;
    await store.close();
    const again = await openStore(t, { ...sizes, storePathRootDir: root });
    t.deepEqual(numbersOf(again), upTo(1000));
    t.is(again.getMaxOffsetInQueue("TopicA", 0), 1000);
    await again.close();
  });
}

test.serial("each message is found with the fields it was put with, whatever its hosts", async (t) => {
  const store = await openStore(t);
  const v4 = { address: "10.1.2.3", port: 4567 };
  const v6 = { address: "2001:db8::1", port: 4568 };
  for (let n = 0; n < 100; n++) {
    const hosts = { bornHost: n % 2 === 0 ? v4 : v6, storeHost: n % 4 < 2 ? v4 : v6 };
    const put = { ...numbered(n), ...hosts, flag: n, reconsumeTimes: n, bornTimestamp: 1000 + n, tags: `Tag${n % 3}` };
    const { appendResult } = await store.putMessage({ ...put, keys: ["k1", `k${n}`], properties: { own: "value" } });
    await dispatchedAll(store);
    using found = store.getMessage({ ...QUEUE, queueOffset: n, maxMessages: 1 });
    t.is(found.status, "FOUND");
    const [view] = found.messages;
    t.is(view?.msgId, appendResult?.msgId);
    t.deepEqual([view?.topic, view?.queueId, view?.queueOffset], ["TopicA", 0, n]);
    t.deepEqual([view?.bornHost, view?.storeHost], [hosts.bornHost, hosts.storeHost]);
    t.deepEqual([view?.flag, view?.reconsumeTimes, view?.bornTimestamp], [n, n, 1000 + n]);
    t.deepEqual([view?.tags, view?.keys, view?.properties.get("own")], [`Tag${n % 3}`, ["k1", `k${n}`], "value"]);
    t.is(numberOf(view?.body ?? new Uint8Array(0)), n);
    t.is(store.lookMessageById(view?.msgId ?? "")?.queueOffset, n);
    t.is(store.lookMessageByOffset(appendResult?.wroteOffset ?? -1)?.queueOffset, n);
  }
});

test.serial("prepared and rolled back messages are in no queue, committed ones are", async (t) => {
  const store = await openStore(t);
  for (const sysFlag of [0, 4, 8, 12, 0]) await store.putMessage(message({ sysFlag, body: Buffer.from(`${sysFlag};`) }));
  await dispatchedAll(store);
  t.deepEqual(numbersOf(store), [0, 8, 0]);
});

for (const [name, address] of [
  ["IPv4", "10.1.2.3"],
  ["IPv6", "2001:db8::1"],
] as const) {
  test.serial(`a batch is read message by message, by queue offset and by id: ${name} hosts`, async (t) => {
    const store = await openStore(t);
    const hosts = { bornHost: { address, port: 4567 }, storeHost: { address, port: 10911 } };
    const { appendResult } = await store.putMessages(upTo(10).map((n) => numbered(n, 16, hosts)));
    await dispatchedAll(store);
    t.deepEqual(numbersOf(store), upTo(10));
    const found = (appendResult?.msgId.split(",") ?? []).map((id) => store.lookMessageById(id));
    t.deepEqual(
      found.map((view) => view?.queueOffset),
      upTo(10),
    );
    for (const view of found) t.deepEqual([view?.bornHost, view?.storeHost], [hosts.bornHost, hosts.storeHost]);
  });
}

test.serial("the maximum offset with committed false counts what has been put, at once", async (t) => {
  const store = await openStore(t);
  for (let n = 0; n < 200; n++) {
    const { appendResult } = await store.putMessage(numbered(n, 16, { queueId: n % 2 }));
    t.is(store.getMaxOffsetInQueue("TopicA", n % 2, false), (appendResult?.queueOffset ?? 0) + 1);
    t.true(store.getMaxOffsetInQueue("TopicA", n % 2) <= (appendResult?.queueOffset ?? 0) + 1);
  }
  await dispatchedAll(store);
  t.is(store.getMaxOffsetInQueue("TopicA", 1), 100);
  t.deepEqual([store.topics(), store.queues("TopicA")], [["TopicA"], [0, 1]]);
});

test.serial("a reader that follows the puts sees each message once, whole and in order", async (t) => {
  const store = await openStore(t, { mappedFileSizeConsumeQueue: 2000 });
  const count = 20_000;
  let next = 0;
  const read = async (): Promise<void> => {
    const deadline = Date.now() + DEADLINE_MS;
    while (next < count && Date.now() < deadline) {
      using found = store.getMessage({ ...QUEUE, queueOffset: next });
      for (const [i, view] of found.messages.entries()) {
        if (numberOf(view.body) !== next + i || view.queueOffset !== next + i) throw new Error(`not in order: at=${next + i}`);
      }
      next += found.messages.length;
      if (found.messages.length === 0) await setTimeout(1);
    }
  };
  const reading = read();
  await Promise.all(upTo(count).map((n) => store.putMessage(numbered(n))));
  await reading;
  t.is(next, count);
});

test.serial("times lead to the messages stored then", async (t) => {
  const store = await openStore(t);
  for (let n = 0; n < 20; n++) {
    const storedAt = (await store.putMessage(numbered(n))).appendResult?.storeTimestamp ?? 0;
    await until(() => Date.now() > storedAt);
  }
  await dispatchedAll(store);
  for (let n = 0; n < 20; n++) {
    const time = store.getMessageStoreTimestamp("TopicA", 0, n) ?? Number.NaN;
    t.is(store.getOffsetInQueueByTime("TopicA", 0, time), n);
    t.is(store.getOffsetInQueueByTime("TopicA", 0, new Date(time), "upper"), n);
  }
  t.is(store.getEarliestMessageTime(), store.getMessageStoreTimestamp("TopicA", 0, 0));
  t.is(store.getOffsetInQueueByTime("TopicA", 0, Date.now() + 1000), 20);
});

test.serial("closing the store empties the views that are still held, and reading says so", async (t) => {
  const store = await openStore(t);
  await store.putMessage(numbered(7));
  await dispatchedAll(store);
  const found = store.getMessage({ ...QUEUE, queueOffset: 0 });
  const [view] = found.messages;
  const body = view?.body;
  const copy = view?.copy();
  await store.close();
  t.deepEqual([view?.size, body?.length, view?.topic], [0, 0, ""]);
  t.is(numberOf(copy?.body ?? new Uint8Array(0)), 7);
  found.release();
  t.throws(() => store.getMessage({ ...QUEUE, queueOffset: 0 }), { code: "ERR_STORE_CLOSED" });
  t.throws(() => store.lookMessageByOffset(0), { code: "ERR_STORE_CLOSED" });
});
