import { readFileSync } from "node:fs";
import { createFile, type Storage } from "@millrace/mapped-file";
import test, { type ExecutionContext } from "ava";
import { FlushPosition } from "#store/flush/flush-position.js";
import { PoolCommitter } from "#store/flush/pool-committer.js";
import { readFlushedWatermark } from "#store/marks/flushed-watermark.js";
import { readStoreFence } from "#store/marks/store-fence.js";
import { FailingDisk } from "../../../support/failing-disk.js";
import { emptyPipelineData, wordsOf } from "../../../support/pipeline-on-this-thread.js";
import { memoryDirectory } from "../../../support/temporary-directory.js";
import { KIB } from "../../../support/temporary-store.js";

const SIZE = 64 * KIB;
const FAILED = { code: "ERR_FORCE_FAILED" };

/** A flusher on this thread, and a log of one segment that exists. */
function flusher(t: ExecutionContext) {
  const root = memoryDirectory(t);
  const disk = new FailingDisk(t);
  const data = emptyPipelineData({ storePathRootDir: root, mappedFileSizeCommitLog: SIZE, flushDiskType: "SYNC_FLUSH" }, disk.spec);
  const position = new FlushPosition(data);
  t.teardown(() => position.close());
  const path = `${data.config.storePathCommitLog}/${"0".repeat(20)}`;
  const create = (): void => {
    createFile(disk.storage, path, SIZE, `${root}/new`);
    wordsOf(data, "allocate").counters.createdOffset.set(SIZE);
  };
  return { root, disk, data, position, path, create, counters: position.control.counters, alarm: position.control.forceAlarm };
}

/** As the appender does, through a descriptor of its own. */
function write(storage: Storage, path: string, position = 0): void {
  const file = storage.open(path, "write");
  file.write(Buffer.alloc(100, 1), position);
  file.close();
}

test("a segment is open before its first record: an error that another descriptor has heard is heard by the flusher's, too", (t) => {
  const { root, disk, position, path, create, counters, alarm } = flusher(t);
  create();
  position.openAhead();
  t.is(counters.forceOpenOffset.value, SIZE);
  const allocators = disk.storage.open(path, "write");
  write(disk.storage, path);
  disk.failWriteBack(path);
  t.throws(() => allocators.force(), { code: "EIO" });
  t.throws(() => position.advance(100, 1), FAILED);
  t.is(counters.flushedOffset.value, 0);
  t.true(alarm.isRaised);
  t.is(readStoreFence(disk.storage, `${root}/millrace.fence`)?.offset, 0);
});

test("a force takes the records, and leaves what the allocator has just written further on", (t) => {
  const { disk, position, path, create } = flusher(t);
  create();
  position.openAhead();
  write(disk.storage, path);
  write(disk.storage, path, SIZE / 2);
  position.advance(100, 1);
  disk.remount();
  const log = readFileSync(path);
  t.deepEqual([log[0], log[99], log[SIZE / 2]], [1, 1, 0]);
});

test("a segment that was not open before its first record is not forced", (t) => {
  const { position, path, create, disk } = flusher(t);
  create();
  write(disk.storage, path);
  t.throws(() => position.advance(100, 1), { message: /never opened/ });
});

test("without a descriptor to be had nothing has failed: the segment is opened at a later look", (t) => {
  const disk = new FailingDisk(t, [], [{ operation: "open", path: "commitlog/0", after: 1, times: 1, code: "EMFILE" }]);
  const options = { storePathRootDir: memoryDirectory(t), mappedFileSizeCommitLog: SIZE };
  const data = emptyPipelineData(options, disk.spec);
  const position = new FlushPosition(data);
  t.teardown(() => position.close());
  const { counters, forceAlarm } = position.control;
  const directory = data.config.storePathCommitLog;
  for (const start of [0, SIZE])
    createFile(disk.storage, `${directory}/${String(start).padStart(20, "0")}`, SIZE, `${directory}.new`);
  wordsOf(data, "allocate").counters.createdOffset.set(2 * SIZE);
  position.openAhead();
  t.is(counters.forceOpenOffset.value, SIZE);
  position.openAhead();
  t.is(counters.forceOpenOffset.value, 2 * SIZE);
  t.false(forceAlarm.isRaised);
});

test("after a failed force in another thread no force is believed, and nothing is written about it", (t) => {
  const { root, disk, data, position, path, create, counters, alarm } = flusher(t);
  create();
  position.openAhead();
  write(disk.storage, path);
  position.advance(50, 1);
  position.advance(60, 1);
  const recorded = readFlushedWatermark(disk.storage, `${root}/millrace.watermark`)?.flushedOffset;
  alarm.raise("append", "EIO of another thread");
  const words = wordsOf(data, "append").counters;
  words.wroteOffset.set(100);
  t.throws(() => position.advance(100, 1), { ...FAILED, message: /EIO of another thread/ });
  t.throws(() => position.adopt(100, 1), FAILED);
  t.throws(() => position.record(), FAILED);
  t.throws(() => position.checkAll(), FAILED);
  const committer = new PoolCommitter(position, data.config, [new SharedArrayBuffer(SIZE)]);
  t.throws(() => committer.commit(100), FAILED);
  t.is(counters.flushedOffset.value, 60);
  t.is(counters.committedOffset.value, 0);
  t.is(readFlushedWatermark(disk.storage, `${root}/millrace.watermark`)?.flushedOffset, recorded);
});
