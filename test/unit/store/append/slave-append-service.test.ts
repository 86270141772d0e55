import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName } from "@millrace/format";
import type { Fault } from "@millrace/mapped-file";
import { ServiceState } from "@millrace/shared-memory";
import test, { type ExecutionContext } from "ava";
import { SlaveAppendService } from "#store/append/slave-append-service.js";
import { RecordStream } from "#store/replicate/record-stream.js";
import { CommitLogBuilder } from "../../../support/commit-log-builder.js";
import { NO_EVENTS } from "../../../support/no-events.js";
import { emptyPipelineData, wordsOf } from "../../../support/pipeline-on-this-thread.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { until } from "../../../support/until.js";

const SIZE = 64 * 1024;
/** A prepared message of a transaction: it has no queue, and waits for no slot. */
const PREPARED = 4;

/** A slave's appender, on this thread, that follows nobody; and a stream with one record. */
function slaveWith(t: ExecutionContext, sysFlag: number, onQueue: () => void, faults: readonly Fault[] = []) {
  const storePathRootDir = temporaryDirectory(t);
  const storePathCommitLog = temporaryDirectory(t);
  writeFileSync(join(storePathCommitLog, segmentFileName(0)), new Uint8Array(SIZE));
  const sizes = { mappedFileSizeCommitLog: SIZE, flushDiskType: "SYNC_FLUSH" } as const;
  const role = { brokerRole: "SLAVE", haMasterAddress: "none" } as const;
  const writeWithoutMmap = faults.length > 0;
  const options = { storePathRootDir, storePathCommitLog, writeWithoutMmap, ...sizes, ...role };
  const data = emptyPipelineData(options, writeWithoutMmap ? { kind: "faulty", faults } : { kind: "real" });
  const allocate = wordsOf(data, "allocate").counters;
  allocate.allocateState.set(ServiceState.running);
  allocate.allocatedOffset.set(SIZE);
  const service = new SlaveAppendService(data, NO_EVENTS, { onStats: () => {}, onQueue });
  service.onStart((error) => t.true(writeWithoutMmap, String(error)));
  const builder = new CommitLogBuilder(SIZE);
  const { length } = builder.add({ sysFlag });
  const records = new RecordStream(SIZE, 0);
  records.fill(builder.image(0).subarray(0, length));
  return { data, service, records, length };
}

/** Hears of each sleep on a shared word, before it begins. */
function onEachSleep(t: ExecutionContext, onSleep: (count: number) => void): void {
  const { waitAsync } = Atomics;
  let count = 0;
  t.teardown(() => Object.assign(Atomics, { waitAsync }));
  Object.assign(Atomics, {
    waitAsync: (words: Int32Array, index: number, value: number) => {
      onSleep(++count);
      return waitAsync(words, index, value);
    },
  });
}

test.serial("a record that waits for its queue's slot sleeps once, however often main is asked", async (t) => {
  let asked = 0;
  let sleeps = 0;
  const { service, records } = slaveWith(t, 0, () => asked++);
  onEachSleep(t, () => sleeps++);
  const appending = service.append(records);
  await until(() => asked > 3);
  t.is(sleeps, 1);
  await service.onClose();
  await appending;
});

test.serial("a force that ends just before it is slept for leaves nobody asleep for what it does not cover", async (t) => {
  const { data, service, records, length } = slaveWith(t, PREPARED, () => t.fail());
  const { flushedOffset } = wordsOf(data, "flush").counters;
  let sleeps = 0;
  onEachSleep(t, (count) => {
    sleeps = count;
    if (count === 1) flushedOffset.set(length - 1);
  });
  t.is(service.append(records), undefined);
  t.is(sleeps, 2, "the next force is waited for too");
  flushedOffset.publish(length);
  await service.onClose();
});

test.serial("records that could not be written are counted when they are", async (t) => {
  const faults = [{ operation: "write", path: segmentFileName(0), after: 0, times: 1, code: "EIO" }] as const;
  const { data, service, records, length } = slaveWith(t, PREPARED, () => t.fail(), faults);
  const { appendMessages, wroteOffset, wroteStoreTimestamp } = wordsOf(data, "flush").counters;
  const bytes = records.bytes.slice(0, length);
  t.throws(() => service.append(records), { code: "EIO" });
  t.is(wroteStoreTimestamp.get(), 0);
  const again = new RecordStream(SIZE, 0);
  again.fill(bytes);
  t.is(service.append(again), undefined);
  t.is(wroteOffset.get(), length);
  t.is(appendMessages.get(), 1);
  await service.onClose();
});
