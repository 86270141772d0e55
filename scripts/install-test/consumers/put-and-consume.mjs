/** Puts ten messages and consumes all that there are; the second run finds those of the first. Prints what it found as JSON. */
const begin = performance.now();
const { MessageStore } = await import("millrace");
const { toText } = await import("millrace/stats");
const { MessageProducer } = await import("millrace/producer");
const imported = performance.now();

const topic = "Orders";
const store = await MessageStore.open({ storePathRootDir: process.argv[2], flushDiskType: "SYNC_FLUSH" });
const found = store.getMaxOffsetInQueue(topic, 0);
const first = await store.putMessage({ topic, queueId: 0, body: Buffer.from("order 0"), keys: ["4711"] });
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
