import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bodyOffsetOf, encodedLength, encodeMessage, storedPropertiesLength } from "@millrace/format";
import { DirectSocket } from "@millrace/mapped-file";
import { FRAME_FLAG_WAIT_SLAVE, PutRingProducer, ServiceState } from "@millrace/shared-memory";
import test from "ava";
import { AppendService } from "#store/append/append-service.js";
import { resolveConfig } from "#store/config/message-store-config.js";
import { closeLaneDescriptor } from "#store/pipeline/lane-descriptor.js";
import { type PipelineData, pipelineData } from "#store/pipeline/pipeline-data.js";
import { emptyPipelineData, wordsOf } from "../../../support/pipeline-on-this-thread.js";
import { sampleMessage, viewOf } from "../../../support/sample-message.js";
import { socketPair } from "../../../support/socket-pair.js";
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

test("a group is sent to the slave by the appender, also one that goes on behind the bytes that were ready", async (t) => {
  const [here, there] = await socketPair(t);
  const options = { brokerRole: "SYNC_MASTER", haListenPort: 0, mappedFileSizeCommitLog: SIZE } as const;
  const data = emptyPipelineData({ storePathRootDir: temporaryDirectory(t), ...options }, { kind: "real" });
  const segment = join(data.config.storePathCommitLog, "00000000000000000000");
  writeFileSync(segment, new Uint8Array(SIZE));
  wordsOf(data, "replicate").counters.inSyncSlaves.set(1);
  const allocate = wordsOf(data, "allocate").counters;
  allocate.allocateState.set(ServiceState.failed); // nobody waits for it
  const service = new AppendService(data);
  service.onStart();
  const producer = new PutRingProducer(data.ring);
  const length = putSample(data, producer, FRAME_FLAG_WAIT_SLAVE);
  allocate.allocatedOffset.set(3 * length);
  t.is(service.doWork(), 1);
  const { wroteOffset, laneOffset, sendRequestedOffset } = allocate;
  t.is(laneOffset.get(), 0, "the lane is not open");

  const { sendLane, counters } = wordsOf(data, "replicate");
  counters.laneBeganOffset.set(wroteOffset.get());
  sendLane.descriptor = new DirectSocket(here).duplicate();
  sendLane.open();
  allocate.allocatedOffset.set(SIZE);
  for (let n = 0; n < 4; n++) putSample(data, producer, n === 1 ? 0 : FRAME_FLAG_WAIT_SLAVE);
  t.is(service.doWork(), 4);
  t.is(laneOffset.get(), 5 * length);
  t.is(sendRequestedOffset.get(), 5 * length);
  putSample(data, producer, 0);
  t.is(service.doWork(), 1);
  t.is(laneOffset.get(), 6 * length, "also what nobody waits for, so that the next group follows on it");
  t.is(sendLane.close(), undefined);
  closeLaneDescriptor(sendLane);
  service.onClose();
  here.end();
  const chunks: Buffer[] = [];
  for await (const chunk of there) chunks.push(chunk as Buffer);
  const log = readFileSync(segment);
  const frames = [log.subarray(length, 5 * length), log.subarray(5 * length, 6 * length)];
  t.deepEqual(
    Buffer.concat(chunks),
    Buffer.concat([
      transferHeader(length, 4 * length),
      frames[0] as Buffer,
      transferHeader(5 * length, length),
      frames[1] as Buffer,
    ]),
  );
});

function transferHeader(offset: number, length: number): Buffer {
  const header = Buffer.alloc(12);
  header.writeBigInt64BE(BigInt(offset), 0);
  header.writeInt32BE(length, 8);
  return header;
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
