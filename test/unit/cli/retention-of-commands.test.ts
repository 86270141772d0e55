import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import test, { type ExecutionContext } from "ava";
import { bundledStore } from "../../support/bundled-store.js";
import { projectRoot } from "../../support/project-root.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { KIB, numbered, openStore } from "../../support/temporary-store.js";

const MAIN = join(projectRoot(), "packages", "cli", "dist", "main.js");
const CLEANING_TIME = new URL("../../support/cleaning-time.js", import.meta.url).href;
const DAYS_AGO = new Date(Date.now() - 7 * 24 * 3600 * 1000);
const NOBODY = "127.0.0.1:1";

/** Five segments, a week old: expired by default. */
async function oldStore(t: ExecutionContext): Promise<{ root: string; segments: () => number }> {
  const store = await openStore(t);
  for (let n = 0; n < 5; n++) await store.putMessage(numbered(n, 40 * KIB));
  const { storePathRootDir: root, storePathCommitLog: log } = store.config;
  await store.close();
  for (const name of readdirSync(log)) utimesSync(join(log, name), DAYS_AGO, DAYS_AGO);
  return { root, segments: () => readdirSync(log).filter((name) => Number(name) <= 4 * 64 * KIB).length };
}

/** The command, in the hour in which expired segments are deleted. */
function millrace(t: ExecutionContext, ...args: string[]): ChildProcessByStdio<Writable, null, Readable> {
  const flags = [...bundledStore(), "--import", CLEANING_TIME];
  const child = spawn(process.execPath, [...flags, MAIN, ...args], { stdio: ["pipe", "ignore", "pipe"] });
  t.teardown(() => child.kill("SIGKILL"));
  return child;
}

async function hasBegunToClean({ stderr }: { readonly stderr: Readable }): Promise<void> {
  for await (const told of stderr.iterator({ destroyOnReturn: false })) if (String(told).includes("the cleaner has begun")) return;
}

test("put deletes nothing that has expired: how long it is kept is for the store's owner to say", async (t) => {
  const { root, segments } = await oldStore(t);
  const put = millrace(t, "put", root, "TopicA");
  await hasBegunToClean(put);
  put.stdin.end("a line\n");
  t.deepEqual(await once(put, "close"), [0, null]);
  t.is(segments(), 5);
});

test("recover, snapshot and offsets delete nothing that has expired", async (t) => {
  const { root, segments } = await oldStore(t);
  for (const args of [
    ["recover", root],
    ["snapshot", root, join(temporaryDirectory(t), "copy")],
    ["offsets", "reset", root, "group", "TopicA", "--to", "latest"],
    ["offsets", "delete", root, "group"],
  ]) {
    t.deepEqual(await once(millrace(t, ...args), "close"), [0, null], args[0]);
    t.is(segments(), 5, args[0]);
  }
});

test("replica deletes what has expired on the slave, by the options that it is given", async (t) => {
  for (const options of [["--fileReservedTime", "720", "--cleanFileForciblyEnable", "false"], ["--deleteWhen", "03;04"], []]) {
    const { root, segments } = await oldStore(t);
    const replica = millrace(t, "replica", root, "--of", NOBODY, ...options);
    await hasBegunToClean(replica);
    replica.kill("SIGINT");
    t.deepEqual(await once(replica, "close"), [0, null]);
    t.is(segments() === 5, options.includes("720"), options.join(" "));
  }
});

test("replica refuses what is no time of retention", async (t) => {
  const root = join(temporaryDirectory(t), "copy");
  for (const [name, value, code] of [
    ["fileReservedTime", "3d", 2],
    ["deleteWhen", "25", 1],
    ["cleanFileForciblyEnable", "maybe", 2],
  ] as const) {
    const replica = millrace(t, "replica", root, "--of", NOBODY, `--${name}`, value);
    const [told] = await Promise.all([text(replica.stderr), once(replica, "close")]);
    t.is(replica.exitCode, code);
    t.regex(told, new RegExp(`${name}=.*${value}`));
  }
  t.false(existsSync(root));
});
