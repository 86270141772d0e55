import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import { MessageStore } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { DeletedTopics } from "#store/marks/deleted-topics.js";
import { PATIENCE } from "../support/patience.js";
import { type StorageCall, storageCalls, syncedIn } from "../support/storage-calls.js";
import { memoryDirectory } from "../support/temporary-directory.js";
import { KIB, message } from "../support/temporary-store.js";

/** Of a store whose log lies elsewhere, with some queues and an offset; its parents are `root/..` and `log/..`. */
async function closedStore(t: ExecutionContext) {
  const base = memoryDirectory(t);
  const options = {
    storePathRootDir: join(base, "stores", "store"),
    storePathCommitLog: join(base, "logs", "log"),
    mappedFileSizeCommitLog: 64 * KIB,
    ...PATIENCE,
  };
  const store = await MessageStore.open(options);
  for (let queueId = 0; queueId < 20; queueId++) await store.putMessage(message({ queueId }));
  store.consumerOffsets.commit("Group", "TopicA", 0, 1);
  await store.close();
  return { base, options, paths: storePaths(options.storePathRootDir, options.storePathCommitLog) };
}

/** Where a call is that is so; the calls there are when none is. */
function indexOf(calls: readonly StorageCall[], isSo: (call: StorageCall) => boolean): number {
  const index = calls.findIndex(isSo);
  return index < 0 ? calls.length : index;
}

test.serial("an opening makes what was renamed in the root and in config durable before it reads anything there", async (t) => {
  const { options, paths } = await closedStore(t);
  const calls = storageCalls(t);
  const store = await MessageStore.open(options);
  await store.close();
  for (const directory of [paths.root, paths.config]) {
    const synced = indexOf(calls, ({ operation, path }) => operation === "syncDirectory" && path === directory);
    const read = indexOf(calls, ({ operation, path }) => operation === "readSmall" && path.startsWith(`${directory}/`));
    t.true(synced < read, `${directory}: synced at ${synced}, read at ${read}`);
    t.true(read < calls.length);
  }
});

test.serial(
  "an opening makes the names of the root and of a log elsewhere durable: the life that made them may have been killed",
  async (t) => {
    const { base, options } = await closedStore(t);
    const calls = storageCalls(t);
    const store = await MessageStore.open(options);
    const synced = syncedIn(calls);
    await store.close();
    for (const name of ["stores", "logs"]) t.true(synced.includes(join(base, name)), name);
  },
);

test.serial("an opening of a store that was closed syncs a handful of directories, however many queues there are", async (t) => {
  const { base, options } = await closedStore(t);
  const calls = storageCalls(t);
  const store = await MessageStore.open(options);
  const synced = syncedIn(calls).map((path) => path.slice(base.length));
  await store.close();
  const parents = ["/stores", "/logs"];
  const own = [
    "/stores/store",
    "/stores/store/config",
    "/stores/store/consumequeue",
    "/stores/store/millrace.segments",
    "/logs/log",
  ];
  t.deepEqual(synced.toSorted(), [...parents, ...own].toSorted());
});

test.serial("where the system does not let a parent be synced the store is opened; a sync that fails refuses it", async (t) => {
  const { base, options } = await closedStore(t);
  const parents = [join(base, "stores"), join(base, "logs")];
  let code = "EACCES";
  storageCalls(t, (path) => {
    if (parents.includes(path)) throw Object.assign(new Error(`${code}: planned`), { code });
  });
  for (code of ["EACCES", "EPERM", "EINVAL"]) {
    const store = await MessageStore.open(options);
    t.is(store.stats().state, "running", code);
    await store.close();
  }
  code = "EIO";
  await t.throwsAsync(MessageStore.open(options), { code: "ERR_PATH_UNUSABLE", message: /EIO/ });
});

test.serial("an opening that forgets a deletion makes what a killed life has removed of the topic durable first", async (t) => {
  const { options, paths } = await closedStore(t);
  DeletedTopics.read(createStorage({ kind: "real" }), paths.deletedTopics).add("Deleted", 0); // as if expired
  const topic = join(paths.consumeQueue, "Deleted");
  mkdirSync(topic);
  const calls = storageCalls(t);
  const store = await MessageStore.open(options);
  await store.close();
  const forgotten = indexOf(calls, ({ operation, path }) => operation === "writeSmall" && path === paths.deletedTopics);
  t.true(indexOf(calls, ({ operation, path }) => operation === "syncDirectory" && path === topic) < forgotten);
  t.true(forgotten < calls.length);
});
