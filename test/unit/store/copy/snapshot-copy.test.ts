import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName, storePaths } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { SnapshotCopy } from "#store/copy/snapshot-copy.js";
import { StoreCopy } from "#store/copy/store-copy.js";
import { ScanProgress } from "#store/recover/scan/scan-progress.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { KIB, numbered, openStore } from "../../../support/temporary-store.js";

test("an index file that retention takes between the listing and its copy is left out, and the later ones are copied", async (t) => {
  const store = await openStore(t, { mappedFileSizeCommitLog: 1024 * KIB, maxHashSlotNum: 50, maxIndexNum: 40 });
  for (let n = 0; n < 200; n++) await store.putMessage(numbered(n, 100, { keys: `k${n}` }));
  const { config, maxPhysicalOffset } = store;
  await store.close();
  const source = storePaths(config.storePathRootDir);
  const target = storePaths(join(temporaryDirectory(t), "backup"));
  mkdirSync(target.root);
  const storage = createStorage({ kind: "real" });
  const list = storage.list.bind(storage);
  storage.list = (directory) => {
    const entries = list(directory);
    if (directory === source.index) rmSync(join(directory, entries[0]?.name ?? "none"));
    return entries;
  };
  const copied = new SnapshotCopy(new StoreCopy(storage, config, source, target, new ScanProgress()), maxPhysicalOffset).run();
  t.deepEqual(copied, { minOffset: 0, maxOffset: maxPhysicalOffset });
  const files = readdirSync(target.index);
  t.true(files.length > 1);
  t.deepEqual(files, readdirSync(source.index));
});

test("a damaged unit costs a snapshot none of those behind it, and what is behind the snapshot's end is left out", async (t) => {
  const store = await openStore(t, { mappedFileSizeConsumeQueue: 400 });
  const ends: number[] = [];
  for (let n = 0; n < 30; n++) {
    await store.putMessage(numbered(n));
    ends.push(store.maxPhysicalOffset);
  }
  const { config } = store;
  await store.close();
  const source = storePaths(config.storePathRootDir);
  const target = storePaths(join(temporaryDirectory(t), "backup"));
  mkdirSync(target.root);
  const last = join("TopicA", "0", segmentFileName(400));
  const bytes = readFileSync(join(source.consumeQueue, last));
  bytes.fill(0, 20, 40); // unit 21
  bytes.writeUInt8(1, 60 + 2); // unit 23 leads far beyond the log
  writeFileSync(join(source.consumeQueue, last), bytes);
  const storage = createStorage({ kind: "real" });
  new SnapshotCopy(new StoreCopy(storage, config, source, target, new ScanProgress()), ends[25] ?? 0).run();
  const copied = readFileSync(join(target.consumeQueue, last));
  t.deepEqual(copied, Buffer.concat([bytes.subarray(0, 6 * 20), Buffer.alloc(14 * 20)]));
});
