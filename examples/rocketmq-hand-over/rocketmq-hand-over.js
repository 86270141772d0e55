// Prepares a directory for a RocketMQ broker: files of the broker's sizes, its topics.json, and a clean end.
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { MessageStore } from "millrace";

const storePathRootDir = resolve(process.argv[2] ?? "orders-store");
/** The same on both sides, or neither opens the directory: here small ones; the defaults of both are the same. */
const sizes = { mappedFileSizeCommitLog: 16 * 2 ** 20, mappedFileSizeConsumeQueue: 6_000_000 / 20 };
const store = await MessageStore.open({ storePathRootDir, storeHost: { address: "127.0.0.1", port: 10911 }, ...sizes });

for (let n = 0; n < 8; n++) {
  await store.putMessage({ topic: "Orders", queueId: n % 4, keys: [`${n}`], body: Buffer.from(`order ${n}`) });
}
// A broker serves only the topics that it knows, with queues 0, 1, 2 ... of each.
const topicConfigTable = {};
for (const topicName of store.topics()) {
  const queues = Math.max(...store.queues(topicName)) + 1;
  const access = { perm: 6, topicFilterType: "SINGLE_TAG", topicSysFlag: 0, order: false };
  topicConfigTable[topicName] = { topicName, readQueueNums: queues, writeQueueNums: queues, ...access };
}
await store.close();
const config = join(storePathRootDir, "config");
await mkdir(config, { recursive: true });
await writeFile(join(config, "topics.json"), JSON.stringify({ topicConfigTable }, null, 2));

console.log("broker.conf:");
for (const [name, value] of Object.entries({ storePathRootDir, ...sizes })) console.log(`${name}=${value}`);
