import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { SCHEDULE_TOPIC } from "@millrace/format";
import type { MessageStore } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { message, numbered, numberOf, openStore } from "../store/temporary-store.js";
import { temporaryDirectory } from "../temporary-directory.js";

const DEADLINE_MS = 20_000;

/** All messages of a queue, as values. */
function messagesOf(store: MessageStore, topic = "TopicA", queueId = 0) {
  const messages = [];
  for (let queueOffset = store.getMinOffsetInQueue(topic, queueId); ; ) {
    using found = store.getMessage({ topic, queueId, queueOffset });
    if (found.status !== "FOUND") return messages;
    messages.push(...found.messages.map((view) => view.copy()));
    queueOffset = found.nextBeginOffset;
  }
}

async function until(t: ExecutionContext, what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!condition()) {
    if (Date.now() > deadline) return t.fail(`not in time: ${what}`);
    await setTimeout(5);
  }
}

const count = (store: MessageStore): number => store.getMaxOffsetInQueue("TopicA", 0);
const delayOffsets = (root: string): unknown =>
  JSON.parse(readFileSync(join(root, "config", "delayOffset.json"), "utf8")).offsetTable;

test("a delayed message comes after its delay, under its own topic and queue, with all that it had", async (t) => {
  const store = await openStore(t);
  const put = await store.putMessage(
    message({
      body: Buffer.from("hello"),
      tags: "TagA",
      keys: "K1 K2",
      properties: { a: "b" },
      delayTimeLevel: 1,
      reconsumeTimes: 3,
    }),
  );
  const putTime = put.appendResult?.storeTimestamp ?? 0;
  t.is(count(store), 0);
  await until(t, "delivery", () => count(store) === 1);
  const [found] = messagesOf(store);
  t.is(Buffer.from(found?.body ?? []).toString(), "hello");
  t.like(found, { tags: "TagA", delayTimeLevel: 0, reconsumeTimes: 3, waitStoreMsgOK: false });
  t.is(found?.property("KEYS"), "K1 K2");
  t.is(found?.property("a"), "b");
  t.is(found?.property("REAL_TOPIC"), "TopicA");
  const waited = (found?.storeTimestamp ?? 0) - putTime;
  t.true(waited >= 1000 && waited < 3000, `waited ${waited} ms`);
  t.deepEqual(store.stats().schedule, {
    delivered: 1,
    retried: 0,
    skipped: 0,
    levels: [{ level: 1, delayOffset: 1, maxOffset: 1 }],
  });
});

test("a level beyond the highest counts as the highest", async (t) => {
  const store = await openStore(t, { messageDelayLevel: "1h 0s" });
  await store.putMessage(message({ delayTimeLevel: 99 }));
  await until(t, "delivery", () => count(store) === 1);
  t.is(store.getMaxOffsetInQueue(SCHEDULE_TOPIC, 1), 1);
});

test("ten thousand due at once are all delivered, once, in order", async (t) => {
  const store = await openStore(t, { mappedFileSizeCommitLog: 1024 * 1024, putRingSize: 8 * 1024 * 1024 });
  const puts = Array.from({ length: 10_000 }, (_, n) => store.putMessage(numbered(n, 16, { delayTimeLevel: 1 })));
  await Promise.all(puts);
  await until(t, "delivery", () => count(store) >= 10_000);
  t.deepEqual(
    messagesOf(store).map(({ body }) => numberOf(body)),
    Array.from({ length: 10_000 }, (_, n) => n),
  );
});

test("what was scheduled before a restart is delivered after it, and nothing twice", async (t) => {
  const storePathRootDir = temporaryDirectory(t);
  const first = await openStore(t, { storePathRootDir, messageDelayLevel: "0s 2s" });
  for (let n = 0; n < 5; n++) await first.putMessage(numbered(n, 16, { delayTimeLevel: 1 }));
  for (let n = 5; n < 10; n++) await first.putMessage(numbered(n, 16, { delayTimeLevel: 2 }));
  await until(t, "the first five", () => count(first) === 5);
  await first.close();
  t.deepEqual(delayOffsets(storePathRootDir), { 1: 5 });
  const second = await openStore(t, { storePathRootDir, messageDelayLevel: "0s 2s" });
  await until(t, "the others", () => count(second) === 10);
  await second.close();
  t.deepEqual(delayOffsets(storePathRootDir), { 1: 5, 2: 5 });
  const third = await openStore(t, { storePathRootDir, messageDelayLevel: "0s 2s" });
  t.deepEqual(
    messagesOf(third).map(({ body }) => numberOf(body)),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
});

test("after a crash nothing is missing, and only what was delivered since the last save comes twice", async (t) => {
  const root = temporaryDirectory(t);
  const options = { messageDelayLevel: "0s", flushDelayOffsetInterval: 50 };
  const store = await openStore(t, { ...options, storePathRootDir: root });
  for (let n = 0; n < 20; n++) await store.putMessage(numbered(n, 16, { delayTimeLevel: 1 }));
  await until(t, "a save", () => JSON.stringify(savedOrNothing(root)) === '{"1":20}');
  store.config; // from here on the interval has not passed
  const crashed = temporaryDirectory(t);
  for (let n = 20; n < 30; n++) await store.putMessage(numbered(n, 16, { delayTimeLevel: 1 }));
  const saved = (savedOrNothing(root) as Record<string, number>)[1] ?? 0;
  cpSync(root, crashed, { recursive: true });
  const after = await openStore(t, { ...options, storePathRootDir: crashed });
  await until(t, "delivery", () => new Set(messagesOf(after).map(({ body }) => numberOf(body))).size === 30);
  const numbers = messagesOf(after).map(({ body }) => numberOf(body));
  const twice = numbers.filter((n, i) => numbers.indexOf(n) !== i);
  t.true(
    twice.every((n) => n >= saved),
    `saved ${saved}, twice ${twice}`,
  );
});

function savedOrNothing(root: string): unknown {
  try {
    return delayOffsets(root);
  } catch {
    return undefined;
  }
}

test("a broken delayOffset.json without a backup ends the opening, and the directory is free again", async (t) => {
  const storePathRootDir = temporaryDirectory(t);
  const first = await openStore(t, { storePathRootDir, messageDelayLevel: "0s" });
  await first.putMessage(message({ delayTimeLevel: 1 }));
  await until(t, "delivery", () => count(first) === 1);
  await first.close();
  const { writeFileSync, rmSync } = await import("node:fs");
  const path = join(storePathRootDir, "config", "delayOffset.json");
  writeFileSync(path, "{");
  await t.throwsAsync(openStore(t, { storePathRootDir }), { code: "ERR_DELAY_OFFSETS_CORRUPT" });
  t.is(readFileSync(path, "utf8"), "{");
  rmSync(path);
  await openStore(t, { storePathRootDir });
});

test("closing with messages due does not wait for them, and loses none", async (t) => {
  const storePathRootDir = temporaryDirectory(t);
  const options = { storePathRootDir, messageDelayLevel: "1s", mappedFileSizeCommitLog: 1024 * 1024 };
  const first = await openStore(t, options);
  await Promise.all(Array.from({ length: 3000 }, (_, n) => first.putMessage(numbered(n, 16, { delayTimeLevel: 1 }))));
  await until(t, "the first", () => count(first) > 0);
  await first.close();
  const second = await openStore(t, options);
  await until(t, "all", () => count(second) >= 3000);
  t.deepEqual(
    messagesOf(second).map(({ body }) => numberOf(body)),
    Array.from({ length: 3000 }, (_, n) => n),
  );
});
