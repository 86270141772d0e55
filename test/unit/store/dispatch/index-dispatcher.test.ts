import { join } from "node:path";
import { decodeIndexHeader } from "@millrace/format";
import { createStorage, type Fault } from "@millrace/mapped-file";
import test from "ava";
import { IndexReader } from "#store/read/index-reader.js";
import { CommitLogBuilder } from "../../../support/commit-log-builder.js";
import { hex, IndexDirectory, keyedLog, properties, realStorage, requestOf } from "../../../support/index-log.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const SMALL = { maxHashSlotNum: 10, maxIndexNum: 8 };
const EVER = Number.MAX_SAFE_INTEGER;

function offsetsOf(directory: IndexDirectory, topic: string, key: string): number[] {
  const reader = new IndexReader(realStorage, directory.index, directory.config);
  const { offsets } = reader.queryOffset(topic, key, 64, 0, EVER);
  reader.close();
  return offsets;
}

test("the unique key comes first, then each key between spaces; rollbacks have none", (t) => {
  const log = new CommitLogBuilder();
  const text = properties({ KEYS: " A  B A", UNIQ_KEY: "U" });
  const records = [0, 4, 8, 12].map((sysFlag) => log.add({ properties: text, sysFlag }));
  log.add({ properties: "" });
  log.add({ properties: "KEYS\x01\x02UNIQ_KEY\x01\x02" });
  const directory = new IndexDirectory(temporaryDirectory(t)).build(log);
  const [content = Buffer.alloc(0)] = directory.contents;
  t.is(decodeIndexHeader(content).indexCount, 1 + 3 * 4);
  const [none, prepared, commit] = records.map(({ offset }) => offset) as [number, number, number];
  t.deepEqual(offsetsOf(directory, "TopicA", "U"), [commit, prepared, none]);
  t.deepEqual(offsetsOf(directory, "TopicA", "A"), [commit, commit, prepared, prepared, none, none]);
  t.deepEqual(offsetsOf(directory, "TopicA", "B"), [commit, prepared, none]);
  t.deepEqual(offsetsOf(directory, "TopicB", "U"), []);
});

test("a key of any characters is found by Java's hash of it", (t) => {
  const log = new CommitLogBuilder();
  const keys = ["schlüssel", "密钥", "🌊", "a#b"];
  const { offset } = log.add({ properties: properties({ KEYS: keys.join(" "), UNIQ_KEY: "ключ" }) });
  const directory = new IndexDirectory(temporaryDirectory(t)).build(log);
  for (const key of [...keys, "ключ"]) t.deepEqual(offsetsOf(directory, "TopicA", key), [offset], key);
});

test("without a key there is no file", (t) => {
  const log = new CommitLogBuilder();
  log.add({ properties: "" });
  const directory = new IndexDirectory(temporaryDirectory(t));
  const dispatcher = directory.dispatcher();
  dispatcher.dispatch(requestOf(log, log.records[0] ?? log.add()));
  t.is(dispatcher.lastFile, undefined);
  t.is(dispatcher.indexedOffset, log.offset);
  dispatcher.force();
  dispatcher.close();
  t.deepEqual(directory.names, []);
});

test("a record below the offset to begin with, or dispatched again, is passed over", (t) => {
  const log = keyedLog(20);
  const directory = new IndexDirectory(temporaryDirectory(t)).build(log);
  const before = hex(directory.contents);
  const dispatcher = directory.dispatcher(log.offset);
  t.is(dispatcher.handledOffset(), log.offset);
  for (const record of log.records) dispatcher.dispatch(requestOf(log, record));
  const next = log.add({ properties: properties({ UNIQ_KEY: "next" }) });
  for (let i = 0; i < 3; i++) dispatcher.dispatch(requestOf(log, next));
  t.deepEqual(offsetsOf(directory, "TopicA", "next"), [next.offset]);
  t.is(dispatcher.lastFile?.endPhysicalOffset, next.offset);
  dispatcher.close();
  t.notDeepEqual(hex(directory.contents), before);
});

test("many lives build what one life builds, however often the files are full", (t) => {
  const log = keyedLog(200);
  const once = new IndexDirectory(temporaryDirectory(t), SMALL).build(log);
  const lives = new IndexDirectory(temporaryDirectory(t), SMALL);
  for (const [i, record] of log.records.entries()) {
    const dispatcher = lives.dispatcher(record.offset);
    dispatcher.dispatch(requestOf(log, record));
    if (i % 3 === 0) dispatcher.force();
    dispatcher.close();
  }
  t.true(once.names.length > 20);
  t.deepEqual(hex(lives.contents), hex(once.contents));
});

test("a file that is full is forced before its end is told", (t) => {
  const log = keyedLog(100);
  const directory = new IndexDirectory(temporaryDirectory(t), SMALL);
  const ends: number[] = [];
  const dispatcher = directory.dispatcher(0, realStorage, (end) => ends.push(end));
  for (const record of log.records) dispatcher.dispatch(requestOf(log, record));
  dispatcher.close();
  const full = directory.contents.slice(0, -1).map((content) => decodeIndexHeader(content));
  t.true(full.every(({ indexCount }) => indexCount === SMALL.maxIndexNum));
  t.deepEqual(
    ends,
    full.map(({ endTimestamp }) => endTimestamp),
  );
});

test("whatever fails while a record is indexed, its keys are there once, in order", (t) => {
  const log = keyedLog(120);
  const once = new IndexDirectory(temporaryDirectory(t), SMALL).build(log);
  const expected = hex(once.contents);
  for (const operation of ["open", "write", "truncate", "rename", "map", "syncDirectory"] satisfies Fault["operation"][]) {
    let failures = 0;
    for (let after = 0; after < 12; after++) {
      const directory = new IndexDirectory(temporaryDirectory(t), SMALL);
      const fault: Fault = { operation, path: directory.index, after, times: 2, code: "ENOSPC" };
      const dispatcher = directory.dispatcher(0, createStorage({ kind: "faulty", faults: [fault] }));
      for (const record of log.records) {
        for (let done = false; !done; ) {
          try {
            dispatcher.dispatch(requestOf(log, record));
            done = true;
          } catch (error) {
            t.is((error as NodeJS.ErrnoException).code, "ENOSPC");
            failures++;
          }
        }
      }
      dispatcher.close();
      t.deepEqual(hex(directory.contents), expected, `${operation} after ${after}`);
    }
    // Sealing a full file opens it to read it; what fails there costs the seal and is nobody's error.
    t.is(failures, operation === "open" ? 21 : 24, operation);
  }
});

test("the file that a force would write is told, so that it can be forced in the background first", (t) => {
  const log = keyedLog(20);
  const directory = new IndexDirectory(temporaryDirectory(t));
  const dispatcher = directory.dispatcher();
  t.deepEqual(dispatcher.unforcedPaths(), []);
  for (const record of log.records) dispatcher.dispatch(requestOf(log, record));
  t.deepEqual(dispatcher.unforcedPaths(), [join(directory.index, dispatcher.lastFile?.name ?? "")]);
  dispatcher.force();
  t.deepEqual(dispatcher.unforcedPaths(), []);
  dispatcher.close();
});

test("after a failed force none succeeds, but keys are still indexed", (t) => {
  const log = keyedLog(100);
  const directory = new IndexDirectory(temporaryDirectory(t), SMALL);
  const storage = createStorage({
    kind: "faulty",
    faults: [{ operation: "force", path: directory.index, after: 1, times: 1, code: "EIO" }],
  });
  const ends: number[] = [];
  const dispatcher = directory.dispatcher(0, storage, (end) => ends.push(end));
  for (const record of log.records) dispatcher.dispatch(requestOf(log, record));
  for (let i = 0; i < 2; i++) t.throws(() => dispatcher.force(), { code: "EIO" });
  dispatcher.close();
  t.is(ends.length, 1, "only of the file whose force succeeded");
  t.deepEqual(hex(directory.contents), hex(new IndexDirectory(temporaryDirectory(t), SMALL).build(log).contents));
});

test("files whose records are gone are deleted, the last one never", (t) => {
  const log = keyedLog(100);
  const directory = new IndexDirectory(temporaryDirectory(t), SMALL);
  const dispatcher = directory.dispatcher();
  for (const record of log.records) dispatcher.dispatch(requestOf(log, record));
  const names = directory.names;
  const ends = directory.contents.map((content) => decodeIndexHeader(content).endPhysicalOffset);
  dispatcher.deleteExpired(ends[0] ?? 0);
  t.deepEqual(directory.names, names, "a record at its end is still there");
  dispatcher.deleteExpired((ends[1] ?? 0) + 1);
  t.deepEqual(directory.names, names.slice(2));
  dispatcher.deleteExpired(2 ** 50);
  t.deepEqual(directory.names, names.slice(-1));
  dispatcher.close();
  const again = directory.dispatcher(log.offset);
  again.deleteExpired(2 ** 50);
  t.deepEqual(directory.names, names.slice(-1));
  t.is(again.lastFile?.name, names.at(-1));
  again.close();
});

test("a file that cannot be deleted is tried again", (t) => {
  const log = keyedLog(100);
  const directory = new IndexDirectory(temporaryDirectory(t), SMALL).build(log);
  const [, second = "", third = ""] = directory.names;
  const storage = createStorage({
    kind: "faulty",
    faults: [{ operation: "remove", path: second, after: 0, times: 1, code: "EACCES" }],
  });
  const dispatcher = directory.dispatcher(log.offset, storage);
  const end = decodeIndexHeader(directory.contents[1] ?? Buffer.alloc(40)).endPhysicalOffset + 1;
  t.throws(() => dispatcher.deleteExpired(end), { code: "EACCES" });
  t.is(directory.names[0], second);
  dispatcher.deleteExpired(end);
  t.is(directory.names[0], third);
  dispatcher.close();
});
