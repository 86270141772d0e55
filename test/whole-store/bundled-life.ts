/** A store's life in a process without hooks; prints where its threads' modules came from, and what it found, as JSON. */
import { MessageStore } from "@millrace/store";
import { SERVICE_NAMES, SERVICES } from "#store/pipeline/services.js";
import { bundlesOf } from "#store/pipeline/worker-bundle.js";

const [storePathRootDir = ""] = process.argv.slice(2);
const COUNT = 200;

async function live(first: number): Promise<{ found: number; byKey: number; corrupt: number }> {
  await using store = await MessageStore.open({ storePathRootDir, mappedFileSizeCommitLog: 65_536, flushDiskType: "SYNC_FLUSH" });
  const puts = Array.from({ length: COUNT }, (_, n) =>
    store.putMessage({ topic: "TopicA", queueId: 0, body: Buffer.alloc(300, n), keys: `key${first + n}`, tags: "TagA" }),
  );
  await Promise.all(puts);
  while (store.dispatchBehindBytes > 0) await store.flush();
  const { messages } = store.queryMessage({ topic: "TopicA", key: `key${first}` });
  const { corrupt } = await store.verify();
  return { found: store.getMaxOffsetInQueue("TopicA", 0), byKey: messages.length, corrupt: corrupt.length };
}

const bundleOf = bundlesOf();
const workers = SERVICE_NAMES.map((name) => bundleOf(SERVICES[name].worker).pathname);
process.stdout.write(JSON.stringify({ workers, lives: [await live(0), await live(COUNT)] }));
