import { KernelMemory } from "@millrace/kernels";
import { allocateQueueTable, ControlBlock, QueueTableReader, QueueTableWriter } from "@millrace/shared-memory";
import test from "ava";
import { javaStringHash } from "#format/java-hash.js";
import { QueueSlots } from "#store/pipeline/queue-slots.js";

interface Slots {
  readonly slots: QueueSlots;
  /** What onQueue was told, as text. */
  readonly heard: string[];
  add(topic: string, queueId: number): number;
  find(topic: string, queueId: number): number;
}

function newSlots(): Slots {
  const queues = allocateQueueTable(new KernelMemory());
  const { queueSlots } = ControlBlock.attach(ControlBlock.create({}), "main").counters;
  const writer = new QueueTableWriter(queues, queueSlots);
  const heard: string[] = [];
  const slots = new QueueSlots(new QueueTableReader(queues, queueSlots), (slot, topic, queueId) =>
    heard.push(`${slot} ${Buffer.from(topic).toString()} ${queueId}`),
  );
  return {
    slots,
    heard,
    add: (topic, queueId) => writer.add(Buffer.from(topic), queueId),
    find(topic, queueId) {
      const bytes = Buffer.from(`<${topic}>`);
      return slots.find(bytes, 1, bytes.length - 2, queueId);
    },
  };
}

test("a queue is found by the bytes of its topic and its id, and heard of before it is found", (t) => {
  const { heard, add, find } = newSlots();
  t.is(find("TopicA", 0), -1);
  add("TopicA", 0);
  add("TopicA", 1);
  add("Ünïcode", 0);
  t.deepEqual(heard, [], "nobody has asked yet");
  t.is(find("TopicA", 1), 1);
  t.deepEqual(heard, ["0 TopicA 0", "1 TopicA 1", "2 Ünïcode 0"]);
  t.is(find("TopicA", 0), 0);
  t.is(find("Ünïcode", 0), 2);
  t.is(find("TopicA", 2), -1);
  t.is(find("Topic", 0), -1);
  t.is(find("TopicAA", 0), -1);
  t.is(find("", 0), -1);
  t.is(heard.length, 3);
});

test("queues of the same hash are told apart", (t) => {
  // 2^10 topics of one Java hash: each part may be Aa or BB
  const { add, find } = newSlots();
  const topics = Array.from({ length: 1024 }, (_, n) =>
    [...n.toString(2).padStart(10, "0")].map((bit) => (bit === "0" ? "Aa" : "BB")).join(""),
  );
  t.is(new Set(topics.map(javaStringHash)).size, 1);
  for (const topic of topics) add(topic, 5);
  t.deepEqual(
    topics.map((topic) => find(topic, 5)),
    topics.map((_, n) => n),
  );
  t.is(find("CC".repeat(10), 5), -1);
});

test("10,000 queues are found, those that came before the table grew too", (t) => {
  const { slots, heard, add, find } = newSlots();
  const queues = Array.from({ length: 10_000 }, (_, n) => ({ topic: `Topic${n % 700}`, queueId: Math.floor(n / 700) }));
  const wrong: string[] = [];
  for (const [slot, { topic, queueId }] of queues.entries()) {
    add(topic, queueId);
    if (slot % 64 === 0) slots.refresh();
  }
  for (const [slot, { topic, queueId }] of queues.entries()) if (find(topic, queueId) !== slot) wrong.push(`${topic}-${queueId}`);
  t.deepEqual(wrong, []);
  t.is(heard.length, queues.length);
  t.is(find("Topic700", 0), -1);
});

test("a queue that is registered again has its new slot, before and after the table grows", (t) => {
  const { heard, add, find } = newSlots();
  add("TopicA", 3);
  add("TopicB", 3);
  t.is(find("TopicA", 3), 0);
  add("TopicA", 3);
  t.is(find("TopicA", 3), 0, "not heard of before an unknown queue is looked for");
  t.is(find("TopicC", 0), -1);
  t.is(find("TopicA", 3), 2);
  t.is(find("TopicB", 3), 1);
  for (let n = 0; n < 2000; n++) add("Other", n);
  t.is(find("Other", 1999), 2002);
  t.is(find("TopicA", 3), 2);
  t.deepEqual(heard.slice(0, 3), ["0 TopicA 3", "1 TopicB 3", "2 TopicA 3"]);
});
