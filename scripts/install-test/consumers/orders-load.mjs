// Orders come until it is told to stop; `billing` has consumed some of them and goes on no further, `shipping` all.
import { setTimeout } from "node:timers/promises";
import { MessageStore } from "millrace";

const QUEUES = 4;
const AT_ONCE = 100;
const FIRST = 8000;
const PAUSE_MS = 20;

const store = await MessageStore.open({ storePathRootDir: process.argv[2], mappedFileSizeCommitLog: 16 * 1024 * 1024 });
const order = (n) => ({
  topic: "Orders",
  queueId: n % QUEUES,
  keys: [`order-${n}`],
  body: Buffer.from(JSON.stringify({ order: n })),
});
let isStopped = false;
process.once("SIGTERM", () => {
  isStopped = true;
});
let orders = 0;
while (!isStopped) {
  await store.putAll(Array.from({ length: AT_ONCE }, () => order(orders++)));
  if (orders < FIRST) continue;
  if (orders === FIRST) {
    while (store.dispatchBehindBytes > 0) await setTimeout(PAUSE_MS);
    for (let queueId = 0; queueId < QUEUES; queueId++) store.consumerOffsets.commit("billing", "Orders", queueId, 100);
  }
  for (let queueId = 0; queueId < QUEUES; queueId++) {
    store.consumerOffsets.commit("shipping", "Orders", queueId, store.getMaxOffsetInQueue("Orders", queueId));
  }
  if (orders === FIRST) {
    await store.consumerOffsets.persist();
    console.log("ready");
  }
  await setTimeout(PAUSE_MS);
}
await store.close();
console.log(orders);
