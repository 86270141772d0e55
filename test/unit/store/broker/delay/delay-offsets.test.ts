import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStorage } from "@millrace/mapped-file";
import test, { type ExecutionContext } from "ava";
import { DelayOffsets } from "#store/broker/delay/delay-offsets.js";
import { temporaryDirectory } from "../../../../support/temporary-directory.js";

const nothing = async (): Promise<void> => {};
const storage = createStorage({ kind: "real" });

/** Path of a delayOffset.json with this content, and of its backup. */
function fileWith(t: ExecutionContext, content?: string, backup?: string): string {
  const directory = join(temporaryDirectory(t), "config");
  const path = join(directory, "delayOffset.json");
  mkdirSync(directory);
  if (content !== undefined) writeFileSync(path, content);
  if (backup !== undefined) writeFileSync(`${path}.bak`, backup);
  return path;
}

const read = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));

test("fastjson's keys without quotes", (t) => {
  const offsets = DelayOffsets.open(storage, fileWith(t, '{\n\t"offsetTable":{1:123,2:0,18:7\n\t}\n}'));
  t.deepEqual(
    [1, 2, 3, 18].map((level) => offsets.get(level)),
    [123, 0, 0, 7],
  );
});

test("keys with quotes", (t) => {
  const offsets = DelayOffsets.open(storage, fileWith(t, '{"offsetTable":{"1":123,"2":0}}'));
  t.deepEqual(
    [1, 2, 3].map((level) => offsets.get(level)),
    [123, 0, 0],
  );
});

test("the object without a table that RocketMQ writes when nothing was ever delayed", async (t) => {
  const path = fileWith(t, readFileSync("test/fixtures/rocketmq-4.9.8/config/delayOffset.json", "utf8"));
  const offsets = DelayOffsets.open(storage, path);
  t.is(offsets.get(1), 0);
  t.false(offsets.isChanged);
  await offsets.save(async () => t.fail("nothing has changed"));
  t.deepEqual(read(path), {});
});

test("no file: everything is at the start, and the first save makes it", async (t) => {
  const path = join(temporaryDirectory(t), "config", "delayOffset.json");
  const offsets = DelayOffsets.open(storage, path);
  t.is(offsets.get(3), 0);
  offsets.set(3, 5);
  t.true(offsets.isChanged);
  await offsets.save(nothing);
  t.false(offsets.isChanged);
  t.deepEqual(read(path), { offsetTable: { 3: 5 } });
});

test("RocketMQ 5's dataVersion and levels that are not in use stay in the file", async (t) => {
  const dataVersion = { counter: 4, stateVersion: 0, timestamp: 1_700_000_000_000 };
  const path = fileWith(t, JSON.stringify({ dataVersion, offsetTable: { 1: 10, 40: 3 } }));
  const offsets = DelayOffsets.open(storage, path);
  offsets.set(1, 11);
  await offsets.save(nothing);
  t.deepEqual(read(path), { dataVersion, offsetTable: { 1: 11, 40: 3 } });
  t.deepEqual(read(`${path}.bak`), { dataVersion, offsetTable: { 1: 10, 40: 3 } });
});

for (const content of [
  "",
  "{",
  "[]",
  '{"offsetTable":{1:-5}}',
  '{"offsetTable":{1:"5"}}',
  '{"offsetTable":7}',
  '{"offsetTable":{x:1}}',
]) {
  test(`a broken file, and its backup: ${JSON.stringify(content)}`, (t) => {
    t.is(DelayOffsets.open(storage, fileWith(t, content, '{"offsetTable":{1:9}}')).get(1), 9);
    const path = fileWith(t, content, "x");
    t.throws(() => DelayOffsets.open(storage, path), { code: "ERR_DELAY_OFFSETS_CORRUPT" });
    t.is(readFileSync(path, "utf8"), content);
  });
}

test("a missing file, and its backup", (t) => {
  t.is(DelayOffsets.open(storage, fileWith(t, undefined, '{"offsetTable":{1:9}}')).get(1), 9);
});

test("what is set while a save is under way is saved by the next", async (t) => {
  const path = fileWith(t);
  const offsets = DelayOffsets.open(storage, path);
  offsets.set(1, 1);
  let reached = (): void => {};
  const first = offsets.save(() => new Promise<void>((resolve) => (reached = resolve)));
  offsets.set(1, 2);
  const second = offsets.save(nothing);
  reached();
  await first;
  t.deepEqual(read(path), { offsetTable: { 1: 1 } });
  await second;
  t.deepEqual(read(path), { offsetTable: { 1: 2 } });
});

test("a save that fails leaves the file, and something to save", async (t) => {
  const path = fileWith(t, '{"offsetTable":{"1":1}}');
  const faulty = createStorage({
    kind: "faulty",
    faults: [{ operation: "force", path: "delayOffset.json.tmp", after: 0, times: 1, code: "EIO" }],
  });
  const offsets = DelayOffsets.open(faulty, path);
  offsets.set(1, 2);
  await t.throwsAsync(offsets.save(nothing), { code: "EIO" });
  t.deepEqual(read(path), { offsetTable: { 1: 1 } });
  t.true(offsets.isChanged);
  await offsets.save(nothing);
  t.deepEqual(read(path), { offsetTable: { 1: 2 } });
});

test("the last save is one of all that was ever set, whoever has written the file meanwhile", async (t) => {
  const path = fileWith(t, '{"offsetTable":{"1":1}}');
  const offsets = DelayOffsets.open(storage, path);
  offsets.set(1, 2);
  await offsets.save(nothing);
  writeFileSync(path, '{"offsetTable":{"1":1}}');
  await offsets.saveAgain(nothing);
  t.deepEqual(read(path), { offsetTable: { 1: 2 } });
});
