import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { KernelMemory } from "@millrace/kernels";
import {
  allocatePutRing,
  ControlBlock,
  InvariantError,
  type PutRingBuffers,
  PutRingConsumer,
  PutRingProducer,
  resetPutRing,
} from "@millrace/shared-memory";
import test from "ava";
import { putRingWords } from "#shared-memory/put-ring-words.js";
import { chosenSeed, seededRandom } from "../support/random.js";
import { type ConsumerReport, fillRecord, type RingWorkerData } from "./ring-worker.js";

const RING = 16 * 1024;
const RECORDS = 15_000;
const CONSUMER = join(import.meta.dirname, "ring-worker.js");

interface Ends {
  readonly buffers: PutRingBuffers;
  readonly producer: PutRingProducer;
  readonly consumer: PutRingConsumer;
}

function bothEnds(bytes: number, frames: number, start = 0): Ends {
  const buffers = newRing(bytes, frames, start);
  return { buffers, producer: new PutRingProducer(buffers), consumer: new PutRingConsumer(buffers) };
}

function newRing(bytes: number, frames: number, start: number): PutRingBuffers {
  const buffers = allocatePutRing(new KernelMemory(), bytes, frames);
  resetPutRing(buffers, start);
  return buffers;
}

/** Puts a record without contents; false when there is no room. */
function put({ producer }: Ends, length: number): boolean {
  const position = producer.claim(length);
  if (position < 0) return false;
  producer.commit(position, length, 1, 0, 0, 0, 0);
  producer.publish();
  return true;
}

function consumeAll({ consumer }: Ends): void {
  for (let sequence = consumer.head; sequence < consumer.tail; sequence++) consumer.answer(consumer.slotOf(sequence), 0, 1, 2, 3);
  consumer.release(consumer.tail);
}

function takeAll({ producer }: Ends): void {
  while (producer.taken < producer.resultEnd()) producer.take();
}

for (const [name, start] of Object.entries({ "0": 0, "2^31": 2 ** 31 - 1000, "2^32": 2 ** 32 - 1000 })) {
  test(`records of random lengths arrive in another thread once, in order and unharmed, with counters from ${name}`, async (t) => {
    const seed = chosenSeed();
    const random = seededRandom(seed);
    t.log(`seed=${seed}`);
    const control = ControlBlock.create({});
    const { putBell } = ControlBlock.attach(control, "main");
    const buffers = newRing(RING, 64, start);
    const workerData: RingWorkerData = { control, buffers, start, records: RECORDS };
    const worker = new Worker(CONSUMER, { workerData });
    const report = new Promise<ConsumerReport>((resolve, reject) => worker.once("message", resolve).once("error", reject));
    const ring = new PutRingProducer(buffers);
    const lengths: number[] = [];
    let [full, wrong] = [0, 0];
    const take = (): void => {
      for (const end = ring.resultEnd(); ring.taken < end; ring.take()) {
        const slot = ring.slotOf(ring.taken);
        const n = ring.taken - start;
        const same =
          ring.resultQueueOffset(slot) === n &&
          ring.resultPhysicalOffset(slot) === 2 ** 40 + n &&
          ring.resultStoreTimestamp(slot) === lengths[n];
        if (!same || ring.recordLength(slot) !== lengths[n] || ring.putTimeUs(slot) !== n + 0.5) wrong++;
      }
    };
    while (ring.taken < start + RECORDS) {
      const n = ring.committed - start;
      const length = random(20) === 0 ? 1 + random(RING / 2) : 8 + random(200);
      const position = n < RECORDS ? ring.claim(length) : -1;
      if (position >= 0) {
        fillRecord(ring.bytes, position, length, n);
        lengths[n] = length;
        ring.commit(position, length, 1 + (n % 5), n % 7, 11, n % 4, n + 0.5);
        if (random(3) === 0 && ring.publish()) putBell.ring();
        continue;
      }
      full++;
      if (ring.publish()) putBell.ring();
      take();
      await new Promise((resolve) => setImmediate(resolve));
    }
    t.deepEqual(await report, { records: RECORDS, wrong: 0 });
    t.is(wrong, 0);
    t.is(ring.inFlight, 0);
    t.true(full > 10, "the ring was full now and then");
  });
}

test("nothing is seen before it is published", (t) => {
  const ends = bothEnds(1024, 8);
  const { producer, consumer } = ends;
  producer.commit(producer.claim(100), 100, 1, 0, 0, 0, 0);
  t.is(consumer.tail, 0);
  t.is(producer.unpublishedBytes, 100);
  producer.publish();
  t.is(consumer.tail, 1);
  t.is(producer.unpublishedBytes, 0);
});

test("a ring full of bytes takes nothing more until the consumer gives some back", (t) => {
  const ends = bothEnds(1024, 64);
  for (let n = 0; n < 4; n++) t.true(put(ends, 250));
  t.false(put(ends, 25), "what fits at the end is too short, and the start is taken");
  t.false(put(ends, 1024));
  t.is(ends.producer.usedBytes(), 1000);
  consumeAll(ends);
  t.is(ends.producer.usedBytes(), 0);
  t.true(put(ends, 1024), "an empty ring takes its whole length");
  t.false(put(ends, 1));
  t.false(put(bothEnds(1024, 8), 1025));
});

test("full is not empty: a record never ends where the oldest begins", (t) => {
  const ends = bothEnds(1000, 64);
  for (let n = 0; n < 4; n++) t.true(put(ends, 250));
  const { consumer } = ends;
  consumer.answer(consumer.slotOf(0), 0, 0, 0, 0);
  consumer.release(1);
  takeAll(ends);
  t.false(put(ends, 250), "from the end to the start");
  t.true(put(ends, 100));
  t.false(put(ends, 150), "behind one that lies at the start");
  t.true(put(ends, 149));
  t.is(ends.producer.usedBytes(), 999);
});

test("a ring full of frames takes nothing more until an answer is taken, not when it is given", (t) => {
  const ends = bothEnds(64 * 1024, 8, 2 ** 32 - 4);
  for (let n = 0; n < 8; n++) t.true(put(ends, 10));
  t.false(put(ends, 10));
  consumeAll(ends);
  t.false(put(ends, 10), "the answers still lie in the slots");
  ends.producer.take();
  t.true(put(ends, 10));
  t.false(put(ends, 10));
  takeAll(ends);
  t.true(put(ends, 10));
});

test("answers taken before the consumer has said what it consumed give no bytes back that it still reads", (t) => {
  const ends = bothEnds(1000, 4);
  for (let n = 0; n < 4; n++) t.true(put(ends, 200));
  putRingWords(ends.buffers, "append").resultTail.set(3); // the consumer is between its two stores: results are shown, head is not
  takeAll(ends);
  t.true(put(ends, 150));
  t.false(put(ends, 700), "the fourth record lies at 600");
});

test("a frame that is answered twice, out of order, or not at all breaks an invariant", (t) => {
  const ends = bothEnds(1000, 4, 2 ** 32 - 1);
  const { consumer } = ends;
  for (let n = 0; n < 3; n++) t.true(put(ends, 10));
  const answer = (sequence: number): void => consumer.answer(consumer.slotOf(sequence), 0, 0, 0, 0);
  const { head } = consumer;
  const broken = { instanceOf: InvariantError, code: "ERR_INVARIANT" };
  t.throws(() => answer(head + 1), broken);
  answer(head);
  t.throws(() => answer(head), broken);
  t.throws(() => consumer.release(head + 2), broken);
  t.throws(() => consumer.release(head), broken, "an answer that would not be shown");
  answer(head + 1);
  consumer.release(head + 2);
  t.is(ends.producer.resultEnd(), head + 2);
});

test("nothing is taken that is not in flight", (t) => {
  const ends = bothEnds(1000, 4);
  t.true(put(ends, 10));
  ends.producer.take();
  t.throws(() => ends.producer.take(), { code: "ERR_INVARIANT" });
  t.is(ends.producer.inFlight, 0);
});
