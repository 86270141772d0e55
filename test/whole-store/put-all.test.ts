import type { Message } from "@millrace/store";
import test from "ava";
import { KIB, message, numbered, numberOf, openStore } from "../support/temporary-store.js";

const SEGMENT = { mappedFileSizeCommitLog: 1024 * KIB };

test("messages of several topics and queues are put in their order, with one promise for all answers", async (t) => {
  const store = await openStore(t, SEGMENT);
  const messages = Array.from({ length: 300 }, (_, n): Message => ({ ...numbered(n), topic: `Topic${n % 3}`, queueId: n % 2 }));
  const before = store.putMessage(numbered(1000));
  const results = await store.putAll(messages);
  t.is(results.length, 300);
  let end = (await before).appendResult?.wroteOffset ?? -1;
  for (const [n, { status, appendResult }] of results.entries()) {
    t.is(status, "PUT_OK");
    t.true((appendResult?.wroteOffset ?? 0) > end, `${n}`);
    end = appendResult?.wroteOffset ?? 0;
    t.is(appendResult?.queueOffset, Math.floor(n / 6), `each of six queues gets every sixth: ${n}`);
    t.is(numberOf(store.lookMessageByOffset(end)?.body ?? new Uint8Array()), n);
  }
  t.is(store.stats().put.messages, 301);
});

test("a message that is refused has its answer at its place, and the others are put", async (t) => {
  const store = await openStore(t, { ...SEGMENT, maxMessageSize: 64 * KIB });
  const tooLarge = message({ body: new Uint8Array(64 * KIB + 1) });
  const results = await store.putAll([tooLarge, numbered(1), tooLarge, tooLarge, numbered(4), numbered(5), tooLarge]);
  t.deepEqual(
    results.map(({ status, code, appendResult }) => [status, code, appendResult?.queueOffset]),
    [
      ["MESSAGE_ILLEGAL", "ERR_BODY_TOO_LARGE", undefined],
      ["PUT_OK", undefined, 0],
      ["MESSAGE_ILLEGAL", "ERR_BODY_TOO_LARGE", undefined],
      ["MESSAGE_ILLEGAL", "ERR_BODY_TOO_LARGE", undefined],
      ["PUT_OK", undefined, 1],
      ["PUT_OK", undefined, 2],
      ["MESSAGE_ILLEGAL", "ERR_BODY_TOO_LARGE", undefined],
    ],
  );
  t.is(store.stats().put.failed, 4);
});

test("what is no message rejects the call before anything is put, and the error names its index", async (t) => {
  const store = await openStore(t);
  const bad: [unknown, string][] = [
    [undefined, "ERR_MESSAGE_ILLEGAL"],
    [{ ...numbered(0), queueId: -1 }, "ERR_QUEUE_ILLEGAL"],
    [{ ...numbered(0), tag: "misspelt" }, "ERR_MESSAGE_ILLEGAL"],
    [{ ...numbered(0), topic: "no topic" }, "ERR_TOPIC_ILLEGAL"],
  ];
  for (const [value, code] of bad) {
    const error = await t.throwsAsync(store.putAll([numbered(0), numbered(1), value as Message]), { code });
    t.regex(error?.message ?? "", / index=2$/);
  }
  await t.throwsAsync(store.putAll(numbered(0) as unknown as Message[]), { code: "ERR_MESSAGE_ILLEGAL" });
  t.is(store.maxPhysicalOffset, 0);
  t.is(store.stats().put.messages, 0);
});

test("no messages have no answers", async (t) => {
  const store = await openStore(t);
  t.deepEqual(await store.putAll([]), []);
});

test("more messages than the ring holds wait for room, beside other puts, and come in order", async (t) => {
  const store = await openStore(t, { ...SEGMENT, putRingSize: 128 * KIB, maxMessageSize: 8 * KIB });
  const messages = Array.from({ length: 500 }, (_, n) => numbered(n, 4 * KIB));
  const all = store.putAll(messages);
  const last = store.putMessage(numbered(500));
  const results = await all;
  t.deepEqual(
    results.map(({ appendResult }) => appendResult?.queueOffset),
    messages.map((_, n) => n),
  );
  t.is((await last).appendResult?.queueOffset, 500);
});

test("a ring that is full refuses what came too fast, each message on its own", async (t) => {
  const store = await openStore(t, { ...SEGMENT, putRingSize: 128 * KIB, maxMessageSize: 8 * KIB, backPressure: "reject" });
  const results = await store.putAll(Array.from({ length: 100 }, (_, n) => numbered(n, 4 * KIB)));
  const put = results.filter(({ status }) => status === "PUT_OK");
  t.true(put.length > 0 && put.length < 100, `${put.length}`);
  const refused = results.filter(({ status }) => status !== "PUT_OK");
  t.true(refused.every(({ status, code }) => status === "OS_PAGE_CACHE_BUSY" && code === "ERR_RING_FULL"));
  t.is(store.getMaxOffsetInQueue("TopicA", 0, false), put.length);
});

test("a topic that is deleted while messages wait for room refuses its own, and those of other topics are put", async (t) => {
  const store = await openStore(t, { ...SEGMENT, putRingSize: 128 * KIB, maxMessageSize: 8 * KIB });
  await store.putMessage({ ...numbered(0), topic: "Other" });
  const all = store.putAll(Array.from({ length: 400 }, (_, n) => ({ ...numbered(n, 4 * KIB), topic: n % 2 ? "TopicA" : "Other" })));
  const [results] = await Promise.all([all, store.deleteTopic("Other")]);
  const refused = results.filter(({ status }) => status !== "PUT_OK");
  t.true(refused.length > 0);
  t.true(refused.every(({ status, code }) => status === "SERVICE_NOT_AVAILABLE" && code === "ERR_TOPIC_SUSPENDED"));
  t.true(results.every(({ status }, n) => n % 2 === 0 || status === "PUT_OK"));
  t.is(store.getMaxOffsetInQueue("TopicA", 0, false), 200);
});

test("a force that fails rejects the call, with an outcome that is not known", async (t) => {
  const failing = [{ operation: "force", path: "commitlog", after: 8, times: 1, code: "EIO" }] as const;
  const store = await openStore(t, { ...SEGMENT, flushDiskType: "SYNC_FLUSH" }, failing);
  const error = await t.throwsAsync(
    async () => {
      for (let round = 0; round < 40; round++) await store.putAll([numbered(1), numbered(2), numbered(3)]);
    },
    { code: "ERR_STORE_FENCED" },
  );
  t.is((error as { outcome?: string } | undefined)?.outcome, "unknown");
  await t.throwsAsync(store.putAll([numbered(4)]), { code: "ERR_STORE_FENCED" });
});

test("a closed store takes none", async (t) => {
  const store = await openStore(t);
  await store.close();
  await t.throwsAsync(store.putAll([]), { code: "ERR_STORE_CLOSED" });
  await t.throwsAsync(store.putAll([numbered(1)]), { code: "ERR_STORE_CLOSED" });
});
