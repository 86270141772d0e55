import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName } from "@millrace/format";
import type { Fault } from "@millrace/mapped-file";
import { MessageStore, type MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { truncateStore } from "#store/open/truncate-store.js";
import { contents, readLog } from "../support/stored-log.js";
import { memoryDirectory, temporaryDirectory } from "../support/temporary-directory.js";
import { numbered, numberOf, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";

const COUNT = 300;
/** In the second segment. */
const KEPT = 100;
const SIZES = { mappedFileSizeCommitLog: SEGMENT_SIZE, messageIndexEnable: false };
/** In the root. */
const OWN_COPY = "commitlog.millrace.new";

interface Pair {
  readonly store: MessageStoreOptions & { readonly storePathRootDir: string };
  readonly snapshot: MessageStoreOptions & { readonly storePathRootDir: string };
  /** Where message {@link KEPT} begins. */
  readonly cutAt: number;
  /** Of the segment that holds it, below a root. */
  readonly segment: string;
}

/** A store that is closed, and its snapshot, which shares all segments but the last one by hard link. */
async function storeAndSnapshot(t: ExecutionContext): Promise<Pair> {
  const parent = temporaryDirectory(t);
  const [store, snapshot] = ["store", "snapshot"].map((name) => ({ ...SIZES, storePathRootDir: join(parent, name) }));
  if (store === undefined || snapshot === undefined) throw new Error("there are two");
  const open = await openStore(t, store);
  const puts = await Promise.all(Array.from({ length: COUNT }, (_, n) => open.putMessage(numbered(n, 700))));
  await open.snapshot(snapshot.storePathRootDir);
  await open.close();
  const cutAt = puts[KEPT]?.appendResult?.wroteOffset ?? 0;
  const segment = join("commitlog", segmentFileName(cutAt - (cutAt % SEGMENT_SIZE)));
  // Where the file system knows reflinks, what is shared has no second name and nothing to lose.
  if (!isReflinked(store.storePathRootDir, snapshot.storePathRootDir, segment)) t.is(namesOf(store.storePathRootDir, segment), 2);
  return { store, snapshot, cutAt, segment };
}

function isReflinked(one: string, other: string, segment: string): boolean {
  return statSync(join(one, segment)).ino !== statSync(join(other, segment)).ino;
}

function namesOf(root: string, segment: string): number {
  return statSync(join(root, segment)).nlink;
}

/** Files of a directory that are not what they were. */
function changed(root: string, before: ReadonlyMap<string, string>): string[] {
  const now = contents(root);
  return [...new Set([...before.keys(), ...now.keys()])].filter((path) => before.get(path) !== now.get(path));
}

/** The store holds the first `count` messages, whole, and takes another one. */
async function holds(t: ExecutionContext, options: MessageStoreOptions, count: number): Promise<void> {
  const store = await openStore(t, { ...options, verifyOnOpen: "all" });
  t.is(store.getMaxOffsetInQueue("TopicA", 0), count);
  for (let n = 0; n < count; n++) {
    using found = store.getMessage({ topic: "TopicA", queueId: 0, queueOffset: n, maxMessages: 1 });
    t.is(numberOf(found.messages[0]?.body ?? new Uint8Array()), n);
  }
  t.is((await store.putMessage(numbered(count, 700))).appendResult?.queueOffset, count);
  await store.close();
}

for (const [cut, left] of [
  ["store", "snapshot"],
  ["snapshot", "store"],
] as const) {
  test(`what the ${left} shares with the ${cut} stays as it is when the ${cut} is truncated there, and goes on`, async (t) => {
    const pair = await storeAndSnapshot(t);
    const before = contents(pair[left].storePathRootDir);
    t.is((await MessageStore.truncate(pair[cut], pair.cutAt)).maxOffset, pair.cutAt);
    t.deepEqual(changed(pair[left].storePathRootDir, before), []);
    t.is(readLog(pair[cut].storePathRootDir).messages.length, KEPT);
    await holds(t, pair[cut], KEPT);
    t.deepEqual(changed(pair[left].storePathRootDir, before), [], "what is put after the cut does not reach it either");
    await holds(t, pair[left], COUNT);
    t.false(existsSync(join(pair[cut].storePathRootDir, OWN_COPY)));
  });
}

for (const [what, fault] of [
  ["is made on a full disk", { operation: "write", path: OWN_COPY, code: "ENOSPC" }],
  ["cannot be forced", { operation: "force", path: OWN_COPY, code: "EIO" }],
  ["cannot get the segment's name", { operation: "rename", path: "commitlog/", code: "EXDEV" }],
] as const) {
  test(`a cut whose copy of a shared segment ${what} is refused, and nothing is cut`, async (t) => {
    const { store, snapshot, cutAt } = await storeAndSnapshot(t);
    const [log, before] = [join(store.storePathRootDir, "commitlog"), contents(snapshot.storePathRootDir)];
    const logBefore = contents(log);
    const faults: Fault[] = [{ ...fault, after: 0 }];
    const error = { code: "ERR_PATH_UNUSABLE", message: new RegExp(`the log cannot be cut: code=${fault.code} `) };
    await t.throwsAsync(truncateStore(store, cutAt, { kind: "faulty", faults }), error);
    t.deepEqual([...changed(log, logBefore), ...changed(snapshot.storePathRootDir, before)], []);
    t.deepEqual(
      readdirSync(store.storePathRootDir).filter((name) => name === OWN_COPY),
      [],
    );
    const next = await openStore(t, store);
    t.is(next.stats().state, "running");
    await next.close();
    t.is((await MessageStore.truncate(store, cutAt)).maxOffset, cutAt);
    t.deepEqual(changed(snapshot.storePathRootDir, before), []);
  });
}

test("a cut that ends between the copy of a shared segment and its zeros is done again, and the snapshot is whole", async (t) => {
  const { store, snapshot, cutAt, segment } = await storeAndSnapshot(t);
  const before = contents(snapshot.storePathRootDir);
  const faults: Fault[] = [{ operation: "write", path: segment, after: 0, code: "EIO" }];
  await t.throwsAsync(truncateStore(store, cutAt, { kind: "faulty", faults }), { code: "ERR_PATH_UNUSABLE" });
  t.is(namesOf(store.storePathRootDir, segment), 1);
  t.deepEqual(changed(snapshot.storePathRootDir, before), []);
  t.is((await MessageStore.truncate(store, cutAt)).maxOffset, cutAt);
  t.deepEqual(changed(snapshot.storePathRootDir, before), []);
  await holds(t, store, KEPT);
});

test("a log that lies behind a link, maybe on another disk, is cut in a copy that lies beside it there", async (t) => {
  const [root, elsewhere] = [temporaryDirectory(t), memoryDirectory(t)];
  mkdirSync(join(elsewhere, "log"));
  symlinkSync(join(elsewhere, "log"), join(root, "commitlog"));
  const options = { ...SIZES, storePathRootDir: root };
  const store = await openStore(t, options);
  const puts = await Promise.all(Array.from({ length: COUNT }, (_, n) => store.putMessage(numbered(n, 700))));
  const target = join(elsewhere, "snapshot");
  await store.snapshot(target);
  await store.close();
  const before = contents(target);
  const cutAt = puts[KEPT]?.appendResult?.wroteOffset ?? 0;
  t.is((await MessageStore.truncate(options, cutAt)).maxOffset, cutAt);
  t.deepEqual(changed(target, before), []);
  await holds(t, options, KEPT);
  t.deepEqual(
    readdirSync(elsewhere).filter((name) => name.endsWith(".new")),
    [],
  );
});

test("a copy of a segment that a killed process has left goes with the next opening", async (t) => {
  const { store } = await storeAndSnapshot(t);
  const left = join(store.storePathRootDir, OWN_COPY);
  writeFileSync(left, "the beginning of it");
  truncateSync(left, SEGMENT_SIZE / 2);
  await holds(t, store, COUNT);
  t.false(existsSync(left));
});
