import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type StorePaths, storePaths } from "@millrace/format";
import { createStorage, type Fault } from "@millrace/mapped-file";
import { MessageStore, type MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { leaveFence } from "#store/marks/fence-places.js";
import { readStoreFence } from "#store/marks/store-fence.js";
import { truncateStore } from "#store/open/truncate-store.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { numbered, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";

const real = createStorage({ kind: "real" });
const REFUSED: Fault = { operation: "open", path: "root/millrace.fence", after: 0, code: "EROFS" };

interface Separate {
  readonly root: string;
  readonly log: { readonly storePathCommitLog: string };
  readonly options: MessageStoreOptions;
  readonly paths: StorePaths;
  readonly end: number;
}

/** A store of three messages whose log lies elsewhere; closed. */
async function separateStore(t: ExecutionContext): Promise<Separate> {
  const base = temporaryDirectory(t);
  const [root, storePathCommitLog] = [join(base, "root"), join(base, "log")];
  const store = await openStore(t, { storePathRootDir: root, storePathCommitLog });
  for (const n of [0, 1, 2]) await store.putMessage(numbered(n));
  const end = store.maxPhysicalOffset;
  await store.close();
  const paths = storePaths(root, storePathCommitLog);
  const options = { storePathRootDir: root, storePathCommitLog, mappedFileSizeCommitLog: SEGMENT_SIZE };
  return { root, log: { storePathCommitLog }, options, paths, end };
}

const PLACES = { "beside the log": [REFUSED], "in the watermark": [REFUSED, { ...REFUSED, path: "log.millrace.fence" }] };
for (const [place, faults] of Object.entries(PLACES)) {
  test(`a fence that lies ${place}, which is elsewhere, is shown by a reader, and lifted by clearFence`, async (t) => {
    const { root, log, paths } = await separateStore(t);
    leaveFence(createStorage({ kind: "faulty", faults }), paths, 7, "EIO");
    await using reader = await MessageStore.openReadOnly(root, log);
    t.is(reader.stats().fence?.offset, 7);
    t.false(existsSync(paths.fence), "a reader changes nothing");
    const fenced = await openStore(t, { storePathRootDir: root, ...log }, faults);
    const command = `"millrace unfence ${root} --storePathCommitLog ${log.storePathCommitLog}"`;
    const { message } = await t.throwsAsync(fenced.flush(), { code: "ERR_STORE_FENCED" });
    t.true(message.includes(command), message);
    await fenced.close();
    t.false(existsSync(paths.fence));
    MessageStore.clearFence(root, log);
    t.is(reader.stats().fence, undefined);
    const store = await openStore(t, { storePathRootDir: root, ...log });
    t.is(store.stats().state, "running");
    await store.close();
  });
}

test("clearFence of a root without a log does not say that there is no fence: it asks where the log lies", async (t) => {
  const { root, log } = await separateStore(t);
  t.throws(() => MessageStore.clearFence(root), { code: "ERR_PATH_UNUSABLE", message: /storePathCommitLog.*path=.*commitlog$/ });
  t.notThrows(() => MessageStore.clearFence(root, log));
  t.throws(() => MessageStore.clearFence(root, { storePathCommitlog: root } as never), { code: "ERR_OPTION_UNKNOWN" });
  writeFileSync(join(root, "millrace.fence"), "EIO");
  t.notThrows(() => MessageStore.clearFence(root), "the root has it");
});

test("a fence beside a log is not lifted while a store of another root has the log open", async (t) => {
  const { root, log, paths } = await separateStore(t);
  const other = join(temporaryDirectory(t), "other");
  mkdirSync(other);
  const store = await openStore(t, { storePathRootDir: other, ...log });
  leaveFence(createStorage({ kind: "faulty", faults: [REFUSED] }), paths, 7, "EIO");
  t.throws(() => MessageStore.clearFence(root, log), { code: "ERR_STORE_LOCKED" });
  t.is(readStoreFence(real, paths.logFence)?.offset, 7);
  rmSync(paths.logFence);
  await store.close();
});

test("a log whose fence the root does not take is not cut: the watermark that holds the marker stays", async (t) => {
  const { options, paths, end } = await separateStore(t);
  leaveFence(createStorage({ kind: "faulty", faults: PLACES["in the watermark"] }), paths, 7, "EIO");
  const cut = truncateStore(options, 0, { kind: "faulty", faults: [REFUSED] });
  await t.throwsAsync(cut, { code: "ERR_PATH_UNUSABLE", message: /fence stands/ });
  const store = await openStore(t, options);
  t.is(store.stats().state, "fenced");
  t.is(store.maxPhysicalOffset, end);
  await store.close();
});

test("a marker in a watermark that is damaged is in the root before anybody is asked to delete that file", async (t) => {
  const { options, paths } = await separateStore(t);
  leaveFence(createStorage({ kind: "faulty", faults: PLACES["in the watermark"] }), paths, 7, "EIO");
  const bytes = readFileSync(paths.watermark);
  for (const slot of [0, 4096]) bytes.fill(0, slot, slot + 32);
  writeFileSync(paths.watermark, bytes);
  await t.throwsAsync(openStore(t, options), { code: "ERR_WATERMARK_CORRUPT" });
  rmSync(paths.watermark);
  const store = await openStore(t, options);
  t.is(store.stats().state, "fenced");
  await store.close();
});
