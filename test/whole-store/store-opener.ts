/** Another thread or process that opens a directory: arguments are the directory and what to do there. */
import { setTimeout } from "node:timers/promises";
import { isMainThread, parentPort } from "node:worker_threads";
import { MessageStore } from "@millrace/store";

const [root = "", what = ""] = process.argv.slice(2);
const options = { storePathRootDir: root, mappedFileSizeCommitLog: 65536 };

async function putTen(store: MessageStore): Promise<number> {
  const puts = Array.from({ length: 10 }, () => store.putMessage({ topic: "TopicA", queueId: 0, body: new Uint8Array(10) }));
  return (await Promise.all(puts)).filter(({ status }) => status === "PUT_OK").length;
}

function answer(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** "open", or why not. */
async function tryOpen(): Promise<string> {
  try {
    const store = await MessageStore.open(options);
    await store.close();
    return "open";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

async function usePut(): Promise<number> {
  await using store = await MessageStore.open(options);
  return await putTen(store);
}

async function failInUse(): Promise<void> {
  await using store = await MessageStore.open(options);
  await store.putMessage({ topic: "", queueId: 0, body: new Uint8Array(0) });
}

const acts: Record<string, () => Promise<void>> = {
  worker: async () => parentPort?.postMessage(await tryOpen()),
  process: async () => {
    process.send?.(await tryOpen());
    process.disconnect?.();
  },
  close: async () => {
    const store = await MessageStore.open(options);
    answer(String(await putTen(store)));
    await store.close();
  },
  using: async () => answer(String(await usePut())),
  failure: async () => failInUse().catch((error) => answer(error.code)),
  "no-put": async () => {
    const store = await MessageStore.open(options);
    answer(String(store.maxPhysicalOffset));
    await store.close();
  },
  forgotten: async () => {
    const store = await MessageStore.open(options);
    answer(String(await putTen(store)));
  },
  unref: async () => {
    const store = await MessageStore.open({ ...options, unref: true });
    answer(String(await putTen(store)));
    store.onMessageArriving(() => {});
  },
  "unref-waits": async () => {
    const store = await MessageStore.open({ ...options, flushDiskType: "SYNC_FLUSH", unref: true });
    void putTen(store).then(async (count) => {
      const flushed = await store.flush();
      await store.consumerOffsets.persist();
      await store.close();
      answer(`${count} ${flushed > 0}`);
    });
  },
  "unref-deletes": async () => {
    const pauses = { deleteCommitLogFilesInterval: 200, deleteConsumeQueueFilesInterval: 200, mappedFileSizeConsumeQueue: 200 };
    const store = await MessageStore.open({ ...options, ...pauses, fileReservedTime: 0, unref: true });
    for (let n = 0; n < 30; n++) await store.putMessage({ topic: "TopicA", queueId: 0, body: new Uint8Array(10_000) });
    await store.flush();
    while (store.dispatchBehindBytes > 0) await setTimeout(10);
    const { deletedSegments, deletedConsumeQueueFiles } = await store.deleteExpiredFiles();
    answer(`${deletedSegments} ${deletedConsumeQueueFiles}`);
    await store.close();
  },
  pending: async () => {
    const store = await MessageStore.open({ ...options, flushDiskType: "SYNC_FLUSH" });
    let settled = 0;
    const puts = Array.from({ length: 100 }, () =>
      store.putMessage({ topic: "TopicA", queueId: 0, body: new Uint8Array(10) }).then(() => settled++),
    );
    Promise.all(puts).then(async () => {
      answer(`settled ${settled}`);
      await store.close();
    });
  },
};

if (isMainThread || what === "worker") await acts[what]?.();
