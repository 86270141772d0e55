import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SCHEDULE_TOPIC } from "@millrace/format";
import type { MessageStore } from "@millrace/store";
import test from "ava";
import { FIXTURE_SIZES, FIXTURES_DIRECTORY } from "../support/fixture-store.js";
import { leftByCrash } from "../support/left-by-crash.js";
import { messagesOf } from "../support/stored-messages.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { message, numbered, numberOf, openStore } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const count = (store: MessageStore): number => store.getMaxOffsetInQueue("TopicA", 0);
const delayOffsets = (root: string): unknown =>
  JSON.parse(readFileSync(join(root, "config", "delayOffset.json"), "utf8")).offsetTable;

function savedOrNothing(root: string): unknown {
  try {
    return delayOffsets(root);
  } catch {
    return undefined;
  }
}

test.serial("a delayed message comes after its delay, under its own topic and queue, with all that it had", async (t) => {
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
  await until(() => count(store) === 1);
  const [found] = messagesOf(store);
  t.is(Buffer.from(found?.body ?? []).toString(), "hello");
  t.like(found, { tags: "TagA", delayTimeLevel: 0, reconsumeTimes: 3, waitStoreMsgOK: false });
  t.is(found?.property("KEYS"), "K1 K2");
  t.is(found?.property("a"), "b");
  t.is(found?.property("REAL_TOPIC"), "TopicA");
  const waited = (found?.storeTimestamp ?? 0) - putTime;
  t.true(waited >= 1000, `waited ${waited} ms`);
  // What was delivered can be read before its put has come back.
  await until(() => store.stats().schedule.delivered === 1);
  t.deepEqual(store.stats().schedule, {
    delivered: 1,
    retried: 0,
    skipped: 0,
    levels: [{ level: 1, delayOffset: 1, maxOffset: 1, heldUpMs: 0 }],
  });
});

test.serial("a level beyond the highest counts as the highest", async (t) => {
  const store = await openStore(t, { messageDelayLevel: "1h 0s" });
  await store.putMessage(message({ delayTimeLevel: 99 }));
  await until(() => count(store) === 1);
  t.is(store.getMaxOffsetInQueue(SCHEDULE_TOPIC, 1), 1);
});

test.serial("five thousand due at once are all delivered, once, in order", async (t) => {
  const store = await openStore(t, { mappedFileSizeCommitLog: 1024 * 1024, putRingSize: 8 * 1024 * 1024 });
  const puts = Array.from({ length: 5000 }, (_, n) => store.putMessage(numbered(n, 16, { delayTimeLevel: 1 })));
  await Promise.all(puts);
  await until(() => count(store) >= 5000);
  t.deepEqual(
    messagesOf(store).map(({ body }) => numberOf(body)),
    Array.from({ length: 5000 }, (_, n) => n),
  );
});

test.serial("what was scheduled before a restart is delivered after it, and nothing twice", async (t) => {
  const storePathRootDir = temporaryDirectory(t);
  const first = await openStore(t, { storePathRootDir, messageDelayLevel: "0s 2s" });
  for (let n = 0; n < 5; n++) await first.putMessage(numbered(n, 16, { delayTimeLevel: 1 }));
  for (let n = 5; n < 10; n++) await first.putMessage(numbered(n, 16, { delayTimeLevel: 2 }));
  await until(() => count(first) === 5);
  await first.close();
  t.deepEqual(delayOffsets(storePathRootDir), { 1: 5 });
  const second = await openStore(t, { storePathRootDir, messageDelayLevel: "0s 2s" });
  await until(() => count(second) === 10);
  await second.close();
  t.deepEqual(delayOffsets(storePathRootDir), { 1: 5, 2: 5 });
  const third = await openStore(t, { storePathRootDir, messageDelayLevel: "0s 2s" });
  t.deepEqual(
    messagesOf(third).map(({ body }) => numberOf(body)),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
});

test.serial("after a crash nothing is missing, and only what was delivered since the last save comes twice", async (t) => {
  const root = temporaryDirectory(t);
  const options = { messageDelayLevel: "0s", flushDelayOffsetInterval: 50 };
  const store = await openStore(t, { ...options, storePathRootDir: root });
  for (let n = 0; n < 20; n++) await store.putMessage(numbered(n, 16, { delayTimeLevel: 1 }));
  await until(() => JSON.stringify(savedOrNothing(root)) === '{"1":20}');
  for (let n = 20; n < 30; n++) await store.putMessage(numbered(n, 16, { delayTimeLevel: 1 }));
  const saved = (savedOrNothing(root) as Record<string, number>)[1] ?? 0;
  const crashed = leftByCrash(t, root);
  const after = await openStore(t, { ...options, storePathRootDir: crashed });
  await until(() => new Set(messagesOf(after).map(({ body }) => numberOf(body))).size === 30);
  const numbers = messagesOf(after).map(({ body }) => numberOf(body));
  const twice = numbers.filter((n, i) => numbers.indexOf(n) !== i);
  t.true(
    twice.every((n) => n >= saved),
    `saved ${saved}, twice ${twice}`,
  );
});

test.serial("a broken delayOffset.json without a copy or a backup ends the opening, and the directory is free again", async (t) => {
  const storePathRootDir = temporaryDirectory(t);
  const first = await openStore(t, { storePathRootDir, messageDelayLevel: "0s" });
  await first.putMessage(message({ delayTimeLevel: 1 }));
  await until(() => count(first) === 1);
  await first.close();
  const path = join(storePathRootDir, "config", "delayOffset.json");
  writeFileSync(path, "{");
  rmSync(join(storePathRootDir, "config", "millrace.delayOffset"));
  await t.throwsAsync(openStore(t, { storePathRootDir }), { code: "ERR_DELAY_OFFSETS_CORRUPT" });
  t.is(readFileSync(path, "utf8"), "{");
  rmSync(path);
  await openStore(t, { storePathRootDir });
});

test.serial("closing with messages due does not wait for them, and loses none", async (t) => {
  const storePathRootDir = temporaryDirectory(t);
  const options = { storePathRootDir, messageDelayLevel: "1s", flushDelayOffsetInterval: 1, mappedFileSizeCommitLog: 1024 * 1024 };
  const first = await openStore(t, options);
  await Promise.all(Array.from({ length: 3000 }, (_, n) => first.putMessage(numbered(n, 16, { delayTimeLevel: 1 }))));
  await until(() => count(first) > 0);
  await first.close();
  const second = await openStore(t, options);
  await until(() => count(second) >= 3000);
  t.deepEqual(
    messagesOf(second).map(({ body }) => numberOf(body)),
    Array.from({ length: 3000 }, (_, n) => n),
  );
});

test.serial("the messages that RocketMQ 4.9.8 has delayed are delivered", async (t) => {
  const root = temporaryDirectory(t);
  cpSync(join(FIXTURES_DIRECTORY, "rocketmq-4.9.8"), root, { recursive: true });
  const store = await openStore(t, { storePathRootDir: root, ...FIXTURE_SIZES });
  await until(() => store.getMaxOffsetInQueue("TopicD", 3) === 2);
  for (const delayed of messagesOf(store, SCHEDULE_TOPIC, 2)) {
    const [delivered] = messagesOf(store, "TopicD", 3).filter(({ body }) => Buffer.compare(body, delayed.body) === 0);
    t.like(delivered, { tags: delayed.tags, bornTimestamp: delayed.bornTimestamp, flag: delayed.flag, bornHost: delayed.bornHost });
    t.is(delivered?.property("DELAY"), undefined);
  }
  await store.close();
  t.deepEqual(delayOffsets(root), { 3: 1, 18: 1 });
});
