// Worker threads put beside one another, each into a ring of its own; the thread of the store only waits for them.
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { MessageStore } from "millrace";
import { MessageProducer } from "millrace/producer";

const WORKERS = 2;
const MESSAGES = 1000;

async function produce({ handle, queueId }) {
  const producer = MessageProducer.attach(handle);
  const puts = [];
  for (let n = 0; n < MESSAGES; n++) {
    puts.push(producer.putMessage({ topic: "Readings", queueId, body: Buffer.from(`reading ${n}`) }));
    if (n % 100 === 0) await producer.drained(100); // at most 100 unanswered puts
  }
  await Promise.all(puts);
  await producer.close();
}

async function run(directory) {
  const store = await MessageStore.open({ storePathRootDir: directory });
  const workers = Array.from({ length: WORKERS }, (_, queueId) => {
    const handle = store.producerHandle();
    return new Worker(new URL(import.meta.url), { workerData: { handle, queueId }, transferList: handle.transferList });
  });
  await Promise.all(workers.map((worker) => once(worker, "exit")));
  while (store.dispatchBehindBytes > 0) await setTimeout(1); // acknowledged is in the log; dispatched is in its queue
  for (let queueId = 0; queueId < WORKERS; queueId++) {
    console.log(`queue ${queueId} has ${store.getMaxOffsetInQueue("Readings", queueId)} messages`);
  }
  await store.close();
}

await (isMainThread ? run(process.argv[2] ?? "readings-store") : produce(workerData));
