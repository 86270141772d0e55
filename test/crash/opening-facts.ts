import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { MessageStore, type MessageStoreOptions } from "@millrace/store";

/** What an opening has found, as plain data: the same, whatever it had to read for it. */
export function openingFacts(store: MessageStore): object {
  const { minOffset, maxOffset, messages, lastStoreTimestamp, queueOffsets, cut, lastExitOk, progress } = store.recovery;
  const ranges = [...queueOffsets.keys()].sort().map((key) => {
    const [topic, queueId] = [key.slice(0, key.lastIndexOf("-")), Number(key.slice(key.lastIndexOf("-") + 1))];
    return { key, next: queueOffsets.get(key), min: store.getMinOffsetInQueue(topic, queueId) };
  });
  return { minOffset, maxOffset, messages, lastStoreTimestamp, cutAt: cut?.offset, lastExitOk, ranges, cut: progress.cutOffsets };
}

/** What an opening that reads everything finds in a copy of the directory. */
export async function factsOfAll(options: MessageStoreOptions & { readonly storePathRootDir: string }): Promise<object> {
  const storePathRootDir = `${options.storePathRootDir}.copy`;
  execFileSync("cp", ["-a", options.storePathRootDir, storePathRootDir]);
  try {
    await using store = await MessageStore.open({ ...options, storePathRootDir, verifyOnOpen: "all" });
    return openingFacts(store);
  } finally {
    rmSync(storePathRootDir, { recursive: true });
  }
}
