import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName } from "@millrace/format";
import type { Fault } from "@millrace/mapped-file";
import { MessageStore } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { FollowedStore } from "#store/follow/followed-store.js";
import { clearFence } from "#store/open/clear-fence.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { message, numbered, openStore } from "../support/temporary-store.js";
import { dispatchedAll, until } from "../support/until.js";

const UNWRITABLE: Fault = { operation: "write", path: "consumerOffset.json", after: 0, code: "EIO" };
const UNUSABLE = { code: "ERR_PATH_UNUSABLE", message: /code=EIO path=.*consumerOffset\.json/ };

test.serial("offsets that cannot be saved: persist and close reject with a code, and an event says so", async (t) => {
  const store = await openStore(t, {}, [UNWRITABLE]);
  const heard: unknown[] = [];
  store.on("error", ({ service, code }) => heard.push([service, code]));
  store.consumerOffsets.commit("g", "TopicA", 0, 0);
  await t.throwsAsync(store.consumerOffsets.persist(), UNUSABLE);
  await until(() => heard.length > 0);
  t.deepEqual(heard[0], ["config", "ERR_PATH_UNUSABLE"]);
  await t.throwsAsync(store.close(), UNUSABLE);
  const again = await openStore(t, { storePathRootDir: store.config.storePathRootDir });
  t.false(again.recovery.lastExitOk, "what could not be saved keeps the end from being clean");
});

test.serial("closing a fenced store says that it is fenced, and not that its offsets could not be saved", async (t) => {
  const forceFails: Fault = { operation: "force", path: "commitlog", after: 0, times: 1, code: "EIO" };
  const store = await openStore(t, { flushIntervalCommitLog: 60_000 }, [forceFails, UNWRITABLE]);
  await store.putMessage(message());
  store.consumerOffsets.commit("g", "TopicA", 0, 0);
  await t.throwsAsync(store.flush(), { code: "ERR_STORE_FENCED" });
  await t.throwsAsync(store.close(), { code: "ERR_STORE_FENCED" });
});

test.serial("a file that cannot be mapped is a coded error for everything that reads", async (t) => {
  const keys = { maxHashSlotNum: 100, maxIndexNum: 100 };
  const first = await openStore(t, keys);
  await first.putMessage(numbered(0, 16, { keys: "k" }));
  await dispatchedAll(first);
  await first.close();
  const { storePathRootDir } = first.config;
  const faults: Fault[] = ["/index/", "/consumequeue/"].map((path) => ({ operation: "map", path, after: 0, code: "ENOMEM" }));
  const store = await openStore(t, { ...keys, storePathRootDir }, faults);
  const unusable = { code: "ERR_PATH_UNUSABLE", message: /code=ENOMEM/ };
  t.throws(() => store.queryMessage({ topic: "TopicA", key: "k" }), unusable);
  t.throws(() => store.getMessage({ topic: "TopicA", queueId: 0, queueOffset: 0 }), unusable);
  t.throws(() => store.getMessageStoreTimestamp("TopicA", 0, 0), unusable);
});

test.serial("what checks itself says with a code that a directory cannot be read", async (t) => {
  const store = await openStore(t);
  await store.putMessage(message());
  await dispatchedAll(store);
  const { storePathCommitLog } = store.config;
  t.deepEqual(await store.checkSelf(), []);
  renameSync(storePathCommitLog, `${storePathCommitLog}.away`);
  writeFileSync(storePathCommitLog, "");
  await t.throwsAsync(store.checkSelf(), { code: "ERR_PATH_UNUSABLE", message: /code=ENOTDIR path=.*commitlog/ });
  rmSync(storePathCommitLog);
  renameSync(`${storePathCommitLog}.away`, storePathCommitLog);
});

test("clearFence leaves nothing in a directory that is no store's", (t) => {
  for (const names of [[], ["commitlog"], ["commitlog", "letters"]]) {
    const directory = temporaryDirectory(t);
    for (const name of names) mkdirSync(join(directory, name));
    t.throws(() => MessageStore.clearFence(directory), { code: "ERR_PATH_UNUSABLE", message: /no fence is here, and no log/ });
    t.deepEqual(readdirSync(directory), names);
  }
});

test("a fence that cannot be lifted, because its directory is none or takes no file, is a coded error", (t) => {
  const directory = temporaryDirectory(t);
  const [file, link] = [join(directory, "file"), join(directory, "link")];
  writeFileSync(file, "");
  symlinkSync(join(directory, "missing"), link);
  for (const [root, reason] of [
    [file, /code=ENOTDIR path=/],
    [join(file, "store"), /code=ENOTDIR|no such directory/],
    [link, /no log/],
    [join(directory, "missing"), /no such directory/],
  ] as const)
    t.throws(() => MessageStore.clearFence(root), { code: "ERR_PATH_UNUSABLE", message: reason });
  mkdirSync(join(directory, "commitlog"));
  writeFileSync(join(directory, "commitlog", segmentFileName(0)), "");
  for (const code of ["EACCES", "EROFS", "EMFILE"]) {
    const faults: Fault[] = [{ operation: "open", path: "lock", after: 0, code }];
    const message = new RegExp(`^the fence stands.*code=${code} path=.*lock`);
    t.throws(() => clearFence(directory, {}, { kind: "faulty", faults }), { code: "ERR_PATH_UNUSABLE", message });
  }
});

/** Of a store with a message and a group's offset, which has been closed. */
async function openFaultyReader(t: ExecutionContext, fault: Omit<Fault, "after">): Promise<FollowedStore> {
  const store = await openStore(t);
  await store.putMessage(message());
  await dispatchedAll(store);
  store.consumerOffsets.commit("group", "TopicA", 0, 1);
  await store.close();
  const faults: Fault[] = [{ ...fault, after: 0 }];
  const reader = await FollowedStore.open(store.config.storePathRootDir, {}, { kind: "faulty", faults });
  t.teardown(() => reader.close());
  return reader;
}

test.serial("a reader that cannot read which topics were deleted says so with a code when it verifies", async (t) => {
  const reader = await openFaultyReader(t, { operation: "read", path: "deletedTopics", code: "EACCES" });
  await t.throwsAsync(reader.verify({}), { code: "ERR_PATH_UNUSABLE", message: /code=EACCES path=.*deletedTopics/ });
});

for (const [operation, code] of [
  ["read", "EACCES"],
  ["open", "EMFILE"],
] as const) {
  test.serial(`a reader that cannot read the groups' offsets says so with a code: ${code}`, async (t) => {
    const { consumerOffsets } = await openFaultyReader(t, { operation, path: "consumerOffset.json", code });
    const unusable = { code: "ERR_PATH_UNUSABLE", message: new RegExp(`code=${code} path=.*consumerOffset.json`) };
    t.throws(() => consumerOffsets.groups(), unusable);
    t.throws(() => consumerOffsets.get("group", "TopicA", 0), unusable);
    t.throws(() => consumerOffsets.committed("group"), unusable);
  });
}
