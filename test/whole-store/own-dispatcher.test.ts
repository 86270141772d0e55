import { execFile } from "node:child_process";
import { existsSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Fault } from "@millrace/mapped-file";
import { createStorage } from "@millrace/mapped-file";
import type { DispatchFailedEvent, MessageStore, MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { readDispatchedMark } from "#store/marks/dispatched-mark.js";
import { readLog } from "../support/stored-log.js";
import { assertQueuesComplete } from "../support/stored-queues.js";
import { memoryDirectory } from "../support/temporary-directory.js";
import { numbered, openStore, outcomes } from "../support/temporary-store.js";
import { dispatchedAll, until } from "../support/until.js";
import { giveOrders, heardBy, type OwnDispatcherOrders } from "./own-dispatcher.js";

const MODULE = join(import.meta.dirname, "own-dispatcher.js");
const SMALL = { mappedFileSizeConsumeQueue: 2000, messageIndexEnable: false };
/** On a busy machine, too; far below the times after which a thread is given up, or a put settles by itself. */
const SOON_MS = 20_000;
const FAULTED = { code: "ERR_STORE_FAULTED", outcome: "unknown" };

/** Where a store and, beside it, its dispatcher's files will be. */
function newRoot(t: ExecutionContext): string {
  return join(memoryDirectory(t), "store");
}

function openWithOwn(
  t: ExecutionContext,
  root: string,
  orders: OwnDispatcherOrders = {},
  faults: Fault[] = [],
  more: MessageStoreOptions = {},
): Promise<MessageStore> {
  giveOrders(root, orders);
  const options = { ...SMALL, ...more, storePathRootDir: root, commitLogDispatchers: [pathToFileURL(MODULE).href] };
  return openStore(t, options, faults);
}

/** Every fifth one of a transaction, and enough to roll segments. */
async function putAll(store: MessageStore, count: number): Promise<void> {
  const puts = Array.from({ length: count }, (_, n) =>
    store.putMessage(
      numbered(n, 500, { queueId: n % 3, keys: `k${n}`, ...(n % 5 === 0 && { sysFlag: [4, 8, 12][(n / 5) % 3] as number }) }),
    ),
  );
  for (const { status } of await Promise.all(puts)) if (status !== "PUT_OK") throw new Error(status);
}

/** What the log holds, as {@link heardBy} has it. */
function recordsOf(root: string): string[] {
  return readLog(root).messages.map(({ physicalOffset, topic, queueId, queueOffset, size, transactionType, properties }) =>
    [physicalOffset, topic, queueId, queueOffset, size, transactionType, properties.get("KEYS") ?? "-"].join(" "),
  );
}

function heardRecords(root: string): string[] {
  return heardBy(root).filter((line) => line.includes(" "));
}

test.serial("a user's dispatcher hears of every record of the log once, in order, over segments and restarts", async (t) => {
  const root = newRoot(t);
  for (let life = 0; life < 2; life++) {
    const store = await openWithOwn(t, root);
    await putAll(store, 200);
    await dispatchedAll(store);
    t.deepEqual(heardRecords(root), recordsOf(root));
    await store.close();
    t.deepEqual(heardBy(root).slice(-2), ["force", "close"]);
  }
  t.is(heardRecords(root).length, 400);
  assertQueuesComplete(t, root);
});

test.serial("a module that is no dispatcher's refuses the opening, and the code of the reason is among the causes", async (t) => {
  for (const [text, code] of [
    ["export default 5", "ERR_DISPATCHER_ILLEGAL"],
    ["export default () => ({ dispatch: 5 })", "ERR_DISPATCHER_ILLEGAL"],
    ["export default () => ({ name: 'n', dispatch() {}, handledOffset: () => NaN })", "ERR_DISPATCHER_ILLEGAL"],
    ["export default () => ({ name: 'n', dispatch() {}, handledOffset: async () => 0 })", "ERR_DISPATCHER_ILLEGAL"],
    ["export default () => ({ name: 'n', dispatch() {}, handledOffset: () => 0.5 })", "ERR_DISPATCHER_ILLEGAL"],
    ["export default () => { throw Object.assign(new Error('own'), { code: 'ERR_OWN' }) }", "ERR_OWN"],
    ["export default () => { throw new Error('own') }", "ERR_SERVICE_DIED"],
    ["import 'node:nothing'", "ERR_UNKNOWN_BUILTIN_MODULE"],
  ] as const) {
    const root = newRoot(t);
    const module = join(dirname(root), "module.mjs");
    writeFileSync(module, text);
    const error = await t.throwsAsync(openStore(t, { ...SMALL, storePathRootDir: root, commitLogDispatchers: [module] }));
    t.like(error, { code: "ERR_PIPELINE_START" }, text);
    t.true(codesOf(error).includes(code), `${text}: ${codesOf(error).join()}`);
  }
});

function codesOf(error: unknown): unknown[] {
  return error instanceof Error ? [(error as NodeJS.ErrnoException).code, ...codesOf(error.cause)] : [];
}

test.serial("a dispatcher's path may be absolute too", async (t) => {
  const root = newRoot(t);
  const store = await openStore(t, { ...SMALL, storePathRootDir: root, commitLogDispatchers: [MODULE, MODULE] });
  await putAll(store, 3);
  await dispatchedAll(store);
  t.deepEqual(
    heardRecords(root),
    recordsOf(root).flatMap((line) => [line, line]),
  );
});

test.serial("dispatching begins where the dispatcher says, and nothing is in a queue twice for that", async (t) => {
  const root = newRoot(t);
  const first = await openStore(t, { ...SMALL, storePathRootDir: root });
  await putAll(first, 200);
  await first.close();
  const records = recordsOf(root);
  const offsetOf = (n: number): number => Number.parseInt(records[n] as string, 10);
  for (const [handledOffset, from] of [
    [0, 0],
    [offsetOf(150), 150],
    [-5, 0],
    [first.maxPhysicalOffset, 200],
    [2 ** 50, 200],
  ] as const) {
    const before = heardRecords(root).length;
    const store = await openWithOwn(t, root, { handledOffset });
    t.is(store.dispatchBehindBytes, 0);
    t.deepEqual(heardRecords(root).slice(before), records.slice(from), `handledOffset=${handledOffset}`);
    await store.close();
    assertQueuesComplete(t, root);
  }
});

test.serial("a dispatcher that names no record's offset ends the opening, and the store opens without it", async (t) => {
  const root = newRoot(t);
  const first = await openStore(t, { ...SMALL, storePathRootDir: root });
  await putAll(first, 5);
  await first.close();
  await t.throwsAsync(openWithOwn(t, root, { handledOffset: 7 }), {
    code: "ERR_PIPELINE_START",
    message: /^.*no record.*offset=7.*$/,
  });
  const store = await openStore(t, { ...SMALL, storePathRootDir: root });
  await putAll(store, 5);
  await store.close();
  assertQueuesComplete(t, root);
});

for (const [where, orders] of Object.entries<OwnDispatcherOrders>({
  "of a record": { throwAt: { record: 5, times: 2 } },
  "at the end of a group": { throwAtEndOfGroup: { times: 2 } },
})) {
  test.serial(`a dispatcher that throws ${where} is asked again every second; puts go on, and every queue is whole`, async (t) => {
    const root = newRoot(t);
    const store = await openWithOwn(t, root, orders);
    const began = performance.now();
    await putAll(store, 100);
    await until(() => store.stats().dispatch.failures > 0);
    t.true(store.dispatchBehindBytes > 0);
    await putAll(store, 100);
    await dispatchedAll(store);
    t.true(performance.now() - began > 1900);
    t.is(store.stats().dispatch.failures, 0);
    t.is(store.stats().state, "running");
    const heard = heardRecords(root);
    t.deepEqual([...new Set(heard)], recordsOf(root), "none is missing; those of the group that failed are told again");
    await store.close();
    assertQueuesComplete(t, root);
  });
}

test.serial(
  "a dispatcher that always throws keeps neither open nor close, and what was not dispatched is at the next open",
  async (t) => {
    const root = newRoot(t);
    for (let life = 0; life < 2; life++) {
      const store = await openWithOwn(t, root, { throwAt: { record: 0, times: 1e9 } });
      await putAll(store, 50);
      await until(() => store.stats().dispatch.failures > 0);
      const began = performance.now();
      await store.close();
      t.true(performance.now() - began < SOON_MS);
    }
    const store = await openWithOwn(t, root, { handledOffset: 0 });
    t.is(store.dispatchBehindBytes, 0);
    await store.close();
    t.deepEqual(heardRecords(root), recordsOf(root));
    assertQueuesComplete(t, root);
  },
);

test.serial("a dispatcher that ends its thread ends the store: puts settle, and nothing is lost", async (t) => {
  const root = newRoot(t);
  const store = await openWithOwn(t, root, { exitAt: 20 });
  const puts: Promise<unknown>[] = [];
  while (store.stats().state === "running") {
    for (let n = 0; n < 10; n++) puts.push(store.putMessage(numbered(n)));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const began = performance.now();
  const settled = await outcomes(puts);
  t.true(performance.now() - began < SOON_MS);
  const accepted = settled.filter((outcome) => "status" in (outcome as object)).length;
  t.true(accepted >= 20);
  t.deepEqual(settled.slice(accepted), Array(settled.length - accepted).fill(FAULTED));
  t.deepEqual(await outcomes([store.putMessage(numbered(0))]), [FAULTED]);
  await t.throwsAsync(store.close(), { code: "ERR_STORE_FAULTED", message: /service=dispatch/ });
  const again = await openStore(t, { ...SMALL, storePathRootDir: root });
  t.true(again.recovery.messages >= accepted);
  await again.close();
  assertQueuesComplete(t, root);
});

test.serial("a record that is none ends the store, and the mark does not tell of what was not written", async (t) => {
  const root = newRoot(t);
  const record = numbered(0, 100, { waitStoreMsgOK: true });
  const probe = await openStore(t, { ...SMALL, storePathRootDir: newRoot(t) });
  const size = (await probe.putMessage(record)).appendResult?.wroteBytes ?? 0;
  const store = await openWithOwn(t, root, { damageLogAt: 3 * size });
  await outcomes([store.putMessages(Array.from({ length: 10 }, (_, n) => numbered(n, 100, { waitStoreMsgOK: true })))]);
  await until(() => store.stats().state === "faulted");
  await t.throwsAsync(store.close(), { code: "ERR_STORE_FAULTED", message: /service=dispatch code=ERR_DISPATCH_RECORD/ });
  t.is(store.stats().dispatch.reputFromOffset, 0);
  t.is(markOf(root), 0);
});

function markOf(root: string): number | undefined {
  return readDispatchedMark(createStorage({ kind: "real" }), join(root, "millrace.dispatched"))?.dispatchedOffset;
}

for (const [where, orders, reason] of [
  ["forces", { throwInForce: { times: 2 } }, /in force$/],
  ["is asked what to force", { throwInPaths: { times: 2 } }, /when asked for paths$/],
] as const) {
  test.serial(`a dispatcher that throws when it ${where} is asked again, and until it forces the mark stays`, async (t) => {
    const root = newRoot(t);
    const store = await openWithOwn(t, root, orders, [], { flushIntervalConsumeQueue: 20 });
    const failed: DispatchFailedEvent[] = [];
    const marks: (number | undefined)[] = [];
    let recovered = 0;
    store.on("dispatchFailed", (event) => {
      failed.push(event);
      if (!heardBy(root).includes("force")) marks.push(markOf(root));
    });
    store.on("recovered", () => recovered++);
    await putAll(store, 100);
    await dispatchedAll(store);
    const end = store.maxPhysicalOffset;
    await until(() => recovered > 0 && markOf(root) === end);
    t.deepEqual(
      failed.map(({ service, dispatcher, failures }) => [service, dispatcher, failures]),
      [
        ["dispatch", "own", 1],
        ["dispatch", "own", 2],
      ],
    );
    for (const { message } of failed) t.regex(message, reason);
    t.true(marks.every((mark) => mark === 0));
    t.true(failed[1] !== undefined && failed[0] !== undefined && failed[1].time - failed[0].time > 900, "not in a loop");
    t.is(store.stats().state, "running");
    await putAll(store, 10);
    await store.close();
    t.false(existsSync(join(root, "abort")));
    assertQueuesComplete(t, root);
  });
}

test.serial("a dispatcher that never forces holds up no retention", async (t) => {
  const root = newRoot(t);
  const store = await openWithOwn(t, root, { throwInForce: { times: 1e9 } }, [], { mappedFileSizeCommitLog: 4096 });
  await putAll(store, 50);
  await dispatchedAll(store);
  await store.flush();
  const log = join(root, "commitlog");
  for (const name of readdirSync(log).sort().slice(0, 3)) utimesSync(join(log, name), 0, 0);
  const { deletedSegments } = await store.deleteExpiredFiles();
  t.is(deletedSegments, 3);
  t.is(store.stats().state, "running");
  await t.throwsAsync(store.close(), { code: "ERR_STORE_FAULTED" });
});

test.serial(
  "a force that failed is reported when the store closes, and the mark does not tell of what it may have lost",
  async (t) => {
    const root = newRoot(t);
    const store = await openWithOwn(t, root, { throwInForce: { times: 1e9 } });
    const faulted = { code: "ERR_STORE_FAULTED", message: /^.*service=dispatch.*told to throw in force$/ };
    await putAll(store, 20);
    // A machine that is busy gets to the round of an idle store before it gets to the close.
    await dispatchedAll(store).catch((error: Error & { code: string }) => t.is(error.code, faulted.code));
    await t.throwsAsync(store.close(), faulted);
    t.is(markOf(root), 0);
    const again = await openStore(t, { ...SMALL, storePathRootDir: root });
    await again.close();
    assertQueuesComplete(t, root);
  },
);

/** By what is wrong with them: source, and what the error says. */
const BAD_MODULES: Record<string, [string | undefined, RegExp]> = {
  "that is not there": [undefined, /Cannot find module.*bad-dispatcher/],
  "without a default export": ["export const dispatcher = () => ({});", /exports a function as default: module=.*bad-dispatcher/],
  "whose default is no function": ["export default { name: 'x', dispatch() {} };", /exports a function as default: module=/],
  "that makes nothing": ["export default () => undefined;", /a method named dispatch: module=/],
  "that makes no dispatcher": ["export default () => ({ name: 'x' });", /a method named dispatch: module=/],
  "that throws when it is loaded": ["throw new Error('no luck today');", /no luck today/],
  "that throws when it makes one": ["export default () => { throw new Error('no luck today'); };", /no luck today/],
  "that rejects": ["export default async () => { throw new Error('no luck today'); };", /no luck today/],
  "that is no JavaScript": ["export default (", /Unexpected/],
};

for (const [what, [source, said]] of Object.entries(BAD_MODULES)) {
  test.serial(`a module ${what} ends the opening, and the directory can be opened after it`, async (t) => {
    const root = newRoot(t);
    const module = join(dirname(root), "bad-dispatcher.mjs");
    if (source !== undefined) writeFileSync(module, source);
    await t.throwsAsync(openStore(t, { ...SMALL, storePathRootDir: root, commitLogDispatchers: [module] }), {
      code: "ERR_PIPELINE_START",
      message: said,
    });
    t.false(existsSync(join(root, "abort")));
    const store = await openStore(t, { ...SMALL, storePathRootDir: root });
    t.true(store.recovery.lastExitOk);
    t.is((await store.putMessage(numbered(1))).status, "PUT_OK");
    await store.close();
  });
}

test.serial("a process whose dispatcher cannot be loaded ends by itself", async (t) => {
  const root = newRoot(t);
  const opener = join(import.meta.dirname, "dispatcher-opener.js");
  const { stdout } = await promisify(execFile)(process.execPath, [opener, root, join(root, "nowhere.mjs")], { timeout: 20_000 });
  t.regex(stdout, /^ERR_PIPELINE_START .*Cannot find module/);
});
