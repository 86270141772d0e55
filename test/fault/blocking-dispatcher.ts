import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CommitLogDispatcher } from "#store/dispatch/commit-log-dispatcher.js";

/** In the store's directory, once it blocks. */
export const BLOCKS_FILE = "blocks";

/** Of a message in which {@link blockingDispatcher} blocks for ever. */
export const BLOCKING_TOPIC = "TopicThatBlocks";

/** A user's dispatcher, as `commitLogDispatchers` names it, which wants the whole log again in each life of the store. */
export default function blockingDispatcher({ storePathRootDir }: { storePathRootDir: string }): CommitLogDispatcher {
  const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  return {
    name: "blocking",
    handledOffset: () => 0,
    dispatch: ({ topic }) => {
      if (topic !== BLOCKING_TOPIC) return;
      writeFileSync(join(storePathRootDir, BLOCKS_FILE), "");
      Atomics.wait(never, 0, 0);
    },
  };
}
