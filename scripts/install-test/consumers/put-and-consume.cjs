/** As put-and-consume.mjs, for those who require; under the name of the store's own package. */
const begin = performance.now();
const { MessageStore } = require("@millrace/store");
const { toText } = require("@millrace/store/stats");
const { MessageProducer } = require("@millrace/store/producer");

const imported = performance.now();
const topic = "Orders";

async function run() {
  const store = await MessageStore.open({ storePathRootDir: process.argv[2], flushDiskType: "SYNC_FLUSH" });
  const found = store.getMaxOffsetInQueue(topic, 0);
  const first = await store.putMessage({ topic, queueId: 0, body: Buffer.from("order 0") });
  const put = performance.now();
  for (let n = 1; n < 10; n++) await store.putMessage({ topic, queueId: 0, body: Buffer.from(`order ${n}`) });
  const bodies = [];
  for await (const batch of store.consume({ topic, queueId: 0, from: "earliest" })) {
    for (const message of batch) bodies.push(message.body.toString());
    if (batch.nextOffset >= found + 10) break;
  }
  const isShown = toText(store.stats()).includes("running") && typeof MessageProducer.attach === "function";
  await store.close();
  const times = { importMs: Math.round(imported - begin), firstPutMs: Math.round(put - begin) };
  console.log(JSON.stringify({ status: first.status, found, consumed: bodies.length, last: bodies.at(-1), isShown, ...times }));
}
run();
