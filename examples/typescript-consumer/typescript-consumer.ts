// A consumer group that goes on where it was: it commits what it has worked through, and a restart begins there.
import { type ConsumedBatch, MessageStore, type MessageStoreOptions, type MessageView, MillraceError } from "millrace";
import type { StoreStats } from "millrace/stats";

const TOPIC = "Payments";
const GROUP = "ledger";

const options: MessageStoreOptions = { storePathRootDir: process.argv[2] ?? "payments-store" };
const store: MessageStore = await MessageStore.open(options);

const amounts: readonly number[] = [12, 7, 30];
const puts = await store.putAll(
  amounts.map((amount) => ({ topic: TOPIC, queueId: 0, tags: amount > 10 ? "large" : "small", body: Buffer.from(String(amount)) })),
);
for (const put of puts) {
  if (put.status !== "PUT_OK") throw new Error(`${put.code}: ${put.reason}`);
}

const end = store.getMaxOffsetInQueue(TOPIC, 0);
const from = store.consumerOffsets.get(GROUP, TOPIC, 0) ?? "earliest";
let total = 0;
try {
  for await (const batch of store.consume({ topic: TOPIC, queueId: 0, from, filter: { tags: ["large"] } })) {
    total += sum(batch);
    store.consumerOffsets.commit(GROUP, TOPIC, 0, batch.nextOffset, batch.queueLife);
    if (batch.nextOffset >= end) break; // as a rule: go on, the loop waits for the next payment
  }
} catch (error) {
  if (error instanceof MillraceError) console.error(error.code);
  throw error;
}

function sum(batch: ConsumedBatch): number {
  return [...batch].reduce((before: number, message: MessageView) => before + Number(message.body.toString()), 0);
}

const stats: StoreStats = store.stats();
console.log(`large payments since the last run: ${total}; the store is ${stats.state}`);
await store.close();
