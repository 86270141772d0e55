import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { writeCheckedFile } from "#store/marks/checked-file.js";
import { DISPATCHED_MARK_MAGIC } from "#store/marks/checked-file-descriptor.js";
import { DeletedTopics } from "#store/marks/deleted-topics.js";
import { readDispatchedMark, writeDispatchedMark } from "#store/marks/dispatched-mark.js";
import { refuseUnsupportedDirectories } from "#store/recover/unsupported-directories.js";
import { flipBit } from "../../../support/flip-bit.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { message, openStore } from "../../../support/temporary-store.js";

const storage = createStorage({ kind: "real" });

test("a mark is read back; one that is missing or says nothing sensible is none", (t) => {
  const path = join(temporaryDirectory(t), "millrace.dispatched");
  t.is(readDispatchedMark(storage, path), undefined);
  for (const [indexFile, lockModifiedMs] of [[undefined, undefined] as const, ["20261120183529195", 1234.5] as const]) {
    const mark = { dispatchedOffset: 2 ** 41, indexedOffset: 2 ** 40, indexFile, indexEndOffset: 2 ** 39, lockModifiedMs };
    writeDispatchedMark(storage, path, mark);
    t.deepEqual(readDispatchedMark(storage, path), mark);
  }
  const kind = { magic: DISPATCHED_MARK_MAGIC, version: 1 };
  const good = { dispatchedOffset: 1, indexedOffset: 1, indexFile: "1", indexEndOffset: 1 };
  const bad = [
    { dispatchedOffset: -1 },
    { indexedOffset: 0.5 },
    { indexEndOffset: "1" },
    { indexFile: 7 },
    { dispatchedOffset: 2 ** 60 },
  ];
  for (const content of ["", "{", "null", "[]", ...bad.map((change) => JSON.stringify({ ...good, ...change }))]) {
    writeCheckedFile(storage, path, kind, new TextEncoder().encode(content));
    t.is(readDispatchedMark(storage, path), undefined, content);
  }
});

test("deleted topics are remembered until the log has nothing of them, and never reach beyond the log", (t) => {
  const path = join(temporaryDirectory(t), "config", "millrace.deletedTopics");
  const topics = DeletedTopics.read(storage, path);
  t.is(topics.get("TopicA"), 0);
  for (const topic of ["TopicA", "__proto__", "constructor"]) {
    t.is(topics.get(topic), 0);
    topics.add(topic, 100);
    t.is(DeletedTopics.read(storage, path).get(topic), 100);
  }
  topics.add("TopicA", 500);
  topics.add("TopicA", 50);
  t.is(DeletedTopics.read(storage, path).get("TopicA"), 500);
  topics.prune(99, 400);
  t.deepEqual([...DeletedTopics.read(storage, path).offsets.values()].sort(), [100, 100, 400]);
  topics.prune(100);
  t.deepEqual([...DeletedTopics.read(storage, path).offsets], [["TopicA", 400]]);
  topics.prune(400);
  t.is(DeletedTopics.read(storage, path).offsets.size, 0);
});

test("a damaged table of deleted topics is read from its copy, and made again; with both damaged nothing counts as deleted", (t) => {
  const path = join(temporaryDirectory(t), "deletedTopics");
  DeletedTopics.read(storage, path).add("TopicA", 500);
  const length = readFileSync(path).length;
  for (let at = 0; at < length; at++) {
    flipBit(path, at, at % 8);
    const topics = DeletedTopics.read(storage, path);
    t.deepEqual([...topics.offsets], [["TopicA", 500]], `byte ${at}`);
    t.like(topics.damage, { length: 1, 0: { path } });
    topics.prune(0);
    t.deepEqual(DeletedTopics.read(storage, path).damage, []);
  }
  for (const candidate of [path, `${path}.copy`]) flipBit(candidate, length - 4);
  const topics = DeletedTopics.read(storage, path);
  t.deepEqual([topics.offsets.size, topics.damage.length], [0, 2]);
});

test("a deletion, or its end, that a kill left in the table and not in its copy is in both after the next opening", (t) => {
  const path = join(temporaryDirectory(t), "deletedTopics");
  const copy = `${path}.copy`;
  DeletedTopics.read(storage, path).add("TopicA", 100);
  for (const change of [(topics: DeletedTopics) => topics.add("TopicB", 500), (topics: DeletedTopics) => topics.prune(300)]) {
    const before = readFileSync(copy);
    change(DeletedTopics.read(storage, path));
    const after = DeletedTopics.read(storage, path).offsets;
    writeFileSync(copy, before);
    const next = DeletedTopics.read(storage, path);
    t.deepEqual(next.offsets, after);
    t.deepEqual(next.damage, []);
    next.prune(0, 1000);
    flipBit(path, 20);
    t.deepEqual(DeletedTopics.read(storage, path).offsets, after);
    DeletedTopics.read(storage, path).prune(0);
  }
});

test("a table of deleted topics from before it had a CRC is read, and replaced", (t) => {
  const path = join(temporaryDirectory(t), "deletedTopics");
  writeFileSync(`${path}.json`, '{"TopicA":400,"TopicB":300}');
  const topics = DeletedTopics.read(storage, path);
  t.is(topics.get("TopicA"), 400);
  topics.prune(0);
  t.false(existsSync(`${path}.json`));
  t.is(DeletedTopics.read(storage, path).get("TopicB"), 300);
});

test("what is no table of deleted topics is damage, and deletes nothing", (t) => {
  const path = join(temporaryDirectory(t), "deletedTopics");
  for (const content of ["", "{", "7", "[]", '{"TopicA":-1}', '{"TopicA":"x"}', '{"TopicA":1.5}']) {
    writeFileSync(`${path}.json`, content);
    const topics = DeletedTopics.read(storage, path);
    t.deepEqual([topics.offsets.size, topics.damage.length], [0, 1], content);
  }
});

test("queues of batches, extended queues and light queues are refused before anything is done; their empty directories are not", (t) => {
  for (const queue of ["batchconsumequeue/TopicA/0", "consumequeue_ext/TopicA/0", "consumequeue/%LMQ%a/0"]) {
    const root = temporaryDirectory(t);
    const paths = storePaths(root);
    refuseUnsupportedDirectories(storage, paths);
    for (const empty of ["batchconsumequeue/TopicB", "consumequeue_ext", "consumequeue/TopicA/0"])
      mkdirSync(join(root, empty), { recursive: true });
    refuseUnsupportedDirectories(storage, paths);
    mkdirSync(join(root, queue), { recursive: true });
    const message = new RegExp(`path=${root}/${queue.split("/", queue.startsWith("consumequeue/") ? 2 : 3).join("/")}$`);
    t.throws(() => refuseUnsupportedDirectories(storage, paths), { code: "ERR_CONSUME_QUEUE_UNSUPPORTED", message }, queue);
  }
});

test("ConsumeQueues in RocksDB are refused: the offsets of the consumer groups would be there too", (t) => {
  for (const file of ["consumequeue/CURRENT", "consumequeue_rocksdb/CURRENT"]) {
    const root = temporaryDirectory(t);
    mkdirSync(join(root, "consumequeue/TopicA/0"), { recursive: true });
    mkdirSync(join(root, "consumequeue_rocksdb"));
    // What every broker of 5.5 leaves there.
    mkdirSync(join(root, "rocksdbstore"));
    writeFileSync(join(root, "rocksdbstore/CURRENT"), "");
    refuseUnsupportedDirectories(storage, storePaths(root));
    writeFileSync(join(root, file), "");
    const message = new RegExp(`path=${root}/${file}$`);
    t.throws(
      () => refuseUnsupportedDirectories(storage, storePaths(root)),
      { code: "ERR_CONSUME_QUEUE_UNSUPPORTED", message },
      file,
    );
  }
});

test("a store is not opened with directories that it would misread, or that would lead out of it", async (t) => {
  for (const [directory, code] of [
    ["batchconsumequeue/TopicA/0", "ERR_CONSUME_QUEUE_UNSUPPORTED"],
    ["consumequeue/Topic.A/0", "ERR_CONSUME_QUEUE_TOPIC"],
    [`consumequeue/${"t".repeat(255)}/01`, "ERR_CONSUME_QUEUE_NAME"],
    ["consumequeue/TopicA/2147483648", "ERR_CONSUME_QUEUE_NAME"],
  ] as const) {
    const root = temporaryDirectory(t);
    const store = await openStore(t, { storePathRootDir: root });
    await store.putMessage(message());
    await store.close();
    mkdirSync(join(root, directory), { recursive: true });
    await t.throwsAsync(openStore(t, { storePathRootDir: root }), {
      code,
      message: new RegExp(`path=${root}/${directory.slice(0, 20)}`),
    });
  }
});
