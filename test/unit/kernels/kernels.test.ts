import {
  bodyOffsetOf,
  encodedLength,
  encodeHost,
  encodeMessage,
  type MessageFields,
  MessageSealer,
  storedPropertiesLength,
} from "@millrace/format";
import { FRAME_FLAG_BODY_CRC, FRAME_FLAG_NO_QUEUE_OFFSET, PutRingConsumer, PutRingProducer } from "@millrace/shared-memory";
import test, { type ExecutionContext } from "ava";
import { GroupKernel } from "#store/append/group-kernel.js";
import type { PipelineData } from "#store/pipeline/pipeline-data.js";
import { RecordEncoder } from "#store/put/record-encoder.js";
import type { Topic } from "#store/put/topic-table.js";
import { emptyPipelineData } from "../../support/pipeline-on-this-thread.js";
import { chosenSeed, type Random, seededRandom } from "../../support/random.js";
import { viewOf } from "../../support/sample-message.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

/** MILLRACE_KERNEL_RECORDS asks for millions of them. */
const RECORDS = Number(process.env.MILLRACE_KERNEL_RECORDS ?? 12_000);
const RING = 1024 * 1024;
const LARGEST_BODY = 64 * 1024;
const ROOM = 2 ** 30;
const HOSTS = ["10.1.2.3", "127.0.0.1", "fe80::1:2", "2001:db8::7"].map((address, port) => encodeHost({ address, port }));
/** Where the kernel goes another way: the loop of the encoder, what is read twice, what the host reads. */
const EDGES = [0, 1, 7, 8, 15, 16, 31, 32, 127, 128, 383, 384, 767, 768, 1024, 4096];

interface Fixture {
  readonly data: PipelineData;
  readonly producer: PutRingProducer;
  readonly consumer: PutRingConsumer;
  readonly kernel: GroupKernel;
  readonly encoder: RecordEncoder;
}

/** @param sealsBodies as a producer on another thread does: it leaves the bodies' CRCs */
function fixture(t: ExecutionContext, enabledAppendPropCRC: boolean, sealsBodies = false): Fixture {
  const storePathRootDir = temporaryDirectory(t);
  const config = { storePathRootDir, enabledAppendPropCRC, putRingSize: RING, maxMessageSize: LARGEST_BODY };
  const data = emptyPipelineData(config, { kind: "real" });
  return {
    data,
    producer: new PutRingProducer(data.ring),
    consumer: new PutRingConsumer(data.ring),
    kernel: new GroupKernel(data),
    encoder: new RecordEncoder(data, enabledAppendPropCRC, sealsBodies),
  };
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random(256));
}

function randomLength(random: Random): number {
  if (random(3) === 0) return EDGES[random(EDGES.length)] as number;
  return random(40) === 0 ? random(LARGEST_BODY) : random(600);
}

function newTopic(ordinal: number, length: number): Topic {
  const name = `T${ordinal}`.padEnd(length, "x");
  return { name, bytes: Buffer.from(name), ordinal, slots: new Map(), isReserved: false };
}

/** Few lengths come again and again, and many only once. */
function randomMessage(random: Random, topic: Topic, properties: Uint8Array): MessageFields {
  const propertiesLength = random(2) === 0 ? 0 : random(200);
  for (let i = 0; i < propertiesLength; i++) properties[i] = random(4) === 0 ? 2 : 0x20 + random(0x5f);
  return {
    topic: topic.bytes,
    queueId: random(1000),
    flag: random(2 ** 32) | 0,
    sysFlag: random(16) & ~0x8,
    bornTimestamp: random(2 ** 31) * 2 ** 12 + random(2 ** 12),
    bornHost: HOSTS[random(HOSTS.length)] as Uint8Array,
    storeHost: HOSTS[random(HOSTS.length)] as Uint8Array,
    reconsumeTimes: random(17),
    preparedTransactionOffset: random(2 ** 20) * 2 ** 31,
    body: randomBytes(random, randomLength(random)),
    properties,
    propertiesLength,
  };
}

interface Expected {
  readonly bytes: Buffer;
  readonly message: MessageFields;
}

/** What the specification writes. */
function specified(message: MessageFields, withCrc: boolean): Expected {
  const stored = storedPropertiesLength(message, withCrc);
  const bytes = Buffer.alloc(encodedLength(message, stored));
  encodeMessage(viewOf(bytes), bytes, 0, message, bytes.length, stored);
  return { bytes, message };
}

/** Puts one frame of 1 to 4 records; what the specification says of them, not yet sealed. Undefined while the ring is full. */
function putFrame(fixed: Fixture, random: Random, topics: readonly Topic[], withCrc: boolean): Expected[] | undefined {
  const { producer, encoder } = fixed;
  const topic = topics[random(topics.length)] as Topic;
  const base = randomMessage(random, topic, encoder.properties);
  const count = random(5) === 0 ? 1 + random(4) : 1;
  const expected = Array.from({ length: count }, () => specified(base, withCrc));
  const length = expected.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const start = producer.claim(length);
  if (start < 0) return undefined;
  let flags = (random(7) === 0 ? FRAME_FLAG_NO_QUEUE_OFFSET : 0) | random(2);
  if (encoder.withBodyCrc) flags |= FRAME_FLAG_BODY_CRC;
  let position = start;
  for (const { bytes, message } of expected) {
    encoder.encode(topic, position, message, bytes.length, storedPropertiesLength(message, withCrc));
    position += bytes.length;
  }
  producer.commit(start, length, count, random(5), bodyOffsetOf(base), flags, 0);
  return expected;
}

const KINDS = [
  { withCrc: true, sealsBodies: false },
  { withCrc: true, sealsBodies: true },
  { withCrc: false, sealsBodies: false },
];

for (const { withCrc, sealsBodies } of KINDS) {
  test(`the kernels write what encoder and sealer specify, byte for byte, ${withCrc ? "with" : "without"} the CRC property${
    sealsBodies ? ", the bodies' CRCs by the producer" : ""
  }`, (t) => {
    const seed = chosenSeed();
    t.log(`seed=${seed}`);
    const random = seededRandom(seed);
    const fixed = fixture(t, withCrc, sealsBodies);
    const { producer, consumer, kernel } = fixed;
    const topics = [1, 6, 127, 128, 255, 30].map((length, i) => newTopic(i === 5 ? 256 : i, length)); // two share a place
    const sealer = new MessageSealer();
    const queueOffsets = new Map<number, number>();
    let offset = random(2 ** 30) * 2 ** 10;
    let seen = 0;
    while (seen < RECORDS) {
      const frames: Expected[][] = [];
      for (let i = 1 + random(20); i > 0; i--) {
        const frame = putFrame(fixed, random, topics, withCrc);
        if (frame !== undefined) frames.push(frame);
      }
      producer.publish();
      const storeTimestamp = 1_795_199_719_424 + seen;
      const first = consumer.head;
      kernel.begin();
      const taken = kernel.append(consumer, first, frames.length, ROOM, ROOM, offset, storeTimestamp);
      t.is(taken, frames.length);
      const staged = kernel.take();
      let at = 0;
      for (const [index, frame] of frames.entries()) {
        const slot = producer.slotOf(first + index);
        const counts = (producer.flags(slot) & FRAME_FLAG_NO_QUEUE_OFFSET) === 0;
        const queueSlot = producer.queueSlot(slot);
        let queueOffset = counts ? (queueOffsets.get(queueSlot) ?? 0) : 0;
        const told = [producer.resultPhysicalOffset(slot), producer.resultQueueOffset(slot), producer.resultStoreTimestamp(slot)];
        if (`${told}` !== `${[offset + at, queueOffset, storeTimestamp]}`) return t.fail(`result: ${told}`);
        for (const { bytes, message } of frame) {
          const bodyOffset = bodyOffsetOf(message);
          sealer.seal(viewOf(bytes), bytes, 0, bytes.length, bodyOffset, queueOffset++, offset + at, storeTimestamp, withCrc);
          if (!bytes.equals(staged.subarray(at, at + bytes.length))) return t.fail(`record ${seen}: ${bytes.toString("hex")}`);
          at += bytes.length;
          seen++;
        }
        if (counts) queueOffsets.set(queueSlot, queueOffset);
      }
      t.is(staged.length, at);
      consumer.release(first + taken);
      while (producer.taken < producer.resultEnd()) producer.take();
      offset += at;
    }
    t.pass();
  });
}

test("the append kernel ends before a record that does not fit, and after the one that fills the group", (t) => {
  const fixed = fixture(t, true);
  const { producer, consumer, kernel, encoder } = fixed;
  const topic = newTopic(0, 5);
  const host = HOSTS[0] as Uint8Array;
  const message = {
    ...randomMessage(() => 0, topic, encoder.properties),
    bornHost: host,
    storeHost: host,
    body: new Uint8Array(100),
  };
  const { length } = specified(message, true).bytes;
  for (let i = 0; i < 10; i++) {
    const position = producer.claim(length);
    encoder.encode(topic, position, message, length, storedPropertiesLength(message, true));
    producer.commit(position, length, 1, 0, bodyOffsetOf(message), i === 3 ? 0 : 1, 0);
  }
  producer.publish();
  t.is(kernel.append(consumer, 0, 10, length + 7, ROOM, 0, 0), 0, "a blank record needs 8 bytes");
  t.is(kernel.append(consumer, 0, 10, length + 8, ROOM, 0, 0), 1);
  t.is(kernel.append(consumer, 1, 10, ROOM, length + 1, length, 0), 2, "the second reaches the group's bytes");
  t.deepEqual([kernel.bytes, kernel.messages, kernel.flagsAny, kernel.flagsAll, kernel.staged], [2 * length, 2, 1, 1, 3 * length]);
  t.is(kernel.append(consumer, 3, 3, ROOM, ROOM, 3 * length, 0), 3);
  t.deepEqual([kernel.flagsAny, kernel.flagsAll], [1, 0]);
  t.throws(() => kernel.append(consumer, 3, 1, ROOM, ROOM, 0, 0), { code: "ERR_INVARIANT" }, "each frame once");
  consumer.release(6);
  t.is(producer.resultEnd(), 6);
});
