import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { join } from "node:path";
import type { Fault } from "@millrace/mapped-file";
import { ControlBlock } from "@millrace/shared-memory";
import { MessageStore, type StoreEvent, type StoreEventName } from "@millrace/store";
import test from "ava";
import { resolveConfig } from "#store/config/message-store-config.js";
import { StoreStatus } from "#store/put/store-status.js";
import { StoreEvents } from "#store/tell/store-events.js";
import { memoryDirectory, temporaryDirectory } from "../support/temporary-directory.js";
import { numbered, openStore, outcomes } from "../support/temporary-store.js";
import { dispatchedAll, until } from "../support/until.js";
import { giveOrders } from "./own-dispatcher.js";

const NAMES: readonly StoreEventName[] = ["error", "fenced", "faulted", "dispatchFailed", "diskFull", "recovered"];
const FORCE_FAILS: Fault = { operation: "force", path: "commitlog", after: 0, times: 1, code: "EIO" };

type Heard = [name: string, event: StoreEvent & { code?: string }];

function listen(store: MessageStore): Heard[] {
  const heard: Heard[] = [];
  for (const name of NAMES) store.on(name, (event) => heard.push([name, event]));
  return heard;
}

function namesOf(heard: readonly Heard[]): string[] {
  return heard.map(([name]) => name);
}

test.serial(
  "a dispatcher that throws is named by an event, by the stats and to diagnostics_channel; then it has recovered",
  async (t) => {
    const root = join(memoryDirectory(t), "store");
    giveOrders(root, { throwAt: { record: 0, times: 2 } });
    const published: unknown[] = [];
    const onPublished = (event: unknown): number => published.push(event);
    subscribe("millrace:dispatchFailed", onPublished);
    t.teardown(() => unsubscribe("millrace:dispatchFailed", onPublished));
    const commitLogDispatchers = [join(import.meta.dirname, "own-dispatcher.js")];
    const store = await openStore(t, { storePathRootDir: root, messageIndexEnable: false, commitLogDispatchers });
    const heard = listen(store);
    await store.putMessage(numbered(0));
    await until(() => heard.length >= 5);
    t.deepEqual(namesOf(heard), ["dispatchFailed", "error", "dispatchFailed", "error", "recovered"]);
    t.like(heard[0]?.[1], { store: root, service: "dispatch", dispatcher: "own", code: "ERR_DISPATCH_FAILED", physicalOffset: 0 });
    t.like(heard[2]?.[1], { failures: 2 });
    const [last, ...others] = store.stats().lastErrors;
    t.deepEqual(others, []);
    t.like(last, { service: "dispatch", code: "ERR_DISPATCH_FAILED" });
    t.regex(last?.message ?? "", /dispatcher=own offset=0 failures=2 code=ERR_SERVICE_FAILED reason=told to throw$/);
    t.true(Math.abs(Date.now() - (last?.time ?? 0)) < 60_000);
    t.deepEqual(published, [heard[0]?.[1], heard[2]?.[1]]);
    await dispatchedAll(store);
  },
);

test("after ten failures of a dispatcher puts are refused, with its name", (t) => {
  const buffer = ControlBlock.create({});
  const { dispatchFailures } = ControlBlock.attach(buffer, "dispatch").counters;
  const status = new StoreStatus(resolveConfig({}), ControlBlock.attach(buffer, "main").counters);
  status.lastDispatchError = () => "a dispatcher failed: dispatcher=regions reason=no such table";
  dispatchFailures.set(9);
  status.look(0);
  t.is(status.refusal, undefined);
  dispatchFailures.set(10);
  status.look(0);
  t.like(status.refusal, { status: "SERVICE_NOT_AVAILABLE", code: "ERR_DISPATCH_FAILED", appendResult: null });
  t.regex(status.refusal?.reason ?? "", /dispatcher=regions reason=no such table$/);
  dispatchFailures.set(0);
  status.look(0);
  t.is(status.refusal, undefined);
});

test.serial("a failed force is an event, and one again for whoever opens the fenced store", async (t) => {
  const store = await openStore(t, { flushIntervalCommitLog: 60_000 }, [FORCE_FAILS]);
  const heard = listen(store);
  await store.putMessage(numbered(0));
  await t.throwsAsync(store.flush(), { code: "ERR_STORE_FENCED" });
  await until(() => heard.length > 0);
  t.deepEqual(namesOf(heard), ["fenced", "error"]);
  t.like(heard[0]?.[1], { service: "flush", code: "ERR_STORE_FENCED" });
  t.like(store.stats().lastErrors, [{ service: "flush", code: "ERR_STORE_FENCED" }]);
  await t.throwsAsync(store.close());
  const again = await openStore(t, { storePathRootDir: store.config.storePathRootDir });
  const heardAgain = listen(again);
  await until(() => heardAgain.length > 0);
  t.deepEqual(namesOf(heardAgain), ["fenced", "error"]);
  t.like(heardAgain[0]?.[1], { service: "store", code: "ERR_STORE_FENCED" });
});

test.serial("a dead thread is an event that names its service", async (t) => {
  const store = await openStore(t, {}, [{ operation: "map", path: "commitlog", after: 0, code: "EIO" }]);
  const heard = listen(store);
  await outcomes([store.putMessage(numbered(0))]);
  await until(() => heard.length > 0);
  t.deepEqual(namesOf(heard), ["faulted", "error"]);
  t.like(heard[0]?.[1], { service: "append", code: "ERR_STORE_FAULTED" });
});

test.serial("no room for the log is an event, once, and so is that there is room again", async (t) => {
  const fault: Fault = { operation: "write", path: "commitlog/0", after: 3, times: 8, code: "ENOSPC" };
  const store = await openStore(t, {}, [fault]);
  const heard = listen(store);
  for (let n = 0; !namesOf(heard).includes("recovered"); n++) await store.putMessage(numbered(n, 1000));
  t.deepEqual(namesOf(heard), ["diskFull", "error", "recovered"]);
  t.like(heard[0]?.[1], { service: "allocate", code: "ERR_ALLOCATE_FAILED" });
});

test.serial("a failure that nobody listens to is logged once and not thrown", async (t) => {
  const logged: string[] = [];
  const storePathRootDir = temporaryDirectory(t);
  const logger = { error: (text: string) => logged.push(text) };
  const store = await openStore(t, { storePathRootDir, logger, flushIntervalCommitLog: 60_000 }, [FORCE_FAILS]);
  await store.putMessage(numbered(0));
  await t.throwsAsync(store.flush());
  await until(() => logged.length > 0);
  t.is(logged.length, 1);
  t.regex(logged[0] ?? "", /^millrace: ERR_STORE_FENCED: a force failed.* service=flush store=/);
});

test("without a listener each code of a service is logged once, again after it has recovered, and a logger may throw", async (t) => {
  const logged: string[] = [];
  const events = new StoreEvents("/x", {
    error: (text) => {
      logged.push(text);
      throw new Error("no room for the log of logs");
    },
  });
  const fail = (): void => events.emit("error", { service: "clean", code: "ERR_FILES_NOT_DELETED", message: "m: n=1" });
  fail();
  events.start();
  fail();
  await until(() => logged.length > 0);
  t.deepEqual(logged, ["millrace: ERR_FILES_NOT_DELETED: m: n=1 service=clean store=/x"]);
  events.emit("recovered", { service: "clean" });
  fail();
  await until(() => logged.length > 1);
  const end = events.on("error", () => {});
  events.emit("recovered", { service: "clean" });
  fail();
  await new Promise(setImmediate);
  t.is(logged.length, 2, "somebody listens");
  end();
  fail();
  await until(() => logged.length > 2);
});

test("a flood of damage before the store can be listened to hides no other event, nor that a service has recovered", async (t) => {
  const logged: string[] = [];
  const events = new StoreEvents("/x", { error: (text) => logged.push(text) });
  const code = "ERR_RECORD_CORRUPT";
  const corrupt = (): void => events.emit("corrupt", { service: "recover", code, message: "m: n=1", physicalOffset: 0 });
  const undeleted = (): void => events.emit("error", { service: "clean", code: "ERR_FILES_NOT_DELETED", message: "m: n=1" });
  let [corruptHeard, recoveredHeard] = [0, 0];
  events.on("corrupt", () => corruptHeard++);
  events.on("recovered", () => recoveredHeard++);
  for (let n = 0; n < 5000; n++) corrupt();
  undeleted();
  events.emit("fenced", { service: "store", code: "ERR_STORE_FENCED", message: "m: n=1" });
  events.start();
  await until(() => corruptHeard > 0);
  t.is(corruptHeard, 1000, "what is kept has a limit");
  const codes = logged.map((text) => text.split(":", 2)[1]?.trim());
  t.deepEqual(codes, [code, "ERR_FILES_NOT_DELETED", "ERR_STORE_FENCED"]);
  for (let n = 0; n < 5000; n++) corrupt();
  events.emit("recovered", { service: "clean" });
  undeleted();
  await until(() => corruptHeard > 1000);
  t.deepEqual([corruptHeard, recoveredHeard, logged.length], [2000, 1, 4], "each turn has its own thousand");
});

test("changes of state are all handed on, however many come in a turn", async (t) => {
  const events = new StoreEvents("/x", { error: () => {} });
  const failure = { code: "ERR_STORE_FAULTED", message: "m: n=1" } as const;
  const dispatchFailure = { ...failure, service: "dispatch", physicalOffset: 0, failures: 1 } as const;
  let heard = 0;
  for (const name of NAMES) if (name !== "error") events.on(name, () => heard++);
  for (let n = 0; n < 1500; n++) {
    events.emit("diskFull", { ...failure, service: "clean" });
    events.emit("dispatchFailed", dispatchFailure);
    events.emit("recovered", { service: "dispatch" });
  }
  events.emit("faulted", { ...failure, service: "flush" });
  events.start();
  await until(() => heard > 0);
  t.is(heard, 3 * 1500 + 1);
});

test("the default logger is a warning of the process", async (t) => {
  const warned = new Promise<Error & { code?: string }>((resolve) => process.once("warning", resolve));
  const events = new StoreEvents("/x");
  events.start();
  events.emit("error", { service: "clean", code: "ERR_FILES_NOT_DELETED", message: "m: n=1" });
  const { name, code } = await warned;
  t.deepEqual([name, code], ["MillraceWarning", "ERR_FILES_NOT_DELETED"]);
});

test("what is no event, no listener or no logger is refused", async (t) => {
  const store = await openStore(t);
  t.throws(() => store.on("errors" as "error", () => {}), { code: "ERR_LISTENER_ILLEGAL", message: /only error, fenced/ });
  t.throws(() => store.on("error", undefined as never), { code: "ERR_LISTENER_ILLEGAL" });
  await t.throwsAsync(MessageStore.open({ logger: {} as never }), { code: "ERR_OPTION_ILLEGAL", message: /logger=/ });
  await store.close();
  t.throws(() => store.on("error", () => {}), { code: "ERR_STORE_CLOSED" });
});
