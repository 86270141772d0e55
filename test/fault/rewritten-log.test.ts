import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName } from "@millrace/format";
import { MessageStore, type MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { openOn } from "#store/message-store.js";
import { CommitLogBuilder } from "../support/commit-log-builder.js";
import { FailingDisk } from "../support/failing-disk.js";
import { recover, SIZE, segmentPath } from "../support/log-directory.js";
import { readLog } from "../support/stored-log.js";
import { memoryDirectory, temporaryDirectory } from "../support/temporary-directory.js";
import { numbered, numberOf, outcomes, SEGMENT_SIZE } from "../support/temporary-store.js";

const LOG = { path: "commitlog/0", after: -1, code: "EIO" } as const;

/** Numbers of the messages in the log, in order. */
function numbersIn(store: MessageStore): number[] {
  return readLog(store.config.storePathRootDir).messages.map(({ body }) => numberOf(body));
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

async function putAll(store: MessageStore, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) {
    const { status } = await store.putMessage(numbered(n, 1000));
    if (status !== "PUT_OK") throw new Error(status);
  }
}

const modes: Record<string, MessageStoreOptions> = {
  "SYNC_FLUSH, mapped": { flushDiskType: "SYNC_FLUSH" },
  "SYNC_FLUSH, writeWithoutMmap": { flushDiskType: "SYNC_FLUSH", writeWithoutMmap: true },
  "ASYNC_FLUSH, mapped": { flushIntervalCommitLog: 60_000 },
  "ASYNC_FLUSH, pool": { flushIntervalCommitLog: 60_000, transientStorePoolEnable: true },
};

for (const [mode, options] of Object.entries(modes)) {
  test.serial(`${mode}: after a failed force what is put then, and what was, survives the loss of the page cache`, async (t) => {
    const disk = new FailingDisk(t, [LOG]);
    const root = memoryDirectory(t);
    const config = { storePathRootDir: root, mappedFileSizeCommitLog: SEGMENT_SIZE, maxMessageSize: 8192, ...options };
    const first = await openOn(config, disk.spec);
    await putAll(first, 0, 10);
    await first.flush();
    disk.arm();
    const lost = await outcomes(range(10, 20).map((n) => first.putMessage(numbered(n, 1000))));
    await t.throwsAsync(first.flush(), { code: "ERR_STORE_FENCED" });
    await t.throwsAsync(first.close(), { code: "ERR_STORE_FENCED" });

    MessageStore.clearFence(root);
    const second = await openOn(config, disk.spec);
    const known = numbersIn(second);
    t.true(known.length >= 10 + lost.filter((outcome) => "status" in outcome).length);
    t.true(second.recovery.bytesRewritten > 0);
    await putAll(second, known.length, 90); // into the next segment
    await second.flush();
    await second.close();
    t.false(existsSync(join(root, "millrace.fence")));

    disk.remount();
    const third = await openOn(config, disk.spec);
    t.teardown(() => third.close());
    t.deepEqual(numbersIn(third), range(0, 90));
  });
}

test.serial(
  "a force that fails in recovery leaves a fence, and the next recovery writes again what it was to make durable",
  async (t) => {
    const disk = new FailingDisk(t, [LOG]);
    const root = memoryDirectory(t);
    const config = { storePathRootDir: root, mappedFileSizeCommitLog: SEGMENT_SIZE };
    const directory = join(root, "commitlog");
    mkdirSync(directory, { recursive: true });
    const log = new CommitLogBuilder(SEGMENT_SIZE).fillTo(1, 5000);
    log.write(directory);
    const path = join(directory, segmentFileName(SEGMENT_SIZE));
    const full = readFileSync(path);
    // As a killed process leaves it: written, and not forced.
    writeFileSync(path, Buffer.alloc(full.length));
    const file = disk.storage.open(path, "write");
    file.force();
    file.write(full, 0);
    file.close();
    writeFileSync(join(root, "abort"), "1");

    disk.arm();
    await t.throwsAsync(openOn(config, disk.spec), { code: "ERR_FORCE_FAILED", message: /path=.*commitlog/ });
    t.true(existsSync(join(root, "millrace.fence")));
    const second = await openOn(config, disk.spec);
    t.is(second.stats().state, "fenced");
    t.is(second.recovery.messages, log.records.length);
    await second.close();
    MessageStore.clearFence(root);
    await (await openOn(config, disk.spec)).close();

    disk.remount();
    const last = await openOn(config, disk.spec);
    t.teardown(() => last.close());
    t.is(last.recovery.messages, log.records.length);
  },
);

test.serial("names of segments that recovery cannot force leave a fence", async (t) => {
  const root = temporaryDirectory(t);
  const directory = join(root, "commitlog");
  mkdirSync(directory, { recursive: true });
  new CommitLogBuilder(SEGMENT_SIZE).fillTo(0, 100).write(directory);
  const faults = [{ operation: "syncDirectory", path: "commitlog", after: 0, times: 1, code: "EIO" }] as const;
  const config = { storePathRootDir: root, mappedFileSizeCommitLog: SEGMENT_SIZE };
  await t.throwsAsync(openOn(config, { kind: "faulty", faults }), { code: "ERR_FORCE_FAILED" });
  const store = await openOn(config, { kind: "real" });
  t.teardown(() => store.close());
  t.is(store.stats().state, "fenced");
});

/** Segments 0 to 4 of a log, on a disk that has lost the last write-back of all of them: cached and clean. */
function lostLog(t: ExecutionContext): { disk: FailingDisk; directory: string; log: CommitLogBuilder } {
  const disk = new FailingDisk(t);
  const directory = memoryDirectory(t);
  const log = new CommitLogBuilder().fillTo(4, 100);
  log.write(directory);
  for (let index = 0; index <= 4; index++) {
    const path = segmentPath(directory, index);
    const bytes = readFileSync(path);
    writeFileSync(path, Buffer.alloc(SIZE));
    const file = disk.storage.open(path, "write");
    file.write(bytes, 0);
    file.close();
    disk.failWriteBack(path);
    const told = disk.storage.open(path, "write");
    t.throws(() => told.force(), { code: "EIO" });
    told.close();
  }
  return { disk, directory, log };
}

const lastSegments = 3 * SIZE;
for (const [what, options, expected] of [
  ["from the watermark on", { flushedWatermark: 2 * SIZE + 100 }, 3 * SIZE],
  ["from a fence below the watermark on", { flushedWatermark: 4 * SIZE, unforcedFrom: SIZE }, 4 * SIZE],
  ["from the watermark on, not from a fence above it", { flushedWatermark: 3 * SIZE, unforcedFrom: 4 * SIZE }, 2 * SIZE],
  ["without a watermark after a crash, the last segments", {}, lastSegments],
  ["without a watermark after a clean end, nothing", { lastExitOk: true }, 0],
] as const) {
  test(`what is written again: ${what}`, async (t) => {
    const { disk, directory } = lostLog(t);
    const before = Array.from({ length: 5 }, (_, index) => readFileSync(segmentPath(directory, index)));
    const { bytesRewritten } = await recover(directory, { storage: disk.spec, ...options });
    t.is(bytesRewritten, expected);
    disk.remount();
    for (const [index, bytes] of before.entries()) {
      const isKept = readFileSync(segmentPath(directory, index)).equals(bytes);
      t.is(isKept, (index + 1) * SIZE > 5 * SIZE - expected, `segment ${index}`);
    }
  });
}

test("what lies before it is not touched", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(4, 100);
  log.write(directory);
  const changed = (index: number): bigint => statSync(segmentPath(directory, index), { bigint: true }).mtimeNs;
  const before = [changed(0), changed(3)];
  await recover(directory, { flushedWatermark: 4 * SIZE });
  t.deepEqual([changed(0), changed(3)], before);
});

test("zeros of a cut whose force failed are written again: a record that was cut off does not come back", async (t) => {
  const disk = new FailingDisk(t, [{ path: "0000", after: -1, code: "EIO" }]);
  const directory = join(memoryDirectory(t), "commitlog");
  mkdirSync(directory);
  const log = new CommitLogBuilder(16 * SIZE).fillTo(0, 40_000);
  const cutAt = log.records.find(({ offset }) => offset > 8192)?.offset ?? 0;
  log.damage(cutAt + 20);
  log.write(directory);
  const options = { storage: disk.spec, mappedFileSizeCommitLog: 16 * SIZE, flushedWatermark: cutAt };
  disk.arm();
  let fencedAt: number | undefined;
  const onForceFailed = (offset: number): void => {
    fencedAt = offset;
  };
  await t.throwsAsync(recover(directory, { ...options, onForceFailed }), { code: "ERR_FORCE_FAILED" });
  t.is(fencedAt, cutAt);
  t.like(await recover(directory, { ...options, unforcedFrom: cutAt }), { maxOffset: cutAt, cut: undefined });
  disk.remount();
  const path = join(directory, segmentFileName(0));
  t.true(
    readFileSync(path)
      .subarray(cutAt)
      .every((byte) => byte === 0),
  );
});
