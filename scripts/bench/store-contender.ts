import { setTimeout as sleep } from "node:timers/promises";
import { MessageStore, type MessageStoreOptions } from "@millrace/store";
import { PromiseContender } from "./promise-contender.js";
import type { Workload } from "./workload.js";

/** Small enough that a short measurement sees rolls. */
const SEGMENT_SIZE = 256 * 1024 * 1024;
const POLL_MS = 20;
/** The allocator is ahead when it has done nothing for so many polls. */
const STILL_POLLS = 3;
const READY_POLLS_MAX = 250;

/** Opens a store and waits until the allocator is ahead, as it is in a store that has been running. */
export async function openReadyStore(options: MessageStoreOptions): Promise<MessageStore> {
  const store = await MessageStore.open({ mappedFileSizeCommitLog: SEGMENT_SIZE, ...options });
  let allocated = -1;
  for (let poll = 0, still = 0; poll < READY_POLLS_MAX && still < STILL_POLLS; poll++) {
    await sleep(POLL_MS);
    const { allocatedOffset } = store.stats().offsets;
    still = allocatedOffset > 0 && allocatedOffset === allocated ? still + 1 : 0;
    allocated = allocatedOffset;
  }
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
