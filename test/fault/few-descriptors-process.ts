import { closeSync, openSync } from "node:fs";
import { MessageStore } from "@millrace/store";
import { PATIENCE } from "../support/patience.js";
import { dispatchedAll, until } from "../support/until.js";

/** Runs with `ulimit -n` in force: argv is the directory. Prints what happened as JSON. */
const TOPICS = 20;
const QUEUES = 100;
const QUEUE_COUNT = TOPICS * QUEUES;
const [, , storePathRootDir = ""] = process.argv;

function openAll(limit: number): number[] {
  const own: number[] = [];
  try {
    while (own.length < limit) own.push(openSync("/dev/null", "r"));
  } catch {
    // EMFILE is what it is about.
  }
  return own;
}

function put(store: MessageStore, n: number): Promise<{ readonly status: string }> {
  const place = { topic: `Topic${n % TOPICS}`, queueId: Math.floor(n / TOPICS) % QUEUES };
  return store.putMessage({ ...place, body: Buffer.alloc(200, n % 256) });
}

/** Statuses, and how often each came. */
async function putAll(store: MessageStore, count: number): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  const statuses = await Promise.all(
    Array.from({ length: count }, (_, n) =>
      put(store, n).then(
        ({ status }) => status,
        ({ code }) => String(code),
      ),
    ),
  );
  for (const status of statuses) found[status] = (found[status] ?? 0) + 1;
  return found;
}

const store = await MessageStore.open({
  ...PATIENCE,
  storePathRootDir,
  mappedFileSizeCommitLog: 64 * 1024,
  mappedFileSizeConsumeQueue: 2000,
  messageIndexEnable: false,
  flushDiskType: "SYNC_FLUSH",
  flushIntervalConsumeQueue: 50,
  flushConsumeQueueLeastPages: 0,
  flushConsumeQueueThoroughInterval: 100,
});
const first = await putAll(store, 2 * QUEUE_COUNT);
await dispatchedAll(store);
const free = openAll(500);
for (const fd of free) closeSync(fd);

const taken = openAll(Number.POSITIVE_INFINITY);
await putAll(store, 500);
for (const fd of taken) closeSync(fd);
await until(async () => (await put(store, 0)).status === "PUT_OK");
const last = await putAll(store, QUEUE_COUNT);
await dispatchedAll(store);
let empty = 0;
for (let n = 0; n < QUEUE_COUNT; n++) if (store.getMaxOffsetInQueue(`Topic${n % TOPICS}`, Math.floor(n / TOPICS)) < 3) empty++;
const { state } = store.stats();
await store.close();
process.stdout.write(JSON.stringify({ first, free: free.length, last, empty, state }));
