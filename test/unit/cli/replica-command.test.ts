import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { MessageStore } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { bundledStore } from "../../support/bundled-store.js";
import { projectRoot } from "../../support/project-root.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { numbered, openStore, SEGMENT_SIZE } from "../../support/temporary-store.js";

const MAIN = join(projectRoot(), "packages", "cli", "dist", "main.js");
const NOBODY = "127.0.0.1:1";

type Replica = ChildProcessByStdio<null, Readable, Readable>;

function replica(t: ExecutionContext, directory: string, of: string, more: string[] = [], flags: string[] = []): Replica {
  const args = ["replica", directory, "--of", of, "--mappedFileSizeCommitLog", String(SEGMENT_SIZE), "--json", ...more];
  const child = spawn(process.execPath, [...bundledStore(), ...flags, MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  t.teardown(() => child.kill("SIGKILL"));
  return child;
}

function addressOf(master: MessageStore): string {
  return `127.0.0.1:${master.stats().ha?.listen?.port}`;
}

/** Whenever the slave follows and has all that the master has. */
async function* caughtUp({ stdout }: Replica, master: MessageStore): AsyncGenerator<void> {
  for await (const line of createInterface({ input: stdout })) {
    const { state, maxOffset } = JSON.parse(line) as { state: string; maxOffset: number };
    if (state === "following" && maxOffset === master.maxPhysicalOffset) yield;
  }
}

async function interrupt(child: Replica): Promise<{ code: number | null; told: string }> {
  child.kill("SIGINT");
  const [told] = await Promise.all([text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, told };
}

test("replica makes a slave, says how far it is, and ends well when it is interrupted", async (t) => {
  const master = await openStore(t, { haListenPort: 0 });
  const put = (from: number): Promise<unknown> =>
    Promise.all(Array.from({ length: 100 }, (_, i) => master.putMessage(numbered(from + i, 1000))));
  await put(0);
  const directory = join(temporaryDirectory(t), "copy");
  const child = replica(t, directory, addressOf(master));
  const times = caughtUp(child, master);
  await times.next();
  await put(100);
  await times.next();
  t.deepEqual(await interrupt(child), { code: 0, told: "" });
  const { storePathCommitLog } = master.config;
  for (const name of readdirSync(join(directory, "commitlog"))) {
    const bytes = readFileSync(join(directory, "commitlog", name));
    t.true(readFileSync(join(storePathCommitLog, name)).equals(bytes), name);
  }
});

test("a replica whose log lies elsewhere has it there from the first time on, and goes on with it", async (t) => {
  const master = await openStore(t, { haListenPort: 0 });
  const parent = temporaryDirectory(t);
  const log = join(parent, "log");
  for (let n = 0; n < 2; n++) {
    await master.putMessage(numbered(n));
    const child = replica(t, join(parent, "copy"), addressOf(master), ["--storePathCommitLog", log]);
    await caughtUp(child, master).next();
    t.deepEqual(await interrupt(child), { code: 0, told: "" });
  }
  t.is(readdirSync(log)[0], "00000000000000000000");
  t.false(readdirSync(join(parent, "copy")).includes("commitlog"));
});

test("a replica that is fenced ends, and says so", async (t) => {
  const directory = temporaryDirectory(t);
  const store = await openStore(t, { storePathRootDir: directory });
  await store.putMessage(numbered(0));
  await store.close();
  writeFileSync(join(directory, "millrace.fence"), JSON.stringify({ reason: "EIO", offset: 0, time: 1 }));
  const child = replica(t, directory, NOBODY);
  const [told] = await Promise.all([text(child.stderr), once(child, "close")]);
  t.is(child.exitCode, 1);
  t.regex(told, /^ERR_STORE_FENCED: .*EIO/m);
});

test("a replica one of whose threads ends for no good reason ends, and says why", async (t) => {
  const end = join(temporaryDirectory(t), "end");
  const child = replica(t, join(temporaryDirectory(t), "copy"), NOBODY, [], ["--import", endingThreads(end)]);
  await once(child.stdout, "data");
  writeFileSync(end, "");
  const [told] = await Promise.all([text(child.stderr), once(child, "close")]);
  t.is(child.exitCode, 1);
  t.regex(told, /^ERR_STORE_FAULTED: .*ended by a test/m);
});

/** A module with which a process is begun: its threads throw when the file `end` is there. */
function endingThreads(end: string): string {
  const look = `if (existsSync(${JSON.stringify(end)})) throw new Error("ended by a test")`;
  const source = `import { existsSync } from "node:fs";
    import { isMainThread } from "node:worker_threads";
    if (!isMainThread) setInterval(() => { ${look} }, 20).unref();`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}
