import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { AbortFile } from "#store/marks/abort-file.js";
import { StoreCheckpointFile } from "#store/marks/store-checkpoint.js";
import { liftStoreFence, readStoreFence, removeLiftedFence, unforcedFrom, writeStoreFence } from "#store/marks/store-fence.js";
import { flipBit } from "../../../support/flip-bit.js";
import { projectRoot } from "../../../support/project-root.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const storage = createStorage({ kind: "real" });
const FIXTURE = join(projectRoot(), "test", "fixtures", "rocketmq-5.3.3", "checkpoint");

test("a fence is read back until it is lifted; its offset stays until recovery has written the log again", (t) => {
  const path = join(temporaryDirectory(t), "millrace.fence");
  t.is(readStoreFence(storage, path), undefined);
  t.is(unforcedFrom(storage, path), undefined);
  liftStoreFence(storage, path);
  removeLiftedFence(storage, path);
  t.false(existsSync(path));
  const fence = { reason: "force failed: EIO", offset: 2 ** 40, time: 1_700_000_000_000 };
  writeStoreFence(storage, path, fence);
  t.deepEqual(readStoreFence(storage, path), fence);
  t.is(unforcedFrom(storage, path), fence.offset);
  removeLiftedFence(storage, path);
  t.deepEqual(readStoreFence(storage, path), fence, "nobody has lifted it");
  for (let times = 0; times < 2; times++) liftStoreFence(storage, path);
  t.is(readStoreFence(storage, path), undefined);
  t.is(unforcedFrom(storage, path), fence.offset);
  removeLiftedFence(storage, path);
  t.is(unforcedFrom(storage, path), undefined);
  t.false(existsSync(path));
});

test("a fence that says nothing sensible is a fence", (t) => {
  const path = join(temporaryDirectory(t), "millrace.fence");
  const contents = [
    "",
    "{",
    "null",
    "[]",
    "7",
    '{"reason":1,"offset":"x"}',
    '{"__proto__":{"reason":"x"}}',
    '{"offset":-1}',
    '{"isLifted":true}',
  ];
  for (const content of contents) {
    writeFileSync(path, content);
    const fence = readStoreFence(storage, path);
    t.regex(fence?.reason ?? "", /^fence file says/, content);
    t.deepEqual([fence?.offset, fence?.time], [0, 0]);
  }
});

test("a fence with a flipped bit stays a fence, from the first byte on", (t) => {
  const path = join(temporaryDirectory(t), "millrace.fence");
  writeStoreFence(storage, path, { reason: "EIO", offset: 4711, time: 1 });
  liftStoreFence(storage, path);
  t.is(unforcedFrom(storage, path), 4711);
  for (let at = 0; at < statSync(path).size; at++) {
    flipBit(path, at, at % 8);
    t.deepEqual([readStoreFence(storage, path)?.offset, unforcedFrom(storage, path)], [0, 0], `byte ${at}`);
    flipBit(path, at, at % 8);
  }
  writeFileSync(path, JSON.stringify({ reason: "EIO", offset: 4711, time: 1 }));
  t.deepEqual(readStoreFence(storage, path), { reason: "EIO", offset: 4711, time: 1 }, "as the first versions wrote it");
});

test("the abort file holds the process id, beside an empty backup, and is gone after a clean end", (t) => {
  const directory = temporaryDirectory(t);
  const abort = new AbortFile(storage, join(directory, "abort"));
  t.false(abort.exists());
  abort.create(4711);
  t.true(abort.exists());
  t.is(readFileSync(abort.path, "utf8"), "4711");
  t.is(statSync(`${abort.path}.bak`).size, 0);
  abort.create(4712);
  t.is(readFileSync(abort.path, "utf8"), "4712");
  abort.remove();
  abort.remove();
  t.false(abort.exists());
  t.true(existsSync(`${abort.path}.bak`));
});

test("a clean end that cannot be made durable is an error", (t) => {
  const directory = temporaryDirectory(t);
  new AbortFile(storage, join(directory, "abort")).create(1);
  const faulty = createStorage({
    kind: "faulty",
    faults: [{ operation: "syncDirectory", path: directory, after: 0, code: "EIO" }],
  });
  t.throws(() => new AbortFile(faulty, join(directory, "abort")).remove(), { code: "EIO" });
});

test("a checkpoint is made of zeros, and written in place", (t) => {
  const path = join(temporaryDirectory(t), "checkpoint");
  t.is(StoreCheckpointFile.read(storage, path), undefined);
  const file = StoreCheckpointFile.open(storage, path);
  t.deepEqual(readFileSync(path), Buffer.alloc(4096));
  const { ino } = statSync(path);
  const checkpoint = {
    physicMsgTimestamp: 1_700_000_000_000,
    logicsMsgTimestamp: 2,
    indexMsgTimestamp: 3,
    masterFlushedOffset: 4,
    confirmPhysicalOffset: 5,
  };
  file.write(checkpoint);
  file.close();
  t.deepEqual(StoreCheckpointFile.read(storage, path), checkpoint);
  t.is(statSync(path).ino, ino);
});

test("a checkpoint of RocketMQ's is read, and written back as it was", (t) => {
  const path = join(temporaryDirectory(t), "checkpoint");
  const content = readFileSync(FIXTURE);
  writeFileSync(path, content);
  const checkpoint = StoreCheckpointFile.read(storage, path);
  if (checkpoint === undefined) return t.fail();
  const file = StoreCheckpointFile.open(storage, path);
  file.write(checkpoint);
  file.close();
  t.deepEqual(readFileSync(path), content);
  t.true(checkpoint.physicMsgTimestamp > 1_700_000_000_000);
});

test("a checkpoint that is none is made again", (t) => {
  const path = join(temporaryDirectory(t), "checkpoint");
  for (const damaged of [Buffer.alloc(0), Buffer.alloc(100), Buffer.alloc(4096, 0xee)]) {
    writeFileSync(path, damaged);
    t.is(StoreCheckpointFile.read(storage, path), undefined);
    StoreCheckpointFile.open(storage, path).close();
    t.deepEqual(readFileSync(path), Buffer.alloc(4096));
  }
});

test("an abort file goes without a descriptor too; a sync that fails is told", (t) => {
  const directory = temporaryDirectory(t);
  for (const code of ["EMFILE", "EIO"]) {
    const path = join(directory, "abort");
    writeFileSync(path, "");
    const faults = [{ operation: "syncDirectory", path: directory, after: 0, times: 1, code }] as const;
    const abort = new AbortFile(createStorage({ kind: "faulty", faults }), path);
    if (code === "EIO") t.throws(() => abort.remove(), { code });
    else abort.remove();
    t.false(existsSync(path), code);
  }
});
