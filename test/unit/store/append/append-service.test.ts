import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bodyOffsetOf, encodedLength, encodeMessage, storedPropertiesLength } from "@millrace/format";
import { FRAME_FLAG_WAIT_SLAVE, PutRingProducer, ServiceState } from "@millrace/shared-memory";
import test from "ava";
import { AppendService } from "#store/append/append-service.js";
import { resolveConfig } from "#store/config/message-store-config.js";
import { type PipelineData, pipelineData } from "#store/pipeline/pipeline-data.js";
import { emptyPipelineData, wordsOf } from "../../../support/pipeline-on-this-thread.js";
import { sampleMessage, viewOf } from "../../../support/sample-message.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const SIZE = 64 * 1024;
/** The log ends in the middle of a segment. */
const START = 4096;

for (const writeWithoutMmap of [false, true]) {
  test(`an appender that found no descriptor when it started writes when there is one: ${writeWithoutMmap ? "channel" : "mapped"}`, (t) => {
    const root = temporaryDirectory(t);
    const storePathCommitLog = temporaryDirectory(t);
    const segment = join(storePathCommitLog, "00000000000000000000");
    writeFileSync(segment, new Uint8Array(SIZE));
    const config = resolveConfig({ storePathRootDir: root, storePathCommitLog, mappedFileSizeCommitLog: SIZE, writeWithoutMmap });
    const faults = [{ operation: "open", path: "00000000000000000000", after: 0, times: 1, code: "EMFILE" } as const];
    const start = { minOffset: 0, maxOffset: START, lastStoreTimestamp: 0, reputFromOffset: START, indexFromOffset: START };
    const data = pipelineData(config, { kind: "faulty", faults }, { ...start, deletedTopics: new Map() });
    const allocate = wordsOf(data, "allocate").counters;
    allocate.allocateState.set(ServiceState.failed); // it had no descriptor either: nobody waits for it
    const service = new AppendService(data);
    service.onStart();
    allocate.allocateState.set(ServiceState.running);
    allocate.allocatedOffset.set(SIZE);

    const length = putSample(data, new PutRingProducer(data.ring), 0);
    t.is(service.doWork(), 1);
    service.onClose();
    t.is(allocate.wroteOffset.get(), START + length);
    t.is(readFileSync(segment).readInt32BE(START), length, "what is said to be written is in the file");
  });
}

for (const isAwaited of [true, false]) {
  for (const last of ["waitForWork", "onStop"] as const) {
    const what = isAwaited ? "what puts wait for slaves to have is" : "what nobody waits for is not";
    test(`${what} sent before the appender ${last === "onStop" ? "ends" : "lies down"}`, (t) => {
      const options = { brokerRole: "SYNC_MASTER", haListenPort: 0, mappedFileSizeCommitLog: SIZE } as const;
      const data = emptyPipelineData({ storePathRootDir: temporaryDirectory(t), ...options }, { kind: "real" });
      writeFileSync(join(data.config.storePathCommitLog, "00000000000000000000"), new Uint8Array(SIZE));
      wordsOf(data, "replicate").counters.inSyncSlaves.set(1);
      const allocate = wordsOf(data, "allocate").counters;
      allocate.allocateState.set(ServiceState.failed); // nobody waits for it
      const service = new AppendService(data);
      service.onStart();
      allocate.allocatedOffset.set(SIZE);
      const { wroteOffset, sendRequestedOffset } = allocate;

      const producer = new PutRingProducer(data.ring);
      const length = putSample(data, producer, isAwaited ? FRAME_FLAG_WAIT_SLAVE : 0);
      t.is(service.doWork(), 1);
      t.is(wroteOffset.get(), length);
      t.is(sendRequestedOffset.get(), isAwaited ? length : 0);
      service[last](0);
      t.is(sendRequestedOffset.get(), length, "at the latest then");
      service.onClose();
    });
  }
}

/** Of the sample message, published in the ring. Returns its record's length. */
function putSample({ config }: PipelineData, producer: PutRingProducer, flags: number): number {
  const sample = sampleMessage();
  const stored = storedPropertiesLength(sample, config.enabledAppendPropCRC);
  const length = encodedLength(sample, stored);
  const position = producer.claim(length);
  encodeMessage(viewOf(producer.bytes), producer.bytes, position, sample, length, stored);
  producer.commit(position, length, 1, 0, bodyOffsetOf(sample), flags, 0);
  producer.publish();
  return length;
}
