import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import type { MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { resolveConfig } from "#store/config/message-store-config.js";
import { DirectoryFollower } from "#store/follow/directory-follower.js";
import { FollowedWords } from "#store/follow/followed-words.js";
import { MessageReader } from "#store/read/message-reader.js";
import { openReader, putNumbered, watchesBelow } from "../support/store-reader.js";
import { openStore, SEGMENT_SIZE } from "../support/temporary-store.js";
import { stays, until } from "../support/until.js";

const SMALL: MessageStoreOptions = { mappedFileSizeConsumeQueue: 2000, maxHashSlotNum: 100, maxIndexNum: 4000 };
/** Longer than a reader takes from one listing of the files to the next. */
const LISTING_MS = 1500;

function follow(t: ExecutionContext, root: string): FollowedWords {
  const storage = createStorage({ kind: "real" });
  const config = resolveConfig({ ...SMALL, storePathRootDir: root, mappedFileSizeCommitLog: SEGMENT_SIZE });
  const words = new FollowedWords();
  const reader = new MessageReader(storage, config, words.control, words.queues, words.topics, Number.POSITIVE_INFINITY);
  const follower = new DirectoryFollower(storage, storePaths(root), SEGMENT_SIZE, words, reader);
  t.teardown(() => {
    follower.close();
    reader.close();
  });
  return words;
}

test.serial(
  "a queue's directory without a file takes no queue slot, however often it is looked at, before it has one",
  async (t) => {
    const store = await openStore(t, SMALL);
    const { storePathRootDir } = store.config;
    await putNumbered(store, 0, 5);
    for (let n = 0; n < 50; n++) mkdirSync(join(storePathRootDir, "consumequeue", `Empty${n}`, "0"), { recursive: true });
    const { queueSlots } = follow(t, storePathRootDir).control.counters;
    t.is(queueSlots.get(), 1);
    t.true(await stays(() => queueSlots.get() === 1, LISTING_MS));
    await putNumbered(store, 0, 5, 1000, "Empty7");
    await until(() => queueSlots.get() === 2);
  },
);

test.serial("a topic's directory that was deleted and is made again is watched again", async (t) => {
  const store = await openStore(t, SMALL);
  const { storePathRootDir } = store.config;
  await putNumbered(store, 0, 5);
  await store.close();
  await openReader(t, storePathRootDir);
  const queues = join(storePathRootDir, "consumequeue");
  t.is(watchesBelow(queues), 2);
  rmSync(join(queues, "TopicA"), { recursive: true });
  t.true(await stays(() => watchesBelow(queues) === 0, LISTING_MS));
  mkdirSync(join(queues, "TopicA"));
  await until(() => watchesBelow(queues) === 1);
});
