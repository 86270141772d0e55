import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { MessageStore } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { bundledStore } from "../../support/bundled-store.js";
import { projectRoot } from "../../support/project-root.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { numbered, openStore, SEGMENT_SIZE } from "../../support/temporary-store.js";

const MAIN = join(projectRoot(), "packages", "cli", "dist", "main.js");
const NOBODY = "127.0.0.1:1";

async function closedStore(t: ExecutionContext): Promise<string> {
  const store = await openStore(t);
  await store.putMessage(numbered(0, 20));
  await store.close();
  return store.config.storePathRootDir;
}

/** Ended; its standard output, or its standard error, has no reader from the beginning. */
async function unread(t: ExecutionContext, stream: "stdout" | "stderr", args: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, [...bundledStore(), MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  t.teardown(() => child.kill("SIGKILL"));
  child[stream].destroy();
  child[stream === "stdout" ? "stderr" : "stdout"].resume();
  const [status] = await once(child, "close");
  return status;
}

async function isClosed(root: string): Promise<boolean> {
  await using reader = await MessageStore.openReadOnly(root);
  return reader.stats().abort === undefined;
}

for (const stream of ["stdout", "stderr"] as const) {
  test(`a command whose ${stream} nobody reads closes the store that it has opened`, async (t) => {
    const root = await closedStore(t);
    const parent = temporaryDirectory(t);
    for (const args of [
      ["offsets", "reset", root, "group", "TopicA", "--to", "earliest"],
      ["snapshot", root, join(parent, "copy")],
      ["recover", root],
    ]) {
      t.is(await unread(t, stream, args), 0, args.join(" "));
      t.true(await isClosed(root), args.join(" "));
    }
    await using copy = await MessageStore.openReadOnly(join(parent, "copy"));
    t.is(copy.getMaxOffsetInQueue("TopicA", 0), 1);
  });
}

test("a replica that nobody reads any more ends, and closes its store", async (t) => {
  const root = await closedStore(t);
  t.is(await unread(t, "stdout", ["replica", root, "--of", NOBODY, "--mappedFileSizeCommitLog", String(SEGMENT_SIZE)]), 0);
  t.true(await isClosed(root));
});

test("a command whose output cannot be written says why without a stack, ends with 1, and closes its store", async (t) => {
  const root = await closedStore(t);
  const full = openSync("/dev/full", "w");
  for (const args of [
    ["cat", root, "TopicA"],
    ["offsets", "reset", root, "group", "TopicA", "--to", "earliest"],
  ]) {
    const child = spawn(process.execPath, [...bundledStore(), MAIN, ...args], { stdio: ["ignore", full, "pipe"] });
    t.teardown(() => child.kill("SIGKILL"));
    const [told, [status]] = await Promise.all([text(child.stderr as Readable), once(child, "close")]);
    t.is(status, 1, args.join(" "));
    t.is(told, "ENOSPC: no space left on device, write\n", args.join(" "));
    t.true(await isClosed(root), args.join(" "));
  }
});
