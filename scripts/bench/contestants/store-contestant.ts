import { setTimeout as sleep } from "node:timers/promises";
import type { StorageSpec } from "@millrace/mapped-file";
import type { MessageStore, MessageStoreOptions } from "@millrace/store";
import { openOn } from "#store/message-store.js";
import type { BenchTarget } from "./contestant.js";
import { LoadContestant } from "./load-contestant.js";
import type { Workload } from "./workload.js";

/** Small enough that a short measurement sees rolls. */
export const BENCH_SEGMENT_SIZE = 256 * 1024 * 1024;
const POLL_MS = 20;
/** The allocator is ahead when it has done nothing for so many polls. */
const STILL_POLLS = 3;
const READY_POLLS_MAX = 250;
/** Longer than the measurement, because a busy machine starts it late. */
const HELD_BACK_MS = 500;

/** Opens a store and waits until the allocator is ahead, as it is in a store that has been running. */
export async function openReadyStore(options: MessageStoreOptions, storage: StorageSpec = { kind: "real" }): Promise<MessageStore> {
  const store = await openOn({ mappedFileSizeCommitLog: BENCH_SEGMENT_SIZE, ...options }, storage);
  let allocated = -1;
  for (let poll = 0, still = 0; poll < READY_POLLS_MAX && still < STILL_POLLS; poll++) {
    await sleep(POLL_MS);
    const { allocatedOffset } = store.stats().offsets;
    still = allocatedOffset > 0 && allocatedOffset === allocated ? still + 1 : 0;
    allocated = allocatedOffset;
  }
  return store;
}

/**
 * The dispatcher's first write takes as long as the whole measurement: it sleeps, and the store is the write path alone. When the
 * time is over it catches up, and the store closes.
 */
function withoutDispatch({ warmUpSeconds, seconds }: Workload): StorageSpec {
  const delayMs = (warmUpSeconds + seconds) * 1000 + HELD_BACK_MS;
  return { kind: "faulty", faults: [{ operation: "write", path: "/consumequeue/", after: 0, times: 1, delayMs }] };
}

/** The store as it is by default, or appending through the channel, or without its dispatcher. */
export async function openStoreContestant(workload: Workload): Promise<LoadContestant> {
  const options: MessageStoreOptions = {
    storePathRootDir: workload.directory,
    flushDiskType: workload.durability === "disk" ? "SYNC_FLUSH" : "ASYNC_FLUSH",
    writeWithoutMmap: workload.contestant === "store-channel",
  };
  const isAlone = workload.contestant === "store-undispatched";
  const store = await openReadyStore(options, isAlone ? withoutDispatch(workload) : undefined);
  const target: BenchTarget = {
    putMessage: (message) => store.putMessage(message),
    putMessages: (batch) => store.putMessages(batch),
    settled: async () => {
      while (!isAlone && store.dispatchBehindBytes > 0) await sleep(1);
    },
    stats: () => store.stats(),
    close: () => store.close(),
  };
  return new LoadContestant(target, workload, "each");
}
