import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { KernelMemory } from "@millrace/kernels";
import {
  allocateQueueTable,
  ControlBlock,
  type ControlBlockBuffer,
  type QueueTableBuffers,
  QueueTableReader,
  QueueTableWriter,
} from "@millrace/shared-memory";
import test from "ava";
import { OTHER_THREAD_QUEUES, queueOfSlot } from "./queue-table-worker.js";

const WORKER = join(import.meta.dirname, "queue-table-worker.js");

interface Table {
  readonly queues: QueueTableBuffers;
  readonly control: ControlBlockBuffer;
  readonly writer: QueueTableWriter;
  readonly reader: QueueTableReader;
}

function newTable(): Table {
  const queues = allocateQueueTable(new KernelMemory());
  const control = ControlBlock.create({});
  const { queueSlots } = ControlBlock.attach(control, "main").counters;
  return { queues, control, writer: new QueueTableWriter(queues, queueSlots), reader: new QueueTableReader(queues, queueSlots) };
}

function add(writer: QueueTableWriter, topic: string, queueId: number): number {
  return writer.add(Buffer.from(topic), queueId);
}

/** What one refresh tells, as text. */
function heard(reader: QueueTableReader): string[] {
  const queues: string[] = [];
  reader.refresh((slot, topic, queueId) => queues.push(`${slot} ${Buffer.from(topic).toString()} ${queueId}`));
  return queues;
}

test("slots are given in order, and each reader hears of each queue once", (t) => {
  const { queues, control, writer, reader } = newTable();
  t.deepEqual(heard(reader), []);
  t.is(add(writer, "TopicA", 0), 0);
  t.is(add(writer, "TopicA", 0x7fffffff), 1);
  t.deepEqual(heard(reader), ["0 TopicA 0", "1 TopicA 2147483647"]);
  t.is(add(writer, "%RETRY%ключ", 3), 2);
  t.deepEqual(heard(reader), ["2 %RETRY%ключ 3"]);
  t.deepEqual(heard(reader), []);
  const late = new QueueTableReader(queues, ControlBlock.attach(control, "dispatch").counters.queueSlots);
  t.deepEqual(heard(late), ["0 TopicA 0", "1 TopicA 2147483647", "2 %RETRY%ключ 3"]);
});

test("a queue that is registered again has a slot of its own", (t) => {
  const { writer, reader } = newTable();
  for (const topic of ["TopicA", "TopicB", "TopicA"]) add(writer, topic, 7);
  t.deepEqual(heard(reader), ["0 TopicA 7", "1 TopicB 7", "2 TopicA 7"]);
});

test("names grow in place, and a reader that was made before reads them", (t) => {
  const { queues, writer, reader } = newTable();
  const { names } = queues;
  const first = names.byteLength;
  const topic = "x".repeat(255);
  const count = Math.ceil((4 * first) / topic.length);
  add(writer, "TopicA", 0);
  t.deepEqual(heard(reader), ["0 TopicA 0"]);
  for (let slot = 1; slot <= count; slot++) t.is(add(writer, topic, slot), slot);
  t.true(names.byteLength > 4 * first && names.byteLength <= names.maxByteLength);
  t.deepEqual(
    heard(reader),
    Array.from({ length: count }, (_, n) => `${n + 1} ${topic} ${n + 1}`),
  );
});

test("what a reader is told is its own copy", (t) => {
  const { queues, writer, reader } = newTable();
  add(writer, "TopicA", 0);
  let topic: Uint8Array = new Uint8Array(0);
  reader.refresh((_, bytes) => {
    topic = bytes;
  });
  new Uint8Array(queues.names).fill(0);
  t.is(Buffer.from(topic).toString(), "TopicA");
});

test("another thread hears of every queue, whole, while they are registered and the names grow", async (t) => {
  const { queues, control, writer } = newTable();
  const first = queues.names.byteLength;
  const worker = new Worker(WORKER, { workerData: { queues, control } });
  const answers: unknown[] = [];
  const ended = new Promise((resolve) => worker.once("exit", resolve));
  await new Promise<void>((resolve) => {
    worker.on("message", (answer) => {
      answers.push(answer);
      resolve();
    });
  });
  for (let slot = 0; slot < OTHER_THREAD_QUEUES; slot++) {
    const { topic, queueId } = queueOfSlot(slot);
    add(writer, topic, queueId);
  }
  await ended;
  t.true(queues.names.byteLength > first);
  t.deepEqual(answers, ["listening", { heard: OTHER_THREAD_QUEUES, strange: 0 }]);
});
