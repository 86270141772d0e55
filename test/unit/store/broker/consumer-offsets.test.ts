import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { createStorage, type Fault } from "@millrace/mapped-file";
import test, { type ExecutionContext } from "ava";
import { ConsumerOffsets } from "#store/broker/consumer-offsets.js";
import { writeConfigFile } from "#store/marks/config-file.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { message, openStore } from "../../../support/temporary-store.js";
import { until } from "../../../support/until.js";

const NEVER_MS = 0x7fffffff;

function filePath(t: ExecutionContext): string {
  return join(temporaryDirectory(t), "config", "consumerOffset.json");
}

function open(t: ExecutionContext, path: string, faults: readonly Fault[] = [], intervalMs = NEVER_MS): ConsumerOffsets {
  const offsets = ConsumerOffsets.open(createStorage({ kind: "faulty", faults }), path, intervalMs);
  t.teardown(() => offsets.close().catch(() => {}));
  return offsets;
}

function writeFile(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

function read(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}

test("a commit is read back, also by the next opener", async (t) => {
  const path = filePath(t);
  const offsets = open(t, path);
  t.is(offsets.get("GroupA", "TopicA", 0), undefined);
  offsets.commit("GroupA", "TopicA", 0, 12);
  offsets.commit("GroupA", "TopicA", 3, 0);
  offsets.commit("GroupB", "%RETRY%GroupB", 1, Number.MAX_SAFE_INTEGER);
  offsets.commit("GroupA", "TopicA", 0, 7);
  t.is(offsets.get("GroupA", "TopicA", 0), 7);
  t.is(offsets.get("GroupA", "TopicA", 1), undefined);
  t.is(offsets.get("GroupA", "TopicB", 0), undefined);
  t.deepEqual(offsets.groups(), ["GroupA", "GroupB"]);
  t.false(existsSync(path));
  await offsets.persist();
  t.deepEqual(read(path), {
    offsetTable: { "TopicA@GroupA": { "0": 7, "3": 0 }, "%RETRY%GroupB@GroupB": { "1": Number.MAX_SAFE_INTEGER } },
  });
  const next = open(t, path);
  t.is(next.get("GroupA", "TopicA", 0), 7);
  t.is(next.get("GroupA", "TopicA", 3), 0);
  t.is(next.get("GroupB", "%RETRY%GroupB", 1), Number.MAX_SAFE_INTEGER);
  t.deepEqual(next.groups(), ["GroupA", "GroupB"]);
});

test("RocketMQ's file is read, and what is not known in it is written back", async (t) => {
  const path = filePath(t);
  const version = '"dataVersion":{"counter":{"value":2},"stateVersion":0,"timestamp":1700000000000}';
  writeFile(
    path,
    `{${version},\n\t"offsetTable":{"TopicA@GroupA":{0:123,1:45},"TopicB":{0:1},"A@B@C":{2:3},"TopicC@GroupC":{0:-1}}\n}`,
  );
  const offsets = open(t, path);
  t.is(offsets.get("GroupA", "TopicA", 0), 123);
  t.is(offsets.get("GroupA", "TopicA", 1), 45);
  t.is(offsets.get("GroupC", "TopicC", 0), undefined);
  t.deepEqual(offsets.groups(), ["GroupA", "GroupC"]);
  offsets.commit("GroupA", "TopicA", 1, 46);
  await offsets.persist();
  t.deepEqual(read(path), {
    dataVersion: { counter: { value: 2 }, stateVersion: 0, timestamp: 1700000000000 },
    offsetTable: {
      "TopicA@GroupA": { "0": 123, "1": 46 },
      TopicB: { "0": 1 },
      "A@B@C": { "2": 3 },
      "TopicC@GroupC": { "0": -1 },
    },
  });
  t.true(readFileSync(`${path}.bak`, "utf8").includes("{0:123,1:45}"));
});

test("names that mean something to an object are names", async (t) => {
  const path = filePath(t);
  const offsets = open(t, path);
  offsets.commit("__proto__", "__proto__", 0, 1);
  offsets.commit("constructor", "toString", 0, 2);
  await offsets.persist();
  const next = open(t, path);
  t.is(next.get("__proto__", "__proto__", 0), 1);
  t.is(next.get("constructor", "toString", 0), 2);
  t.is(next.get("toString", "constructor", 0), undefined);
});

test("a missing, empty or broken file is read from its backup", (t) => {
  for (const main of [undefined, "", "{", '{"offsetTable":3}', '{"offsetTable":{"A@B":{"x":1}}}', new Uint8Array([0xff])]) {
    const path = filePath(t);
    writeFile(`${path}.bak`, '{"offsetTable":{"TopicA@GroupA":{0:5}}}');
    if (main !== undefined) writeFile(path, main);
    t.is(open(t, path).get("GroupA", "TopicA", 0), 5);
  }
});

test("a broken file never becomes the backup", async (t) => {
  const path = filePath(t);
  const backup = '{"offsetTable":{"TopicA@GroupA":{0:5}}}';
  writeFile(`${path}.bak`, backup);
  writeFile(path, "{");
  const offsets = open(t, path);
  offsets.commit("GroupA", "TopicA", 0, 6);
  await offsets.persist();
  t.is(readFileSync(`${path}.bak`, "utf8"), backup);
  t.is(open(t, path).get("GroupA", "TopicA", 0), 6);
});

test("a broken file without a good backup is an error, and stays as it is", (t) => {
  for (const [main, backup] of [
    ["{", undefined],
    ["", undefined],
    [undefined, "{"],
    ['{"offsetTable":{"A@B":{0:1.5}}}', "[]"],
    ['{"offsetTable":{"A@B":{0:9007199254740993}}}', "{"],
  ]) {
    const path = filePath(t);
    if (main !== undefined) writeFile(path, main);
    if (backup !== undefined) writeFile(`${path}.bak`, backup);
    t.throws(() => open(t, path), { code: "ERR_CONSUMER_OFFSETS_CORRUPT", message: /path=.*consumerOffset\.json reason=/ });
    if (main !== undefined) t.is(readFileSync(path, "utf8"), main);
    if (backup !== undefined) t.is(readFileSync(`${path}.bak`, "utf8"), backup);
  }
});

for (const operation of ["open", "write", "force", "rename", "syncDirectory"] as const) {
  test(`whichever call a save ends at, the old offsets or the new ones are there: ${operation}`, async (t) => {
    for (let after = 0; after < 12; after++) {
      const path = filePath(t);
      const first = open(t, path);
      for (const offset of [1, 2]) {
        first.commit("GroupA", "TopicA", 0, offset);
        await first.persist();
      }
      const fault: Fault = { operation, path: "config", after, code: "EIO", partialBytes: 3 };
      const faulty = createStorage({ kind: "faulty", faults: [fault] });
      const dying = ConsumerOffsets.open(createStorage({ kind: "real" }), path, NEVER_MS, async (content) =>
        writeConfigFile(faulty, path, content),
      );
      t.teardown(() => dying.close().catch(() => {}));
      dying.commit("GroupA", "TopicA", 0, 3);
      const saved = await dying.persist().then(
        () => true,
        () => false,
      );
      const found = open(t, path).get("GroupA", "TopicA", 0) ?? -1;
      t.true(saved ? found === 3 : found === 2 || found === 3, `after=${after} saved=${saved} found=${found}`);
    }
  });
}

test("a save that fails is told, and tried again", async (t) => {
  const path = filePath(t);
  const offsets = open(t, path, [{ operation: "force", path: "consumerOffset", after: 0, times: 1, code: "ENOSPC" }]);
  offsets.commit("GroupA", "TopicA", 0, 1);
  await t.throwsAsync(offsets.persist(), { code: "ENOSPC" });
  t.is((offsets.lastError as NodeJS.ErrnoException).code, "ENOSPC");
  t.is(offsets.get("GroupA", "TopicA", 0), 1);
  await offsets.persist();
  t.is(offsets.lastError, undefined);
  t.is(open(t, path).get("GroupA", "TopicA", 0), 1);
});

const INTERVAL_MS = 1;

/** Timers of one duration fire in the order in which they were set: each round is one of the interval's, and a little later. */
async function rounds(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await setTimeout(INTERVAL_MS);
}

test("the interval saves what is new, and nothing else", async (t) => {
  const path = filePath(t);
  const contents: string[] = [];
  const storage = createStorage({ kind: "real" });
  const offsets = ConsumerOffsets.open(storage, path, INTERVAL_MS, async (content) => {
    contents.push(Buffer.from(content).toString());
  });
  t.teardown(() => offsets.close());
  await rounds(5);
  t.is(contents.length, 0);
  offsets.commit("GroupA", "TopicA", 0, 1);
  await until(() => contents.length > 0);
  await rounds(5);
  t.is(contents.length, 1);
  t.regex(contents[0] ?? "", /"TopicA@GroupA"/);
});

test("persist waits for what is committed while a save is under way", async (t) => {
  const saves: { content: string; done: () => void }[] = [];
  const offsets = ConsumerOffsets.open(createStorage({ kind: "real" }), filePath(t), NEVER_MS, (bytes) => {
    return new Promise((done) => saves.push({ content: Buffer.from(bytes).toString(), done }));
  });
  offsets.commit("GroupA", "TopicA", 0, 1);
  const first = offsets.persist();
  offsets.commit("GroupA", "TopicA", 0, 2);
  const second = offsets.persist();
  const third = offsets.persist();
  t.is(saves.length, 1);
  saves[0]?.done();
  await first;
  t.is(saves.length, 2);
  t.regex(saves[1]?.content ?? "", /"0": 2/);
  saves[1]?.done();
  await Promise.all([second, third, offsets.persist()]);
  t.is(saves.length, 2);
  const closing = offsets.close();
  saves[2]?.done();
  await closing;
});

test("close saves, takes no more commits, and can be called again", async (t) => {
  const path = filePath(t);
  const offsets = open(t, path);
  offsets.commit("GroupA", "TopicA", 0, 1);
  await offsets.close();
  await offsets.close();
  t.throws(() => offsets.commit("GroupA", "TopicA", 0, 2), { code: "ERR_STORE_CLOSED" });
  t.is(offsets.get("GroupA", "TopicA", 0), 1);
  t.is(open(t, path).get("GroupA", "TopicA", 0), 1);
});

test("close saves again over what a broker that found the directory locked has put there", async (t) => {
  const path = filePath(t);
  const offsets = open(t, path);
  offsets.commit("GroupA", "TopicA", 0, 3);
  await offsets.persist();
  writeFile(path, '{"offsetTable":{}}');
  await offsets.close();
  t.deepEqual(read(path), { offsetTable: { "TopicA@GroupA": { "0": 3 } } });
  const idle = open(t, path);
  writeFile(path, '{"offsetTable":{"TopicA@GroupA":{"0":4}}}');
  await idle.close();
  t.deepEqual(read(path), { offsetTable: { "TopicA@GroupA": { "0": 4 } } }, "nothing was committed, nothing is saved");
});

test("what is no group, topic, queue or offset is refused, and leaves nothing", (t) => {
  const offsets = open(t, filePath(t));
  const wrong = (value: unknown): never => value as never;
  for (const group of ["", "a@b", "a b", "../a", "x".repeat(256), wrong(undefined), wrong(1)]) {
    t.throws(() => offsets.commit(group, "TopicA", 0, 1), { code: "ERR_GROUP_ILLEGAL" });
  }
  for (const topic of ["", "a@b", "a/b", "x".repeat(256), wrong(null)]) {
    t.throws(() => offsets.commit("GroupA", topic, 0, 1), { code: "ERR_TOPIC_ILLEGAL" });
  }
  for (const queueId of [-1, 0.5, 2 ** 31, Number.NaN, wrong("0")]) {
    t.throws(() => offsets.commit("GroupA", "TopicA", queueId, 1), { code: "ERR_QUEUE_ILLEGAL" });
  }
  for (const offset of [-1, 0.5, Number.NaN, 2 ** 53, wrong("0"), wrong(undefined)]) {
    t.throws(() => offsets.commit("GroupA", "TopicA", 0, offset), { code: "ERR_OFFSET_ILLEGAL" });
  }
  t.deepEqual(offsets.groups(), []);
});

test.serial("a store with broken offsets does not open, and leaves nothing running", async (t) => {
  const root = temporaryDirectory(t);
  writeFile(join(root, "config", "consumerOffset.json"), "{");
  const before = process.getActiveResourcesInfo().length;
  await t.throwsAsync(openStore(t, { storePathRootDir: root }), { code: "ERR_CONSUMER_OFFSETS_CORRUPT" });
  t.true(process.getActiveResourcesInfo().length <= before, "what an earlier test has left may end meanwhile");
  writeFile(join(root, "config", "consumerOffset.json.bak"), '{"offsetTable":{"TopicA@GroupA":{0:0}}}');
  const store = await openStore(t, { storePathRootDir: root });
  t.is(store.consumerOffsets.get("GroupA", "TopicA", 0), 0);
  await store.putMessage(message());
  store.consumerOffsets.commit("GroupA", "TopicA", 0, 1);
  await store.close();
  const next = await openStore(t, { storePathRootDir: root });
  t.is(next.consumerOffsets.get("GroupA", "TopicA", 0), 1);
});

test.serial("while the store is open another thread waits for the disk, and a close saves on this one", async (t) => {
  // Each thread has its own count of the fault.
  const fault: Fault = { operation: "rename", path: "consumerOffset.json", after: 0, times: 1, code: "ENOSPC" };
  const store = await openStore(t, {}, [fault]);
  const { consumerOffsets } = store;
  for (let n = 0; n < 2; n++) await store.putMessage(message());
  consumerOffsets.commit("GroupA", "TopicA", 0, 1);
  await t.throwsAsync(consumerOffsets.persist(), { code: "ERR_PATH_UNUSABLE", message: /ENOSPC/ });
  await consumerOffsets.persist();
  consumerOffsets.commit("GroupA", "TopicA", 0, 2);
  await t.throwsAsync(store.close(), { code: "ERR_PATH_UNUSABLE", message: /ENOSPC/ });
  const path = join(store.config.storePathRootDir, "config", "consumerOffset.json");
  t.deepEqual(read(path), { offsetTable: { "TopicA@GroupA": { "0": 1 } } });
  t.is(open(t, path).get("GroupA", "TopicA", 0), 2, "the copy was written before");
});

test.serial("what a close cannot save of the delayed messages does not cost the consumers their offsets", async (t) => {
  const fault: Fault = { operation: "rename", path: "delayOffset.json", after: 0, code: "ENOSPC" };
  const store = await openStore(t, { messageDelayLevel: "0s" }, [fault]);
  await store.putMessage(message({ delayTimeLevel: 1 }));
  await until(() => store.stats().schedule.delivered === 1);
  await store.putMessage(message());
  store.consumerOffsets.commit("GroupA", "TopicA", 0, 1);
  await t.throwsAsync(store.close(), { code: "ERR_PATH_UNUSABLE", message: /ENOSPC/ });
  const path = join(store.config.storePathRootDir, "config", "consumerOffset.json");
  t.is(open(t, path).get("GroupA", "TopicA", 0), 1);
});
