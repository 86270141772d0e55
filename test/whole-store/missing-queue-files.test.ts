import { closeSync, cpSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import type { MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { resolveConfig } from "#store/config/message-store-config.js";
import { DirectoryFollower } from "#store/follow/directory-follower.js";
import { FollowedWords } from "#store/follow/followed-words.js";
import { IndexShapeSearch } from "#store/follow/index-shape-search.js";
import { APPENDED_NOWHERE } from "#store/read/commit-log-reader.js";
import { MessageReader } from "#store/read/message-reader.js";
import { openReader, putNumbered, type Reader, range, watchesBelow } from "../support/store-reader.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { numbered, numberOf, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";
import { dispatchedAll, stays, until } from "../support/until.js";

const SMALL: MessageStoreOptions = { mappedFileSizeConsumeQueue: 2000, maxHashSlotNum: 100, maxIndexNum: 4000 };
/** Longer than a reader takes from one listing of the files to the next. */
const LISTING_MS = 1500;

function follow(t: ExecutionContext, root: string): FollowedWords {
  const storage = createStorage({ kind: "real" });
  const config = resolveConfig({ ...SMALL, storePathRootDir: root, mappedFileSizeCommitLog: SEGMENT_SIZE });
  const words = new FollowedWords();
  const reader = new MessageReader(storage, config, words.control, words.queues, words.topics, APPENDED_NOWHERE);
  const paths = storePaths(root);
  const follower = new DirectoryFollower(storage, paths, SEGMENT_SIZE, new IndexShapeSearch(storage, paths.index), words, reader);
  t.teardown(() => {
    follower.close();
    reader.close();
  });
  return words;
}

test.serial(
  "a queue's directory without a file takes no queue slot, however often it is looked at, before it has one",
  async (t) => {
    const store = await openStore(t, SMALL);
    const { storePathRootDir } = store.config;
    await putNumbered(store, 0, 5);
    for (let n = 0; n < 50; n++) mkdirSync(join(storePathRootDir, "consumequeue", `Empty${n}`, "0"), { recursive: true });
    const { queueSlots } = follow(t, storePathRootDir).control.counters;
    t.is(queueSlots.get(), 1);
    t.true(await stays(() => queueSlots.get() === 1, LISTING_MS));
    await putNumbered(store, 0, 5, 1000, "Empty7");
    await until(() => queueSlots.get() === 2);
  },
);

test.serial("a topic's directory that was deleted and is made again is watched again", async (t) => {
  const store = await openStore(t, SMALL);
  const { storePathRootDir } = store.config;
  await putNumbered(store, 0, 5);
  await store.close();
  await openReader(t, storePathRootDir);
  const queues = join(storePathRootDir, "consumequeue");
  t.is(watchesBelow(queues), 2);
  rmSync(join(queues, "TopicA"), { recursive: true });
  t.true(await stays(() => watchesBelow(queues) === 0, LISTING_MS));
  mkdirSync(join(queues, "TopicA"));
  await until(() => watchesBelow(queues) === 1);
});

/** Numbers of what a consumer has been given, in one array that grows. */
function consume(reader: Reader, from: "earliest" | number): number[] {
  const consumed: number[] = [];
  (async () => {
    for await (const batch of reader.consume({ topic: "TopicA", queueId: 0, from }))
      for (const { body } of batch) consumed.push(numberOf(body));
  })();
  return consumed;
}

test.serial(
  "a queue whose files are away for long, while they are built again, is the same one afterwards for those who consume it",
  async (t) => {
    const store = await openStore(t, SMALL);
    const { storePathRootDir } = store.config;
    await putNumbered(store, 0, 150);
    await store.close();
    const reader = await openReader(t, storePathRootDir);
    const consumed = consume(reader, "earliest");
    await until(() => consumed.length === 150);
    const [queue, kept] = [join(storePathRootDir, "consumequeue", "TopicA", "0"), join(temporaryDirectory(t), "0")];
    cpSync(queue, kept, { recursive: true });
    rmSync(queue, { recursive: true });
    await until(() => reader.topics().length === 0);
    t.is(reader.getMaxOffsetInQueue("TopicA", 0), 0);
    cpSync(join(kept, "0".repeat(20)), join(queue, "0".repeat(20))); // a file's worth has been built
    await until(() => reader.getMaxOffsetInQueue("TopicA", 0) === 100);
    cpSync(kept, queue, { recursive: true, force: false });
    const again = await openStore(t, { ...SMALL, storePathRootDir });
    await putNumbered(again, 150, 160);
    await until(() => consumed.length >= 160);
    t.deepEqual(consumed, range(0, 160));
  },
);

for (const filter of [undefined, { tags: ["a"] }]) {
  const who = filter === undefined ? "a consumer" : "a consumer with a filter";
  test.serial(`${who} passes over nothing whose file, or unit, is a moment in being built again`, async (t) => {
    const store = await openStore(t, SMALL);
    const { storePathRootDir } = store.config;
    await Promise.all(range(0, 250).map((n) => store.putMessage(numbered(n, 1000, { tags: "a" }))));
    await dispatchedAll(store);
    await store.close();
    const reader = await openReader(t, storePathRootDir);
    const consumer = reader.consume({ topic: "TopicA", queueId: 0, from: 100, ...(filter === undefined ? {} : { filter }) });
    const [queue, kept] = [join(storePathRootDir, "consumequeue", "TopicA", "0"), join(temporaryDirectory(t), "0")];
    cpSync(queue, kept, { recursive: true });
    rmSync(queue, { recursive: true });
    const [first, second] = [0, 1].map((file) => String(2000 * file).padStart(20, "0")) as [string, string];
    cpSync(join(kept, first), join(queue, first));
    await until(() => statusAt(reader, 100) === "OFFSET_FOUND_NULL");
    const next = consumer.next();
    t.true(await stays(() => consumer.nextOffset === 100, 300));
    const bytes = readFileSync(join(kept, second));
    writeFileSync(join(queue, second), Buffer.from(bytes).fill(0, 200)); // ten units of it
    const build = (): void => {
      const file = openSync(join(queue, second), "r+");
      writeSync(file, bytes);
      closeSync(file);
      cpSync(kept, queue, { recursive: true, force: false });
    };
    const consumed: number[] = [];
    for (let batch = await next; ; batch = await consumer.next()) {
      t.is(batch.value?.skipped, 0);
      for (const { body } of batch.value ?? []) consumed.push(numberOf(body));
      if (consumed.length === 10) setTimeout(build, 100);
      if (batch.done || consumed.length >= 150) break;
    }
    t.deepEqual(consumed, range(100, 250));
  });
}

test.serial("who goes on where a reader says passes over nothing whose file is a moment in being built again", async (t) => {
  const store = await openStore(t, SMALL);
  const { storePathRootDir } = store.config;
  await putNumbered(store, 0, 250);
  await store.close();
  const reader = await openReader(t, storePathRootDir);
  const [queue, kept] = [join(storePathRootDir, "consumequeue", "TopicA", "0"), join(temporaryDirectory(t), "0")];
  cpSync(queue, kept, { recursive: true });
  rmSync(queue, { recursive: true });
  cpSync(join(kept, "0".repeat(20)), join(queue, "0".repeat(20)));
  await until(() => statusAt(reader, 100) === "OFFSET_FOUND_NULL"); // until then it reads what it has mapped
  const numbers: number[] = [];
  let [queueOffset, misses] = [0, 0];
  while (queueOffset < 250) {
    using found = reader.getMessage({ topic: "TopicA", queueId: 0, queueOffset });
    numbers.push(...found.messages.map(({ body }) => numberOf(body)));
    queueOffset = found.nextBeginOffset;
    if (found.status === "FOUND") continue;
    t.deepEqual([found.status, queueOffset], ["OFFSET_FOUND_NULL", 100]);
    if (++misses === 3) cpSync(kept, queue, { recursive: true, force: false });
  }
  t.deepEqual([numbers, misses], [range(0, 250), 3]);
});

function statusAt(reader: Reader, queueOffset: number): string {
  using found = reader.getMessage({ topic: "TopicA", queueId: 0, queueOffset });
  return found.status;
}

test.serial("a topic that was deleted long before it is put again begins again at 0 for those who consume it", async (t) => {
  const store = await openStore(t, SMALL);
  await putNumbered(store, 0, 20);
  const reader = await openReader(t, store.config.storePathRootDir);
  const consumed = consume(reader, "earliest");
  await until(() => consumed.length === 20);
  await store.deleteTopic("TopicA");
  await until(() => reader.topics().length === 0);
  await putNumbered(store, 500, 503);
  await until(() => consumed.length === 23);
  t.deepEqual(consumed, [...range(0, 20), ...range(500, 503)]);
  t.is(reader.getMaxOffsetInQueue("TopicA", 0), 3);
});
