import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MessageStore, type MessageStoreOptions } from "@millrace/store";
import test from "ava";
import { FollowedStore } from "#store/follow/followed-store.js";
import { FIXTURE_SIZES, FIXTURE_STORES } from "../support/fixture-store.js";
import { numbersOf, openReader, putNumbered, range, watchesBelow } from "../support/store-reader.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { KIB, message, numberOf, openStore } from "../support/temporary-store.js";
import { dispatchedAll, stays, until } from "../support/until.js";

/** Every file with its length and its time, and every directory. */
function listing(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const stats = statSync(join(directory, name));
      return `${name} ${stats.isFile() ? stats.size : ""} ${stats.mtimeMs} ${stats.ino}`;
    });
}

const SMALL: MessageStoreOptions = { mappedFileSizeConsumeQueue: 2000, maxHashSlotNum: 100, maxIndexNum: 4000 };

test.serial(
  "a reader beside an open store sees what is put, by offset, by key, by id, by time and in its statistics",
  async (t) => {
    const store = await openStore(t, SMALL);
    const reader = await openReader(t, store.config.storePathRootDir);
    t.deepEqual(reader.topics(), []);
    await putNumbered(store, 0, 250);
    await until(() => reader.getMaxOffsetInQueue("TopicA", 0) === 250);
    t.deepEqual(numbersOf(reader), range(0, 250));
    t.deepEqual(reader.queueStats(), store.queueStats());
    await until(() => reader.queryMessage({ topic: "TopicA", key: "k77" }).messages.length === 1);
    const [found] = reader.queryMessage({ topic: "TopicA", key: "k77" }).messages;
    t.is(found?.queueOffset, 77);
    t.is(reader.lookMessageById(found?.msgId ?? "")?.queueOffset, 77);
    t.is(reader.lookMessageByOffset(found?.physicalOffset ?? -1)?.queueOffset, 77);
    t.is(reader.getMessageStoreTimestamp("TopicA", 0, 77), found?.storeTimestamp);
    t.is(
      reader.getOffsetInQueueByTime("TopicA", 0, found?.storeTimestamp ?? 0),
      store.getOffsetInQueueByTime("TopicA", 0, found?.storeTimestamp ?? 0),
    );
    t.is(reader.maxPhysicalOffset, store.maxPhysicalOffset);
    t.is(reader.minPhysicalOffset, 0);
    t.is(reader.stats().abort?.processId, process.pid);
  },
);

test.serial("the sizes of a directory are read from its files, whatever they are", async (t) => {
  const sizes = { mappedFileSizeCommitLog: 128 * KIB, mappedFileSizeConsumeQueue: 4000, maxHashSlotNum: 333, maxIndexNum: 777 };
  const store = await openStore(t, sizes);
  const directory = store.config.storePathRootDir;
  await MessageStore.openReadOnly(directory).then((reader) => reader.close()); // its first segment is there
  t.deepEqual(MessageStore.sizesOf(directory), { mappedFileSizeCommitLog: 128 * KIB });
  await putNumbered(store, 0, 40);
  t.deepEqual(MessageStore.sizesOf(directory), sizes);
  for (const { paths } of FIXTURE_STORES) t.deepEqual(MessageStore.sizesOf(paths.root), FIXTURE_SIZES);
});

test.serial("a consumer of a reader waits for a queue that does not exist yet, and then for each message", async (t) => {
  const store = await openStore(t, SMALL);
  const reader = await openReader(t, store.config.storePathRootDir);
  const consumer = reader.consume({ topic: "TopicA", queueId: 0, from: "earliest" });
  const consumed: number[] = [];
  const done = (async () => {
    for await (const batch of consumer) {
      for (const { body } of batch) consumed.push(numberOf(body));
      if (consumed.length >= 300) break;
    }
  })();
  for (let n = 0; n < 300; n += 30) await putNumbered(store, n, n + 30);
  await done;
  t.deepEqual(consumed, range(0, 300));
});

test.serial("a reader follows retention, and never reads below the log's beginning", async (t) => {
  const store = await openStore(t, { ...SMALL, fileReservedTime: 0, deleteCommitLogFilesInterval: 0 });
  await putNumbered(store, 0, 300);
  const reader = await openReader(t, store.config.storePathRootDir);
  t.is(reader.getMinOffsetInQueue("TopicA", 0), 0);
  await store.flush();
  await store.deleteExpiredFiles();
  t.true(store.minPhysicalOffset > 0);
  await until(() => reader.minPhysicalOffset === store.minPhysicalOffset);
  const min = store.getMinOffsetInQueue("TopicA", 0);
  await until(() => reader.getMinOffsetInQueue("TopicA", 0) === min);
  t.deepEqual(numbersOf(reader, min), range(min, 300));
  using below = reader.getMessage({ topic: "TopicA", queueId: 0, queueOffset: 0 });
  t.is(below.status, "OFFSET_TOO_SMALL");
});

test.serial("a reader lives through the writer's close and its next opening; a consumer goes on where it was", async (t) => {
  const first = await openStore(t, SMALL);
  const directory = first.config.storePathRootDir;
  const reader = await openReader(t, directory);
  const consumed: number[] = [];
  const consumer = reader.consume({ topic: "TopicA", queueId: 0, from: "earliest" });
  const done = (async () => {
    for await (const batch of consumer) {
      for (const { body } of batch) consumed.push(numberOf(body));
      if (consumed.length >= 150) break;
    }
  })();
  await putNumbered(first, 0, 100);
  await first.close();
  await until(() => consumed.length === 100);
  t.is(reader.stats().abort, undefined);
  const second = await openStore(t, { ...SMALL, storePathRootDir: directory });
  await putNumbered(second, 100, 150);
  await done;
  t.deepEqual(consumed, range(0, 150));
});

test.serial("a topic that is deleted and put again begins again at 0 for a reader too", async (t) => {
  const store = await openStore(t, SMALL);
  await putNumbered(store, 0, 120);
  const reader = await openReader(t, store.config.storePathRootDir);
  t.is(reader.getMaxOffsetInQueue("TopicA", 0), 120);
  await store.deleteTopic("TopicA");
  await putNumbered(store, 500, 503);
  await until(() => reader.getMaxOffsetInQueue("TopicA", 0) === 3);
  t.deepEqual(numbersOf(reader), [500, 501, 502]);
});

test.serial(
  "a reader that sees the new file of a deleted topic before its first unit takes it for a new queue all the same",
  async (t) => {
    const store = await openStore(t, SMALL);
    await putNumbered(store, 0, 120);
    const reader = await openReader(t, store.config.storePathRootDir);
    await store.deleteTopic("TopicA");
    const directory = join(store.config.storePathRootDir, "consumequeue", "TopicA", "0");
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "0".repeat(20)), new Uint8Array(2000));
    t.true(await stays(() => reader.getMaxOffsetInQueue("TopicA", 0) === 120, 1500)); // a listing at least
    await putNumbered(store, 500, 503);
    await until(() => reader.getMaxOffsetInQueue("TopicA", 0) === 3);
    t.deepEqual(numbersOf(reader), [500, 501, 502]);
  },
);

test.serial("a topic that is deleted is gone for a reader a few seconds later", async (t) => {
  const store = await openStore(t, SMALL);
  await putNumbered(store, 0, 5);
  const reader = await openReader(t, store.config.storePathRootDir);
  t.deepEqual(reader.topics(), ["TopicA"]);
  await store.deleteTopic("TopicA");
  await until(() => reader.topics().length === 0);
  t.is(reader.getMaxOffsetInQueue("TopicA", 0), 0);
});

test.serial("a reader changes nothing in a directory, takes no lock, and refuses what would", async (t) => {
  const store = await openStore(t, SMALL);
  await putNumbered(store, 0, 200);
  store.consumerOffsets.commit("group", "TopicA", 0, 50);
  const directory = store.config.storePathRootDir;
  await store.close();
  const before = listing(directory);
  const reader = await openReader(t, directory);
  t.deepEqual(numbersOf(reader), range(0, 200));
  t.is(reader.queryMessage({ topic: "TopicA", key: "k3" }).messages.length, 1);
  t.deepEqual(reader.consumerOffsets.groups(), ["group"]);
  t.is(reader.consumerOffsets.get("group", "TopicA", 0), 50);
  t.deepEqual(reader.stats().abort, undefined);
  for (const refused of [
    reader.putMessage(message()),
    reader.putMessages([message()]),
    reader.putAll([message()]),
    reader.flush(),
    reader.deleteTopic("TopicA"),
    reader.deleteExpiredFiles(),
  ])
    await t.throwsAsync(refused, { code: "ERR_STORE_READ_ONLY" });
  t.throws(() => reader.consumerOffsets.commit(), { code: "ERR_STORE_READ_ONLY" });
  t.throws(() => reader.consumerOffsets.deleteGroup(), { code: "ERR_STORE_READ_ONLY" });
  t.true(await stays(() => reader.lastError === undefined, 300));
  t.deepEqual(listing(directory), before);
  await reader.close();
  t.throws(() => reader.topics(), { code: "ERR_STORE_CLOSED" });
  const again = await openStore(t, { ...SMALL, storePathRootDir: directory });
  t.true(again.recovery.lastExitOk);
});

test.serial("offsets that groups commit are seen when the writer has saved them", async (t) => {
  const store = await openStore(t, SMALL);
  await putNumbered(store, 0, 10);
  const reader = await openReader(t, store.config.storePathRootDir);
  t.is(reader.consumerOffsets.get("group", "TopicA", 0), undefined);
  for (const offset of [4, 9]) {
    store.consumerOffsets.commit("group", "TopicA", 0, offset);
    await store.consumerOffsets.persist();
    await until(() => reader.consumerOffsets.get("group", "TopicA", 0) === offset);
  }
  t.pass();
});

test.serial("what is no store is refused, and not made", async (t) => {
  const directory = temporaryDirectory(t);
  for (const none of [directory, join(directory, "missing")]) {
    await t.throwsAsync(MessageStore.openReadOnly(none), { code: "ERR_PATH_UNUSABLE" });
    t.throws(() => MessageStore.sizesOf(none), { code: "ERR_PATH_UNUSABLE" });
  }
  await t.throwsAsync(MessageStore.openReadOnly(directory, { lockNot: true } as object), { code: "ERR_OPTION_UNKNOWN" });
  t.deepEqual(readdirSync(directory), []);
});

for (const { name, paths } of FIXTURE_STORES) {
  test.serial(`a directory of RocketMQ's is read as Millrace reads it when it has it open: ${name}`, async (t) => {
    const directory = join(temporaryDirectory(t), "store");
    cpSync(paths.root, directory, { recursive: true });
    const before = listing(directory);
    const reader = await openReader(t, directory);
    const read = reader.queueStats();
    const bodies = read.map(({ topic, queueId, minOffset, maxOffset }) => {
      using found = reader.getMessage({ topic, queueId, queueOffset: minOffset });
      return [topic, queueId, maxOffset, found.status, found.copyMessages().map(({ msgId }) => msgId)];
    });
    await reader.close();
    t.deepEqual(listing(directory), before);
    const store = await openStore(t, { ...FIXTURE_SIZES, storePathRootDir: directory });
    t.true(read.length > 0);
    for (const [topic, queueId, maxOffset, status, ids] of bodies) {
      const queueOffset = store.getMinOffsetInQueue(String(topic), Number(queueId));
      using found = store.getMessage({ topic: String(topic), queueId: Number(queueId), queueOffset });
      t.deepEqual(
        ids,
        found.copyMessages().map(({ msgId }) => msgId),
        String(topic),
      );
      t.is(status, found.status);
      if (!String(topic).startsWith("SCHEDULE")) t.is(maxOffset, store.getMaxOffsetInQueue(String(topic), Number(queueId)));
    }
  });
}

test.serial("a reader gives nothing that was cut off, and what has been put in its place", async (t) => {
  const options = { ...SMALL, mappedFileSizeCommitLog: 64 * KIB };
  const store = await openStore(t, options);
  const { storePathRootDir } = store.config;
  await putNumbered(store, 1000, 1300, 500);
  const reader = await openReader(t, storePathRootDir);
  t.deepEqual(numbersOf(reader), range(1000, 1300));
  await store.close();
  const { segmentsRemoved } = await MessageStore.truncate({ ...options, storePathRootDir }, 30_000);
  t.true(segmentsRemoved.length > 0);
  const again = await openStore(t, { ...options, storePathRootDir });
  const kept = again.getMaxOffsetInQueue("TopicA", 0);
  await putNumbered(again, 2000, 2300, 500);
  const expected = [...range(1000, 1000 + kept), ...range(2000, 2300)];
  await until(() => reader.getMaxOffsetInQueue("TopicA", 0) === expected.length);
  // Until it has looked which files there are, units of the one life may lead into the other: that is refused.
  const numbers = (): number[] => {
    try {
      return numbersOf(reader);
    } catch {
      return [];
    }
  };
  await until(() => numbers().length > 0 && numbers()[150] !== 1150);
  t.deepEqual(numbersOf(reader), expected);
});

function mappingsBelow(directory: string): number {
  return readFileSync("/proc/self/maps", "utf8")
    .split("\n")
    .filter((line) => line.includes(directory)).length;
}

test.serial("a reader that could not be opened leaves no watch and no mapping, as one that has been closed", async (t) => {
  const store = await openStore(t, SMALL);
  const { storePathRootDir } = store.config;
  for (let n = 0; n < 5; n++) await store.putMessage(message({ topic: `Topic${n}` }));
  await dispatchedAll(store);
  await store.close();
  const queues = join(storePathRootDir, "consumequeue");
  const reader = await openReader(t, storePathRootDir);
  t.true(watchesBelow(queues) > 0 && mappingsBelow(storePathRootDir) > 0);
  reader.close();
  t.deepEqual([watchesBelow(queues), mappingsBelow(storePathRootDir)], [0, 0]);
  let refused = 0;
  for (let opened: FollowedStore | undefined; opened === undefined; ) {
    const faults = [{ operation: "read", path: "consumequeue", after: refused, code: "EIO" }] as const;
    opened = await FollowedStore.open(storePathRootDir, {}, { kind: "faulty", faults }).catch(() => undefined);
    if (opened === undefined) refused++;
    opened?.close();
    t.deepEqual([watchesBelow(queues), mappingsBelow(storePathRootDir)], [0, 0]);
  }
  t.true(refused > 10); // each of the queues was listed before it was watched
});
