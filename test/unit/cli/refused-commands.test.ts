import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, openSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { MessageStore } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { printMessage } from "#cli/message-format.js";
import { time } from "#cli/time-value.js";
import { bundledStore } from "../../support/bundled-store.js";
import { projectRoot } from "../../support/project-root.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { numbered, openStore } from "../../support/temporary-store.js";

const MAIN = join(projectRoot(), "packages", "cli", "dist", "main.js");

async function millrace(t: ExecutionContext, args: readonly string[], input: "ignore" | number = "ignore", flags = bundledStore()) {
  const child = spawn(process.execPath, [...flags, MAIN, ...args], { stdio: [input, "pipe", "pipe"] });
  t.teardown(() => child.kill("SIGKILL"));
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout as never),
    text(child.stderr as never),
    once(child, "close"),
  ]);
  return { status, stdout, stderr };
}

async function closedStore(t: ExecutionContext): Promise<string> {
  const store = await openStore(t);
  await store.putMessage(numbered(0, 20));
  await store.close();
  return store.config.storePathRootDir;
}

test("a directory that is none, or not there, is bad usage, whatever it is for", async (t) => {
  const root = await closedStore(t);
  const parent = temporaryDirectory(t);
  const file = join(parent, "file");
  const missing = join(parent, "missing");
  writeFileSync(file, "no directory");
  for (const args of [
    ["stat", file],
    ["put", file, "T"],
    ["put", file, "T", "--create"],
    ["recover", file],
    ["unfence", file],
    ["replica", file, "--of", "127.0.0.1:1"],
    ["bench", "--in", missing],
    ["recover", root, "--dry-run", "--scratch", missing],
  ]) {
    const { status, stderr } = await millrace(t, args);
    t.is(status, 2, args.join(" "));
    t.regex(
      stderr,
      /^error: .*(?:there is no such directory|not there, or empty).*: (?:storePathRootDir|--in|--scratch)=/,
      args.join(" "),
    );
  }
});

test("recover and salvage make no store of a directory that is none", async (t) => {
  const parent = temporaryDirectory(t);
  const empty = join(parent, "empty");
  const other = join(parent, "other");
  for (const directory of [empty, other]) mkdirSync(directory);
  writeFileSync(join(other, "letter.txt"), "not a store's");
  for (const [directory, names] of [
    [empty, []],
    [other, ["letter.txt"]],
  ] as const) {
    for (const args of [
      ["recover", directory],
      ["recover", directory, "--dry-run"],
      ["recover", directory, "--truncate-to", "0"],
      ["salvage", directory, join(parent, "target")],
    ]) {
      const { status, stderr } = await millrace(t, args);
      t.is(status, 1, args.join(" "));
      t.regex(stderr, /^ERR_PATH_UNUSABLE: there is no store here/, args.join(" "));
      t.deepEqual(readdirSync(directory), names, args.join(" "));
      t.deepEqual(readdirSync(parent).sort(), ["empty", "other"], args.join(" "));
    }
  }
});

test("offsets reset refuses what is no place before it opens the store, which would recover it", async (t) => {
  const root = await closedStore(t);
  writeFileSync(join(root, "abort"), "");
  const { status, stderr } = await millrace(t, ["offsets", "reset", root, "group", "TopicA", "--to", "yesterday"]);
  t.is(status, 2);
  t.regex(stderr, /^error: a time is needed.*--to=yesterday/);
  t.true(existsSync(join(root, "abort")));
});

test("recover with a place for a copy, and not told to make one, does not recover the store itself", async (t) => {
  const root = await closedStore(t);
  writeFileSync(join(root, "abort"), "");
  for (const more of [[], ["--truncate-to", "0"]]) {
    const { status, stderr } = await millrace(t, ["recover", root, "--scratch", temporaryDirectory(t), ...more]);
    t.is(status, 2);
    t.regex(stderr, /^error: .*--dry-run.*: --scratch=/);
    t.true(existsSync(join(root, "abort")));
  }
});

test("put whose input cannot be read says so, and closes the store", async (t) => {
  const root = await closedStore(t);
  const { status, stdout, stderr } = await millrace(
    t,
    ["put", root, "TopicA"],
    openSync(join(temporaryDirectory(t), "unreadable"), "w"),
  );
  t.regex(stdout, /^put 0, /);
  t.deepEqual([status, stderr], [1, "EBADF: bad file descriptor, read\n"]);
  await using reader = await MessageStore.openReadOnly(root);
  t.is(reader.stats().abort, undefined);
});

test("bench ends at the first put that is not acknowledged, and does not count it as one", async (t) => {
  const source = `import { MessageStore } from ${JSON.stringify(import.meta.resolve("@millrace/store"))};
    let left = 10;
    const { putMessage } = MessageStore.prototype;
    MessageStore.prototype.putMessage = async function (message) {
      if (left-- > 0) return await putMessage.call(this, message);
      return { status: "SERVICE_NOT_AVAILABLE", appendResult: null, code: "ERR_DISK_FULL", reason: "the disk is full" };
    };`;
  const parent = temporaryDirectory(t);
  const flags = ["--import", `data:text/javascript,${encodeURIComponent(source)}`];
  const { status, stdout, stderr } = await millrace(
    t,
    ["bench", "--duration", "3s", "--inFlight", "2", "--in", parent],
    "ignore",
    flags,
  );
  t.deepEqual([status, stdout], [1, ""]);
  t.regex(stderr, /status=SERVICE_NOT_AVAILABLE .*the disk is full/);
  t.deepEqual(readdirSync(parent), []);
});

test("a time is one of ISO 8601 or so long ago; words with a year in them are none", (t) => {
  for (const word of ["topic-2026", "latest 5000", "bogus 2026", "-2026", "1 Jul 2026", "2026-13-45", "earliest"])
    t.throws(() => time("since", word, 1.8e12), { message: /--since=/ }, word);
  t.is(time("since", "2026-07-01", 0), Date.UTC(2026, 6, 1));
  t.is(time("since", "2026-07-01T10:00:00Z", 0), Date.UTC(2026, 6, 1, 10));
  t.is(time("since", "1782900000000", 0), 1_782_900_000_000);
  t.is(time("since", "90s", 100_000), 10_000);
  t.is(time("since", "99999999d", 1.8e12), 0);
});

test("a message takes one line, whatever is in its keys and tags", async (t) => {
  const store = await openStore(t);
  const { appendResult } = await store.putMessage(numbered(0, 20, { tags: "a\nb", keys: ["k\u001b[31m", "\u009b31m", "plain-ü"] }));
  const message = store.lookMessageByOffset(appendResult?.wroteOffset ?? -1);
  const { write } = process.stdout;
  let printed = "";
  process.stdout.write = ((chunk: string) => {
    printed += chunk;
    return true;
  }) as typeof write;
  try {
    if (message !== undefined) printMessage(message, "line");
  } finally {
    process.stdout.write = write;
  }
  t.regex(printed, / tags="a\\nb" keys="k\\u001b\[31m","\\u009b31m",plain-ü "0;x+"\n$/);
  t.notRegex(printed.slice(0, -1), /\p{Cc}/u);
});

test("progress is in one line on a terminal, which what is printed afterwards does not go on in, and is never more than all", async (t) => {
  const root = await closedStore(t);
  const terminal = ["--import", "data:text/javascript,process.stderr.isTTY=true", ...bundledStore()];
  for (const args of [
    ["verify", root],
    ["recover", root],
    ["recover", root, "--dry-run"],
    ["snapshot", root, join(temporaryDirectory(t), "copy")],
  ]) {
    if (args[0] === "recover") writeFileSync(join(root, "abort"), "");
    const { stderr } = await millrace(t, args, "ignore", terminal);
    const [line = "", ...more] = stderr.split("\n");
    t.regex(line, /(?:verified|scanned|copied) \d/, args.join(" "));
    t.deepEqual(more, [""], args.join(" "));
    for (const [, scanned, total] of line.matchAll(/scanned (\d+) of (\d+) bytes/g)) t.true(Number(scanned) <= Number(total), line);
  }
});
