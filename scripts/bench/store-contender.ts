import { setTimeout as sleep } from "node:timers/promises";
import { MessageStore, type MessageStoreOptions } from "@millrace/store";
import { PromiseContender } from "./promise-contender.js";
import type { Workload } from "./workload.js";

/** Small enough that a short measurement sees rolls. */
const SEGMENT_SIZE = 256 * 1024 * 1024;
const READY_WAIT_MS = 5000;

/** Opens a store and waits until the allocator is ahead, as it is in a store that has been running. */
export async function openReadyStore(options: MessageStoreOptions): Promise<MessageStore> {
  const store = await MessageStore.open({ mappedFileSizeCommitLog: SEGMENT_SIZE, ...options });
  const deadline = Date.now() + READY_WAIT_MS;
  while (store.stats().allocate.segmentsReady < 1 && Date.now() < deadline) await sleep(10);
  return store;
}

/** The store as it is by default, or appending through the channel. */
export async function openStoreContender(workload: Workload): Promise<PromiseContender> {
  const store = await openReadyStore({
    storePathRootDir: workload.directory,
    flushDiskType: workload.durability === "disk" ? "SYNC_FLUSH" : "ASYNC_FLUSH",
    writeWithoutMmap: workload.contestant === "store-channel",
  });
  return new PromiseContender(store, workload);
}
