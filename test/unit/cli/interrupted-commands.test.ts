import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { MessageStore } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { interrupted } from "#cli/interrupted.js";
import { bundledStore } from "../../support/bundled-store.js";
import { projectRoot } from "../../support/project-root.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { numbered, openStore } from "../../support/temporary-store.js";
import { until } from "../../support/until.js";

const MAIN = join(projectRoot(), "packages", "cli", "dist", "main.js");

function millrace(t: ExecutionContext, ...args: readonly string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [...bundledStore(), MAIN, ...args]);
  t.teardown(() => child.kill("SIGKILL"));
  return child;
}

/** From then on it can be read, however long the machine takes to make the first segment. */
function hasSegment(root: string): boolean {
  const log = join(root, "commitlog");
  return existsSync(log) && readdirSync(log).some((name) => statSync(join(log, name)).size > 0);
}

/** Interrupts a command when it is as far as that, and waits for its end. */
async function interruptedWhen(child: ChildProcessWithoutNullStreams, isFar: () => boolean | Promise<boolean>) {
  const ended = once(child, "close");
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  await until(isFar);
  child.kill("SIGINT");
  const [status] = await ended;
  return { status, stdout, stderr };
}

test("bench that is interrupted says what it has measured, and leaves nothing", async (t) => {
  const parent = temporaryDirectory(t);
  const child = millrace(t, "bench", "--duration", "60m", "--inFlight", "5", "--in", parent, "--json");
  const puts = async (): Promise<boolean> => {
    const [name] = readdirSync(parent);
    if (name === undefined || !hasSegment(join(parent, name, "store"))) return false;
    await using reader = await MessageStore.openReadOnly(join(parent, name, "store"));
    return reader.queues("Bench").length > 0;
  };
  const { status, stdout, stderr } = await interruptedWhen(child, puts);
  t.deepEqual([status, stderr], [0, ""]);
  t.true(JSON.parse(stdout).messages > 0);
  t.deepEqual(readdirSync(parent), []);
});

test("bench that is interrupted before it has begun leaves nothing", async (t) => {
  const parent = temporaryDirectory(t);
  const child = millrace(t, "bench", "--duration", "60m", "--inFlight", "5", "--in", parent, "--json");
  const { status } = await interruptedWhen(child, () => readdirSync(parent).length > 0);
  t.true(status === 0 || status === 1, String(status));
  t.deepEqual(readdirSync(parent), []);
});

test("recover --dry-run that is interrupted leaves no copy", async (t) => {
  const store = await openStore(t);
  await store.putMessage(numbered(0, 20));
  await store.close();
  const root = store.config.storePathRootDir;
  mkdirSync(join(root, "beside"));
  for (let n = 0; n < 3000; n++) writeFileSync(join(root, "beside", String(n)), "copied one by one");
  const scratch = temporaryDirectory(t);
  const child = millrace(t, "recover", root, "--dry-run", "--scratch", scratch);
  const copies = (): boolean => readdirSync(scratch).some((name) => existsSync(join(scratch, name, "store")));
  const { status, stdout, stderr } = await interruptedWhen(child, copies);
  t.deepEqual([status, stdout], [1, ""]);
  t.regex(stderr, /^ERR_ABORTED: /);
  t.deepEqual(readdirSync(scratch), []);
});

test("put that is interrupted has put what it was given, and closes the store", async (t) => {
  const root = join(temporaryDirectory(t), "store");
  const child = millrace(t, "put", root, "Orders", "--create");
  child.stdin.write("a\nb\n");
  const isPut = async (): Promise<boolean> => {
    if (!hasSegment(root)) return false;
    await using reader = await MessageStore.openReadOnly(root);
    return reader.getMaxOffsetInQueue("Orders", 0) === 2;
  };
  const { status, stdout } = await interruptedWhen(child, isPut);
  t.is(status, 0);
  t.regex(stdout, /^put 2, in the log only 0, refused 0, /);
  t.false(existsSync(join(root, "abort")));
});

test("after the first signal the next one, whichever it is, ends the process", (t) => {
  const listeners = (): number[] => ["SIGINT", "SIGTERM"].map((name) => process.listenerCount(name));
  const before = listeners();
  const signal = interrupted();
  t.false(signal.aborted);
  process.emit("SIGINT");
  t.true(signal.aborted);
  t.deepEqual(listeners(), before);
});

/** A module with which a process is begun: it is interrupted when it opens a store, or cuts one. */
function interruptedOpening(): string {
  const source = `import { MessageStore } from ${JSON.stringify(import.meta.resolve("@millrace/store"))};
    for (const name of ["open", "truncate"]) {
      const begin = MessageStore[name];
      MessageStore[name] = async (...args) => {
        let isHeard = false; // waiting for a signal keeps no process alive, a timer does
        process.once("SIGINT", () => (isHeard = true));
        process.kill(process.pid, "SIGINT");
        while (!isHeard) await new Promise((resolve) => setTimeout(resolve, 1));
        return await begin.apply(MessageStore, args);
      };
    }`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

test("a command that is interrupted while it opens a store says so, and leaves it as it was", async (t) => {
  const store = await openStore(t);
  await store.putMessage(numbered(0, 20));
  await store.close();
  const root = store.config.storePathRootDir;
  const before = readdirSync(root).sort();
  const target = join(temporaryDirectory(t), "copy");
  for (const args of [
    ["snapshot", root, target],
    ["offsets", "reset", root, "group", "TopicA", "--to", "earliest"],
    ["offsets", "delete", root, "group"],
    ["recover", root],
    ["recover", root, "--truncate-to", "0"],
    ["put", root, "TopicA"],
  ]) {
    const child = spawn(process.execPath, ["--import", interruptedOpening(), MAIN, ...args]);
    t.teardown(() => child.kill("SIGKILL"));
    const [told, [status]] = await Promise.all([text(child.stderr), once(child, "close")]);
    t.is(status, 1, args.join(" "));
    t.regex(told, /^ERR_ABORTED: /, args.join(" "));
    t.deepEqual(readdirSync(root).sort(), before, args.join(" "));
  }
  t.false(existsSync(target));
});

/** A module with which a process is begun: it is interrupted when it has made the directory of a copy that is not whole yet. */
function interruptedCopying(): string {
  const source = `import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    const { mkdirSync } = fs;
    fs.mkdirSync = (path, ...more) => {
      const made = mkdirSync(path, ...more);
      if (path.endsWith("copy.new")) process.kill(process.pid, "SIGTERM");
      return made;
    };
    syncBuiltinESMExports();`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

test("a command that is interrupted while it copies says so, and leaves nothing of the copy", async (t) => {
  const store = await openStore(t);
  await store.putMessage(numbered(0, 20));
  await store.close();
  const root = store.config.storePathRootDir;
  for (const command of ["salvage", "snapshot"]) {
    const parent = temporaryDirectory(t);
    mkdirSync(join(parent, "copy"));
    const child = spawn(process.execPath, ["--import", interruptedCopying(), MAIN, command, root, join(parent, "copy")]);
    t.teardown(() => child.kill("SIGKILL"));
    const [told, [status]] = await Promise.all([text(child.stderr), once(child, "close")]);
    t.is(status, 1, command);
    t.regex(told, /^(?:copied .*\n)*ERR_ABORTED: (?:copying|the snapshot) was aborted/, command);
    t.deepEqual([readdirSync(parent), readdirSync(join(parent, "copy"))], [["copy"], []], command);
  }
});
