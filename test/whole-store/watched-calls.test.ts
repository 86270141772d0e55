import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { MessageStore } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { KIB, numbered, openStore } from "../support/temporary-store.js";
import { dispatchedAll } from "../support/until.js";

async function filled(t: ExecutionContext): Promise<MessageStore> {
  const store = await openStore(t);
  for (let n = 0; n < 200; n++) await store.putMessage(numbered(n, KIB));
  await dispatchedAll(store);
  return store;
}

/** Neither the target nor the place beside it in which a copy is prepared. */
function leavesNothing(t: ExecutionContext, target: string): void {
  t.deepEqual(existsSync(dirname(target)) ? readdirSync(dirname(target)) : [], []);
}

const ILLEGAL: readonly (readonly [what: string, options: unknown, code: string])[] = [
  ["an AbortController", { signal: new AbortController() }, "ERR_OPTION_ILLEGAL"],
  ["a number as signal", { signal: 5 }, "ERR_OPTION_ILLEGAL"],
  ["a number as onProgress", { onProgress: 5 }, "ERR_OPTION_ILLEGAL"],
  ["a misspelt signal", { sgnal: new AbortController().signal }, "ERR_OPTION_UNKNOWN"],
  ["a misspelt onProgress", { onprogress: () => {} }, "ERR_OPTION_UNKNOWN"],
  ["null", null, "ERR_OPTION_ILLEGAL"],
  ["a number", 5, "ERR_OPTION_ILLEGAL"],
  ["an array", [], "ERR_OPTION_ILLEGAL"],
];

test("what a snapshot or a verification cannot have as options is refused before anything is begun", async (t) => {
  const store = await filled(t);
  const reader = await MessageStore.openReadOnly(store.config.storePathRootDir);
  t.teardown(() => reader.close());
  const target = join(temporaryDirectory(t), "copy");
  for (const [what, options, code] of ILLEGAL) {
    await t.throwsAsync(store.snapshot(target, options as never), { code }, `snapshot, ${what}`);
    await t.throwsAsync(store.verify(options as never), { code }, `verify, ${what}`);
    await t.throwsAsync(reader.verify(options as never), { code }, `reader.verify, ${what}`);
    leavesNothing(t, target);
  }
  for (const directory of [5, "", null, Symbol("path"), Object.create(null)])
    await t.throwsAsync(store.snapshot(directory as never), { code: "ERR_COPY_TARGET" });
  await t.throwsAsync(store.deleteExpiredFiles(5 as never), { code: "ERR_OPTION_ILLEGAL" });
  await t.throwsAsync(store.undecidedMessages({ signal: 5 } as never).next(), { code: "ERR_UNDECIDED_ILLEGAL" });
  await t.throwsAsync(store.undecidedMessages(5 as never).next(), { code: "ERR_UNDECIDED_ILLEGAL" });
  for (const options of [null, 5, []])
    await t.throwsAsync(MessageStore.openReadOnly(store.config.storePathRootDir, options as never), { code: "ERR_OPTION_ILLEGAL" });
  await store.snapshot(target, {});
});

/** An error that looks like one of the system's is the caller's all the same. */
const OWN = Object.assign(new Error("the caller's own"), { code: "ENOSPC" });
function fail(): never {
  throw OWN;
}

test("what onProgress throws ends a snapshot, of which nothing is left, and is what it rejects with", async (t) => {
  const store = await filled(t);
  const target = join(temporaryDirectory(t), "copy");
  t.is(await t.throwsAsync(store.snapshot(target, { onProgress: fail })), OWN);
  leavesNothing(t, target);
  const controller = new AbortController();
  await t.throwsAsync(store.snapshot(target, { onProgress: () => controller.abort("enough"), signal: controller.signal }), {
    code: "ERR_ABORTED",
    message: 'the snapshot was aborted: reason="enough"',
  });
  leavesNothing(t, target);
  await t.throwsAsync(store.snapshot(target, { signal: controller.signal }), {
    message: 'the snapshot was aborted: reason="enough"',
  });
  leavesNothing(t, target);
  await store.snapshot(target);
});

test("what onProgress throws ends a verification, and is what it rejects with", async (t) => {
  const store = await filled(t);
  t.is(await t.throwsAsync(store.verify({ onProgress: fail })), OWN);
  const reader = await MessageStore.openReadOnly(store.config.storePathRootDir);
  t.teardown(() => reader.close());
  t.is(await t.throwsAsync(reader.verify({ onProgress: fail })), OWN);
  t.deepEqual((await reader.verify()).damaged, []);
});

test("what onRecoveryProgress throws ends an opening, is what it rejects with, and the store can be opened", async (t) => {
  const store = await filled(t);
  await store.close();
  const options = { storePathRootDir: store.config.storePathRootDir, verifyOnOpen: "all" } as const;
  t.is(await t.throwsAsync(openStore(t, { ...options, onRecoveryProgress: fail })), OWN);
  const opened = await openStore(t, options);
  t.is(opened.maxPhysicalOffset, store.maxPhysicalOffset);
});
