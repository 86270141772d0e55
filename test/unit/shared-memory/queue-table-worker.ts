/** The other thread of the queue table's test: says how many queues it has heard of, and which were not the expected ones. */
import { parentPort, workerData } from "node:worker_threads";
import { ControlBlock, type ControlBlockBuffer, type QueueTableBuffers, QueueTableReader } from "@millrace/shared-memory";

export const OTHER_THREAD_QUEUES = 5000;

/** The queue that a slot has in this test; names of every length up to the longest. */
export function queueOfSlot(slot: number): { topic: string; queueId: number } {
  return { topic: `t${slot}`.padEnd(1 + (slot % 255), "x"), queueId: slot };
}

function listen(queues: QueueTableBuffers, control: ControlBlockBuffer): { heard: number; strange: number } {
  const { queueSlots } = ControlBlock.attach(control, "dispatch").counters;
  const reader = new QueueTableReader(queues, queueSlots);
  let heard = 0;
  let strange = 0;
  const deadline = performance.now() + 20_000;
  while (heard < OTHER_THREAD_QUEUES && performance.now() < deadline) {
    reader.refresh((slot, topic, queueId) => {
      const expected = queueOfSlot(heard++);
      if (slot !== expected.queueId || queueId !== expected.queueId || Buffer.from(topic).toString() !== expected.topic) strange++;
    });
  }
  return { heard, strange };
}

if (parentPort !== null && workerData !== null) {
  const { queues, control } = workerData as { queues: QueueTableBuffers; control: ControlBlockBuffer };
  parentPort.postMessage("listening");
  parentPort.postMessage(listen(queues, control));
}
