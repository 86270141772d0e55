import { KernelMemory } from "@millrace/kernels";
import { allocateQueueTable, ControlBlock, QueueTableWriter } from "@millrace/shared-memory";
import test from "ava";
import { TopicTable } from "#store/put/topic-table.js";

function tableOf(): { topics: TopicTable; taken: () => number } {
  const { counters } = ControlBlock.attach(ControlBlock.create({}), "main");
  const topics = new TopicTable(new QueueTableWriter(allocateQueueTable(new KernelMemory()), counters.queueSlots));
  return { topics, taken: () => counters.queueSlots.value };
}

test("a queue that is asked about takes no slot, and its topic is not known, until it is given one", (t) => {
  const { topics, taken } = tableOf();
  for (let n = 0; n < 1000; n++) topics.checkSlot(topics.topic(`Topic${n}`), n);
  t.is(taken(), 0);
  t.is(topics.find("Topic0"), undefined);
  t.deepEqual([...topics.topics()], []);
  const topic = topics.topic("Topic7");
  t.is(topics.slot(topic, 7), 0);
  t.is(topics.slot(topics.topic("Topic7"), 7), 0);
  t.is(topics.find("Topic7"), topic);
  t.is(taken(), 1);
});

test("an illegal queue is refused before it has a slot", (t) => {
  const { topics, taken } = tableOf();
  t.throws(() => topics.checkSlot(topics.topic("TopicA"), -1), { code: "ERR_QUEUE_ILLEGAL" });
  t.throws(() => topics.slot(topics.topic("TopicA"), 0.5), { code: "ERR_QUEUE_ILLEGAL" });
  t.is(taken(), 0);
});
